/** Entry point `@sealane/ledger/files`: the ledger on disk. The only part of this package that needs Node. */
export { type Archived, type ArchiveOptions, archiveBelow } from "./files/archive.js";
export type { Disk, DiskFile } from "./files/disk.js";
export { FileLedger } from "./files/file-ledger.js";
export { fileDigest, ledgerDirectory, snapshotDirectory } from "./files/ledger-directory.js";
export { nodeDisk } from "./files/node-disk.js";
export { openLedger } from "./files/node-ledger.js";
export type { OpenedLedger, OpenLedgerOptions } from "./files/open-ledger.js";
export { SnapshotDirectory, type UnusableSnapshot } from "./files/snapshot-directory.js";
export type { StorageStats, StoredEntry } from "./ledger-storage.js";
