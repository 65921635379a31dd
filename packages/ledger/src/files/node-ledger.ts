/** A ledger directory of this machine, opened. */
import type { Disk } from "./disk.js";
import { nodeDisk } from "./node-disk.js";
import { type OpenedLedger, type OpenLedgerOptions, openLedgerOn } from "./open-ledger.js";

/**
 * `openLedgerOn` for the disk of this machine.
 * @param options.disk - Another one.
 * @throws {LedgerError} as `openLedgerOn`.
 * @example
 * const { storage, entries } = await openLedger("data/ledger");
 * for await (const bytes of entries) ledger.appendReplicated(decodeEntry(suite, secrets, bytes));
 */
export function openLedger(
  directory: string,
  { disk = nodeDisk, ...options }: OpenLedgerOptions & { readonly disk?: Disk } = {},
): Promise<OpenedLedger> {
  return openLedgerOn(disk, directory, options);
}
