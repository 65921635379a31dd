/** A ledger directory, and one of snapshots, as the verifier reads them. Nothing is locked and nothing is written: a running node's directory may be read too. */
import { createHash } from "node:crypto";
import type { LedgerFile, LedgerSource } from "../ledger-source.js";
import type { Disk } from "./disk.js";
import { nodeDisk } from "./node-disk.js";

/**
 * @example
 * const result = await verifyLedger(ledgerDirectory("data/ledger"), { suite });
 */
export function ledgerDirectory(directory: string, disk: Disk = nodeDisk): LedgerSource {
  return filesNamed("ledger_", directory, disk);
}

/** The directory of snapshots beside a ledger, for `ledgerFigures`. */
export function snapshotDirectory(directory: string, disk: Disk = nodeDisk): LedgerSource {
  return filesNamed("snapshot_", directory, disk);
}

/** SHA-256 of a file of any size, piece by piece. */
export async function fileDigest(file: LedgerFile): Promise<Uint8Array> {
  const hash = createHash("sha256");
  for (let offset = 0; offset < file.size; offset += PIECE_BYTES) hash.update(await file.read(offset, PIECE_BYTES));
  return new Uint8Array(hash.digest());
}

const PIECE_BYTES = 1024 * 1024;

function filesNamed(prefix: string, directory: string, disk: Disk): LedgerSource {
  return {
    async files() {
      const files: LedgerFile[] = [];
      for (const name of await disk.list(directory)) {
        if (name.startsWith(prefix)) files.push(await describe(disk, `${directory}/${name}`, name));
      }
      return files;
    },
  };
}

async function describe(disk: Disk, path: string, name: string): Promise<LedgerFile> {
  return {
    name,
    size: await withFile(disk, path, (file) => file.size()),
    read: (offset, length, into) => withFile(disk, path, (file) => file.read(offset, length, into)),
  };
}

/** Opened for each window of 1 MiB: no handle stays open, whatever the reader does. */
async function withFile<T>(
  disk: Disk,
  path: string,
  use: (file: Awaited<ReturnType<Disk["open"]>>) => Promise<T>,
): Promise<T> {
  const file = await disk.open(path, "read");
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
