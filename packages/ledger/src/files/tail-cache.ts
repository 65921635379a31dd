/**
 * The last entries that were appended, for readers that lag only a little: a bounded number of bytes, as views of where they were appended
 * from. A view may keep a whole slab of the ledger in memory, so up to one slab more than the bound is held.
 */
export class TailCache {
  readonly #bytesMax: number;
  // Invariant: entry #first + i is #entries[#head + i], of #bytes bytes in all.
  #entries: Uint8Array[] = [];
  #head = 0;
  #first: number;
  #bytes = 0;

  /** @param next - Seqno of the first entry that will be pushed. */
  constructor(bytesMax: number, next: number) {
    this.#bytesMax = bytesMax;
    this.#first = next;
  }

  /** One past the last entry held. */
  get #end(): number {
    return this.#first + this.#entries.length - this.#head;
  }

  push(seqno: number, bytes: Uint8Array): void {
    if (seqno !== this.#end) this.clear(seqno);
    this.#entries.push(bytes);
    this.#bytes += bytes.length;
    while (this.#bytes > this.#bytesMax) {
      this.#bytes -= this.#entries[this.#head++]?.length ?? 0;
      this.#first++;
    }
    // Amortised: what was given up is dropped once it is half of the array.
    if (2 * this.#head > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Forgets the entries after `seqno`. */
  truncate(seqno: number): void {
    if (seqno < this.#first) this.clear(seqno + 1);
    while (this.#end > seqno + 1) this.#bytes -= this.#entries.pop()?.length ?? 0;
  }

  /** @param next - Seqno of the next entry. */
  clear(next: number): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#first = next;
  }

  /** Entries from `from`, at most to `to`, as many as fit `bytesMax` but one at least; `undefined` unless all of those are held. */
  read(from: number, to: number, bytesMax: number): Uint8Array[] | undefined {
    if (from < this.#first || from >= this.#end) return undefined;
    const found: Uint8Array[] = [];
    let bytes = 0;
    for (let seqno = from; seqno <= to; seqno++) {
      const entry = this.#entries[this.#head + seqno - this.#first];
      if (entry === undefined) return undefined;
      bytes += entry.length;
      if (found.length > 0 && bytes > bytesMax) break;
      found.push(entry);
    }
    return found;
  }
}
