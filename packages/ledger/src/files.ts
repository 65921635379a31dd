/** Entry point `@sealane/ledger/files`: the ledger on disk. The only part of this package that needs Node. */
export { type Archived, type ArchiveOptions, archiveBelow } from "./files/archive.js";
export type { Disk, DiskFile } from "./files/disk.js";
export { FileLedger, type StorageStats, type StoredEntry } from "./files/file-ledger.js";
export { fileDigest, ledgerDirectory, snapshotDirectory } from "./files/ledger-directory.js";
export { nodeDisk } from "./files/node-disk.js";
export { type OpenedLedger, type OpenLedgerOptions, openLedger } from "./files/open-ledger.js";
export { SnapshotDirectory, type UnusableSnapshot } from "./files/snapshot-directory.js";
