/** A ledger directory as the verifier reads it. Nothing is locked and nothing is written: a running node's directory may be read too. */
import type { LedgerFile, LedgerSource } from "../ledger-source.js";
import type { Disk } from "./disk.js";
import { nodeDisk } from "./node-disk.js";

/**
 * @example
 * const result = await verifyLedger(ledgerDirectory("data/ledger"), { suite });
 */
export function ledgerDirectory(directory: string, disk: Disk = nodeDisk): LedgerSource {
  return {
    async files() {
      const files: LedgerFile[] = [];
      for (const name of await disk.list(directory)) {
        if (name.startsWith("ledger_")) files.push(await describe(disk, `${directory}/${name}`, name));
      }
      return files;
    },
  };
}

async function describe(disk: Disk, path: string, name: string): Promise<LedgerFile> {
  return {
    name,
    size: await withFile(disk, path, (file) => file.size()),
    read: (offset, length) => withFile(disk, path, (file) => file.read(offset, length)),
  };
}

/** Opened for each window of 256 KiB: no handle stays open, whatever the reader does. */
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
