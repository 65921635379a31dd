/**
 * The one copy of each entry that a node keeps in memory (design: "one copy of an entry exists per node"): entries back to back in slabs that
 * are only ever appended to. What was hashed is what is handed to the disk and to each backup, as views.
 *
 * Bytes that were handed out are never written again, not even after a rollback: a socket or a queued write may still hold them. A rollback
 * therefore closes the slab it cuts, and memory comes back only with whole slabs, once nobody holds a view of them.
 */
import { assert } from "./errors.js";
import { HashColumn } from "./hash-column.js";
import { DIGEST_BYTES } from "./limits.js";

/** A slab doubles from the first size to the second, so that a short log costs little; a longer entry gets a slab of its own. */
const SLAB_BYTES_MIN = 64 * 1024;
const SLAB_BYTES_MAX = 1024 * 1024;

interface Slab {
  readonly bytes: Uint8Array;
  readonly firstSeqno: number;
  // Invariant: entry firstSeqno + i fills [ends[i - 1] ?? 0, ends[i]).
  readonly ends: number[];
  readonly digests: HashColumn;
  closed: boolean;
}

export class Slabs {
  // Invariant: slabs follow one another without a gap, and every slab but the last holds at least one entry.
  #slabs: Slab[] = [];
  #lastSeqno: number;

  /** @param lastSeqno - The seqno before the first entry. */
  constructor(lastSeqno = 0) {
    this.#lastSeqno = lastSeqno;
  }

  /** Seqno of the first entry held; one past the last when none is. */
  get firstSeqno(): number {
    return this.#slabs[0]?.firstSeqno ?? this.#lastSeqno + 1;
  }

  get lastSeqno(): number {
    return this.#lastSeqno;
  }

  /** Memory taken by slabs, in bytes. */
  get bytes(): number {
    return this.#slabs.reduce((sum, slab) => sum + slab.bytes.length, 0);
  }

  /** Free memory for the next entry. Nothing is held until `push`; the next `reserve` returns the same memory again. */
  reserve(bytes: number): Uint8Array {
    const slab = this.#open(bytes);
    const start = slab.ends.at(-1) ?? 0;
    return slab.bytes.subarray(start, start + bytes);
  }

  /** Keeps what was written into the memory `reserve(bytes)` returned. */
  push(bytes: number, digest: Uint8Array): void {
    const slab = this.#open(bytes);
    slab.ends.push((slab.ends.at(-1) ?? 0) + bytes);
    slab.digests.push(digest);
    this.#lastSeqno++;
  }

  /** The bytes of one entry that is held. A view. */
  entry(seqno: number): Uint8Array {
    return this.#cut(this.#slabOf(seqno), seqno, seqno);
  }

  /** Entries `from` to `to`, both inclusive, in as few views as slabs allow; `undefined` unless all are held. */
  range(from: number, to: number): Uint8Array[] | undefined {
    if (from < this.firstSeqno || to > this.#lastSeqno) return undefined;
    const views: Uint8Array[] = [];
    for (let seqno = from; seqno <= to; ) {
      const slab = this.#slabOf(seqno);
      const last = Math.min(to, slab.firstSeqno + slab.ends.length - 1);
      views.push(this.#cut(slab, seqno, last));
      seqno = last + 1;
    }
    return views;
  }

  /** The write set digests of entries `from` to `to`, concatenated into fresh memory; `undefined` unless all are held. */
  digests(from: number, to: number): Uint8Array | undefined {
    if (from < this.firstSeqno || to > this.#lastSeqno) return undefined;
    const digests = new Uint8Array(Math.max(0, to - from + 1) * DIGEST_BYTES);
    for (let seqno = from; seqno <= to; ) {
      const slab = this.#slabOf(seqno);
      const last = Math.min(to, slab.firstSeqno + slab.ends.length - 1);
      digests.set(slab.digests.view(seqno - slab.firstSeqno, last - seqno + 1), (seqno - from) * DIGEST_BYTES);
      seqno = last + 1;
    }
    return digests;
  }

  /** Forgets the entries after `seqno`. */
  rollback(seqno: number): void {
    assert(seqno >= this.firstSeqno - 1 && seqno <= this.#lastSeqno, "only entries that are held can be rolled back");
    for (let slab = this.#slabs.at(-1); slab !== undefined; slab = this.#slabs.at(-1)) {
      const kept = Math.max(0, seqno - slab.firstSeqno + 1);
      if (kept >= slab.ends.length && kept > 0) break;
      slab.ends.length = kept; // also drops a slab that was reserved and never filled
      slab.digests.truncate(kept);
      slab.closed = true;
      if (kept > 0) break;
      this.#slabs.pop();
    }
    this.#lastSeqno = seqno;
  }

  /** Forgets whole slabs from the front, as long as they end at or before `seqno` and more than `bytesMax` are held. */
  release(seqno: number, bytesMax: number): void {
    let held = this.bytes;
    let count = 0;
    for (const slab of this.#slabs) {
      const last = slab.firstSeqno + slab.ends.length - 1;
      if (held <= bytesMax || slab.ends.length === 0 || last > seqno) break;
      held -= slab.bytes.length;
      count++;
    }
    this.#slabs.splice(0, count);
  }

  #open(bytes: number): Slab {
    const last = this.#slabs.at(-1);
    const used = last?.ends.at(-1) ?? 0;
    if (last !== undefined && !last.closed && used + bytes <= last.bytes.length) return last;
    if (last !== undefined && last.ends.length === 0) this.#slabs.pop(); // reserved, never filled
    const capacity = Math.max(bytes, Math.min(SLAB_BYTES_MAX, Math.max(SLAB_BYTES_MIN, 2 * (last?.bytes.length ?? 0))));
    const slab = {
      bytes: new Uint8Array(capacity),
      firstSeqno: this.#lastSeqno + 1,
      ends: [],
      digests: new HashColumn(0),
      closed: false,
    };
    this.#slabs.push(slab);
    return slab;
  }

  /** The slab that holds `seqno`, by binary search. */
  #slabOf(seqno: number): Slab {
    let low = 0;
    let high = this.#slabs.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#slabs[middle]?.firstSeqno ?? Number.POSITIVE_INFINITY) <= seqno) low = middle;
      else high = middle - 1;
    }
    const slab = this.#slabs[low];
    assert(
      slab !== undefined && seqno >= slab.firstSeqno && seqno < slab.firstSeqno + slab.ends.length,
      "the entry is held",
    );
    return slab;
  }

  #cut(slab: Slab, from: number, to: number): Uint8Array {
    const start = slab.ends[from - slab.firstSeqno - 1] ?? 0;
    return slab.bytes.subarray(start, slab.ends[to - slab.firstSeqno]);
  }
}
