/** Entry point `@sealane/ledger/testing`: a ledger in memory, on a disk that loses, tears, rots and fails as told. Pure. */
export type { Disk, DiskFile } from "./files/disk.js";
export type { OpenedLedger, OpenLedgerOptions } from "./files/open-ledger.js";
export { type DiskFault, MemoryDisk } from "./testing/memory-disk.js";
export { memoryLedger } from "./testing/memory-ledger.js";
