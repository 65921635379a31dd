/**
 * What writer and reader of a snapshot share (ledger spec §10.2):
 *
 *     u8 1 | u64 seqno | u64 0 | blob leaf of that seqno | blob view history | maps
 *     map:   blob name | u64 seqno of its last change | blob state
 *     state: for each key, blob key, padded | u64 8 + value length | u64 seqno of the write | value, padded;  padding: zeros to 8 bytes
 */

export const SNAPSHOT_TYPE = 1;
/** §2.1: view 0 and the snapshot bit. */
export const SNAPSHOT_IV_VIEW = 0x8000_0000;
/** Keys and values are padded to a multiple of this. */
export const ALIGNMENT = 8;

/** One live key. */
export interface SnapshotEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Seqno of the write. */
  readonly writtenAt: number;
}

/** One map as it stands at the snapshot's seqno. A decoded `SnapshotMap` is one. */
export interface SnapshotMapState {
  /** Starts with `public:` for a public map. */
  readonly name: string;
  /** Seqno of the map's last change, a removal included. */
  readonly changedAt: number;
  /** Each live key once, in any order. */
  readonly entries: Iterable<SnapshotEntry>;
}

export function padded(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}
