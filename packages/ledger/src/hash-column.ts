/** A growing row of 32-byte hashes in one piece of memory: cut at the end by rollback, forgotten at the front by compaction. */
import { assert } from "./errors.js";
import { DIGEST_BYTES } from "./limits.js";

const CAPACITY_MIN = 8;
/** Memory that is kept although less would do: a row that is emptied at every commit fills up again just as far. */
const REUSED_BYTES_MAX = 64 * 1024;

export class HashColumn {
  #bytes = new Uint8Array(CAPACITY_MIN * DIGEST_BYTES);
  // Invariant: the hash of index i lies at (i - #origin) * 32, for #origin <= #base <= i < #end.
  #origin: number;
  #base: number;
  #end: number;

  /** @param base - Index of the first hash that will be pushed. */
  constructor(base: number) {
    this.#origin = base;
    this.#base = base;
    this.#end = base;
  }

  /** First index still held. */
  get base(): number {
    return this.#base;
  }

  /** One past the last index. */
  get end(): number {
    return this.#end;
  }

  /** Copies `hash` behind the last one. */
  push(hash: Uint8Array): void {
    const offset = (this.#end - this.#origin) * DIGEST_BYTES;
    if (offset === this.#bytes.length) this.#grow();
    this.#bytes.set(hash, (this.#end - this.#origin) * DIGEST_BYTES);
    this.#end++;
  }

  /** `count` hashes from `index` on, back to back. A view: valid until the next call that changes this column. */
  view(index: number, count = 1): Uint8Array {
    assert(index >= this.#base && index + count <= this.#end, "a hash is read only while it is held");
    const start = (index - this.#origin) * DIGEST_BYTES;
    return this.#bytes.subarray(start, start + count * DIGEST_BYTES);
  }

  /** Forgets every index from `end` on. */
  truncate(end: number): void {
    assert(end >= this.#base && end <= this.#end, "a column is cut inside what it holds");
    this.#end = end;
  }

  /** Forgets every index below `base`. */
  dropBelow(base: number): void {
    assert(base <= this.#end, "a column forgets only what it holds");
    this.#base = Math.max(this.#base, base);
  }

  /** Moves what is held to the front if that frees at least half, else doubles: O(1) amortised per push. */
  #grow(): void {
    const start = (this.#base - this.#origin) * DIGEST_BYTES;
    const end = (this.#end - this.#origin) * DIGEST_BYTES;
    const capacity = Math.max(CAPACITY_MIN * DIGEST_BYTES, 2 * (end - start));
    if (capacity <= this.#bytes.length && this.#bytes.length <= REUSED_BYTES_MAX) {
      this.#bytes.copyWithin(0, start, end);
    } else {
      const bytes = new Uint8Array(capacity); // also shrinks, after a long row was dropped
      bytes.set(this.#bytes.subarray(start, end));
      this.#bytes = bytes;
    }
    this.#origin = this.#base;
  }
}
