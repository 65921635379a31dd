/**
 * The size of every entry in the log, as running totals: eight bytes for an entry. The batch size (spec §7.3) counts entries by a moving
 * average; after a stretch of small ones it could put hundreds of large ones into a message that no transport takes. This
 * bounds the bytes of a message, and of what is on its way to one peer.
 */
import { type Seqno, seqno } from "@sealane/wire";

export class EntrySizes {
  /** Entries at or below it have no known size and count as empty: a snapshot stands in for them. */
  #base: Seqno;
  /** Bytes of the entries from `base + 1` to `base + 1 + index`. */
  #totals: number[] = [];

  constructor(lastSeqno: Seqno = seqno(0), bytes: readonly number[] = []) {
    this.#base = seqno(lastSeqno - bytes.length);
    for (const size of bytes) this.append(size);
  }

  get all(): readonly number[] {
    return this.#totals.map((total, index) => total - (this.#totals[index - 1] ?? 0));
  }

  /** Forgets everything: the log starts after `base`. */
  startAfter(base: Seqno): void {
    this.#base = base;
    this.#totals = [];
  }

  append(bytes: number): void {
    this.#totals.push((this.#totals.at(-1) ?? 0) + bytes);
  }

  rollback(to: Seqno): void {
    if (to >= this.#base + this.#totals.length) return;
    this.#totals.length = Math.max(to - this.#base, 0);
    this.#base = seqno(Math.min(this.#base, to));
  }

  /** Bytes of the entries in `(after, to]`. */
  between(after: Seqno, to: Seqno): number {
    return Math.max(this.#total(to) - this.#total(after), 0);
  }

  /** The last seqno up to `end` so that the entries from `start` to it have at most `bytesMax` bytes; at least `start`. */
  fitting(start: Seqno, end: Seqno, bytesMax: number): Seqno {
    let low = start;
    let high = end;
    while (low < high) {
      const middle = seqno(low + Math.ceil((high - low) / 2));
      if (this.between(seqno(start - 1), middle) <= bytesMax) low = middle;
      else high = seqno(middle - 1);
    }
    return low;
  }

  #total(at: Seqno): number {
    const index = Math.min(at - this.#base, this.#totals.length) - 1;
    return this.#totals[index] ?? 0;
  }
}
