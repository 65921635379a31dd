/** A node's storage in memory: the storage of files, on a disk that is none. */
import { type OpenedLedger, type OpenLedgerOptions, openLedgerOn } from "../files/open-ledger.js";
import { MemoryDisk } from "./memory-disk.js";

/** The directory that stands for the ledger. */
const DIRECTORY = "ledger";

/**
 * @param disk - With the ledger of an earlier life, such as `disk.crash(random)`. Default: an empty one.
 * @throws {LedgerError} as `openLedger` of `@sealane/ledger/files`.
 * @example
 * const disk = new MemoryDisk();
 * const { storage } = await memoryLedger(disk);
 * storage.append([entry]);
 * disk.fault = { operation: "sync", code: "EIO" };
 * await storage.flush().catch(() => "the storage is poisoned");
 * const { entries } = await memoryLedger(disk.crash(random));
 */
export function memoryLedger(
  disk: MemoryDisk = new MemoryDisk(),
  options: OpenLedgerOptions = {},
): Promise<OpenedLedger> {
  return openLedgerOn(disk, DIRECTORY, options);
}
