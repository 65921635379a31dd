/**
 * Where chunks end (ledger spec §1.3). Every node counts from the flags in the entries, so a new primary goes on as the old one would have.
 * A size is counted after the entry is made: the decision at a signature looks at the entries before it.
 */
import { CHUNK_BYTES_MAX, FLAG_CHUNK_ENDS_AFTER, FLAG_CHUNK_ENDS_BEFORE } from "./limits.js";

export class ChunkPolicy {
  readonly #chunkBytes: number;
  /** Bytes of all entries so far, from any start; only differences matter. */
  #totalBytes = 0;
  /** Chunk ends: when `total` bytes had been written, by a flag of entry `seqno`. The first is the start, or the last committed one. */
  #ends: { readonly seqno: number; readonly total: number }[];
  /** Sizes of the entries after `#sizesAfter`, so that a rollback can be counted back. */
  #sizes: number[] = [];
  #sizesAfter: number;

  /** @param start - The seqno before the first entry; a chunk ends there. */
  constructor(chunkBytes: number, start = 0) {
    if (!Number.isSafeInteger(chunkBytes) || chunkBytes < 1 || chunkBytes > CHUNK_BYTES_MAX) {
      throw new RangeError(`chunkBytes is from 1 to ${CHUNK_BYTES_MAX}, not ${chunkBytes}`);
    }
    this.#chunkBytes = chunkBytes;
    this.#ends = [{ seqno: start, total: 0 }];
    this.#sizesAfter = start;
  }

  /** Whether the signature about to be written should carry "chunk ends after me". */
  shouldEndChunk(): boolean {
    return this.#totalBytes - (this.#ends.at(-1)?.total ?? 0) >= this.#chunkBytes;
  }

  append(seqno: number, bytes: number, flags: number): void {
    if ((flags & FLAG_CHUNK_ENDS_BEFORE) !== 0) this.#ends.push({ seqno, total: this.#totalBytes });
    this.#totalBytes += bytes;
    this.#sizes.push(bytes);
    if ((flags & FLAG_CHUNK_ENDS_AFTER) !== 0) this.#ends.push({ seqno, total: this.#totalBytes });
  }

  rollback(seqno: number): void {
    for (const bytes of this.#sizes.splice(seqno - this.#sizesAfter)) this.#totalBytes -= bytes;
    // The first end is the start or committed, and a rollback goes below neither.
    while (this.#ends.length > 1 && (this.#ends.at(-1)?.seqno ?? 0) > seqno) this.#ends.pop();
  }

  compact(seqno: number): void {
    this.#sizes.splice(0, seqno - this.#sizesAfter);
    this.#sizesAfter = seqno;
    const committed = this.#ends.findLastIndex((end) => end.seqno <= seqno);
    if (committed > 0) this.#ends.splice(0, committed);
  }
}
