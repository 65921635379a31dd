/**
 * Where a node keeps its ledger, as the node sees it. `openLedger` of `@sealane/ledger/files` makes one out of a directory, `memoryLedger` of
 * `@sealane/ledger/testing` one out of memory that fails on demand; both are the same code over different disks.
 */
import type { Seqno } from "@sealane/wire";

/** An entry as the storage needs it; a `LedgerEntry` is one. */
export interface StoredEntry {
  readonly seqno: Seqno;
  readonly flags: number;
  /** A signature entry: the only kind that may carry "chunk ends after me". */
  readonly committable: boolean;
  /** Must never change: it is written from where it lies, and may be kept and handed to readers. Views of the ledger's slabs never do. */
  readonly bytes: Uint8Array;
}

export interface StorageStats {
  /** fdatasync calls on chunk files. */
  readonly syncs: number;
  /** fsync calls on the directory. */
  readonly directorySyncs: number;
  /** Vectored writes. */
  readonly writes: number;
  /** Groups the worker has taken from the queue. */
  readonly groups: number;
  /** Reads that the tail in memory answered. */
  readonly tailReads: number;
}

/** What reads whole entries by seqno: every storage, and all that historical queries need. */
export interface EntryReader {
  /** Seqno of the first entry; where it will be when there is none yet. */
  readonly firstSeqno: Seqno;
  /** Seqno of the last entry, queued ones included; one before the first when there is none. */
  readonly lastSeqno: Seqno;
  /** Up to here nothing is ever taken back. */
  readonly committedSeqno: Seqno;
  /**
   * The entries from `from` on, at most to `to`: as many as fit `bytesMax`, but one at least, so ask again behind the last one returned.
   * Sees everything queued before this call.
   * @returns Whole entries in order, as views of memory that nobody writes to: of one read, or of where they were appended from.
   * @throws {LedgerError} `not-found` outside `firstSeqno` … `lastSeqno`; `corrupt` when the files do not hold these entries;
   * `storage-failed`, `closed`.
   */
  read(from: Seqno, to: Seqno, bytesMax?: number): Promise<readonly Uint8Array[]>;
}

/** Calls that change it are queued and return at once; `flush` waits until all of them are durable. */
export interface LedgerStorage extends EntryReader {
  readonly stats: StorageStats;

  /**
   * Where an empty ledger starts: right behind the snapshot that the node goes on from. What is up to there counts as committed.
   * @throws {RangeError} when it is not empty. @throws {LedgerError} `storage-failed`, `closed`.
   */
  startAfter(snapshot: Seqno): void;

  /**
   * Queues entries behind the last one. Their bytes are written as they are, from where they lie.
   * @throws {LedgerError} `queue-full` (nothing was queued), `storage-failed`, `closed`.
   * @throws {RangeError} when a seqno does not follow the one before, or a chunk would end after an entry that is no signature.
   */
  append(entries: readonly StoredEntry[]): void;

  /**
   * Queues the removal of all entries after `to`; nothing happens when there are none.
   * @throws {LedgerError} `committed` below `committedSeqno`: committed entries stay. `storage-failed`, `closed`.
   */
  truncate(to: Seqno): void;

  /**
   * Queues the renaming of finished chunks that end at or before `to` to their committed names (ledger spec §1.4).
   * @throws {RangeError} above the last seqno. @throws {LedgerError} `storage-failed`, `closed`.
   */
  commit(to: Seqno): void;

  /**
   * Resolves when everything queued before this call is durable.
   * @returns Rejects with LedgerError `storage-failed` when that cannot be known any more, `closed` after `close()`.
   */
  flush(): Promise<void>;

  /**
   * Makes everything queued durable and releases the files. Every later call fails with `closed`; a second `close()` does nothing.
   * @returns Rejects with `storage-failed` when the storage is or becomes poisoned; the files are released all the same.
   */
  close(): Promise<void>;
}
