/**
 * One walk through committed entries, towards the newest or back, a page long: which entry is next, what to read for it, and when the page is
 * full. Holds what was read ahead, and nothing else of the log.
 */
import { type Seqno, seqno } from "@sealane/wire";
import type { EntryRange } from "./stored-entries.js";

/** A page ends with the item that goes beyond this many bytes of JSON text, */
export const PAGE_BYTES_MAX = 1_048_576;
/** or after so many entries looked through, found or not: then it says where to go on. */
export const SCANNED_ENTRIES_MAX = 4_096;
/** Also after so many bytes of them. */
export const SCANNED_BYTES_MAX = 4 * 1_048_576;

/** Read from storage at a time; one entry, if it is longer. */
const READ_BYTES_MAX = 256 * 1024;
/** Of the way back: entries are read forward, and those that do not fit are read again. */
const READ_ENTRIES_MAX = 64;

/** Both ends inclusive. */
export interface SeqnoRange {
  readonly from: Seqno;
  readonly to: Seqno;
}

/** What was found. `next` is where to go on, or null when nothing is left of the range. */
export interface Page extends SeqnoRange {
  /** JSON text each. */
  readonly items: readonly string[];
  readonly next: Seqno | null;
}

export class HistoryScan {
  readonly #range: SeqnoRange;
  readonly #committed: Seqno;
  readonly #newestFirst: boolean;
  readonly #itemsMax: number;
  readonly #items: string[] = [];
  #next: number;
  #pageBytes = 0;
  #scannedEntries = 0;
  #scannedBytes = 0;
  #read: readonly Uint8Array[] = [];
  #readFirst = 0;
  #readEntriesMax = READ_ENTRIES_MAX;

  /** @param committed - The last committed entry; a range may reach beyond it, the walk does not. */
  constructor(range: SeqnoRange, committed: Seqno, newestFirst: boolean, itemsMax: number) {
    this.#range = range;
    this.#committed = committed;
    this.#newestFirst = newestFirst;
    this.#itemsMax = itemsMax;
    this.#next = newestFirst ? range.to : range.from;
  }

  /** The entry it stands at; undefined when the page is full, or nothing is left. */
  get next(): Seqno | undefined {
    const isFull =
      this.#items.length >= this.#itemsMax ||
      this.#pageBytes >= PAGE_BYTES_MAX ||
      this.#scannedEntries >= SCANNED_ENTRIES_MAX ||
      this.#scannedBytes >= SCANNED_BYTES_MAX;
    return isFull || !this.#isInside || this.#next > this.#committed ? undefined : seqno(this.#next);
  }

  /** Whether it has got anywhere: a page of it is worth answering. */
  get hasMoved(): boolean {
    return this.#scannedEntries > 0;
  }

  get page(): Page {
    const { from, to } = this.#range;
    return { items: this.#items, from, to, next: this.#isInside ? seqno(this.#next) : null };
  }

  /** What was read for the entry it stands at. */
  get buffered(): Uint8Array | undefined {
    return this.#read[this.#next - this.#readFirst];
  }

  /** What to read so that it can go on. */
  get wanted(): EntryRange {
    if (!this.#newestFirst) {
      const through = Math.min(this.#range.to, this.#committed, this.#next + SCANNED_ENTRIES_MAX - 1);
      return { from: seqno(this.#next), through: seqno(through), bytesMax: READ_BYTES_MAX };
    }
    const readTo = this.#readFirst + this.#read.length;
    // What was read last may end below where it stands: the rest of that piece comes first.
    const continues = this.#read.length > 0 && readTo <= this.#next;
    const first = continues ? readTo : Math.max(this.#range.from, this.#next - this.#readEntriesMax + 1);
    return { from: seqno(first), through: seqno(this.#next), bytesMax: READ_BYTES_MAX };
  }

  /** @param entries - From the first one that was wanted on; one at least. */
  handleRead(first: Seqno, entries: readonly Uint8Array[]): void {
    this.#readFirst = first;
    this.#read = entries;
    if (this.#newestFirst) this.#readEntriesMax = Math.min(READ_ENTRIES_MAX, Math.max(1, entries.length));
  }

  /** Steps over the entry it stands at. @param item - What the page says of it. */
  step(entryBytes: number, item: string | undefined): void {
    this.#scannedEntries += 1;
    this.#scannedBytes += entryBytes;
    this.#next += this.#newestFirst ? -1 : 1;
    if (item === undefined) return;
    this.#items.push(item);
    this.#pageBytes += item.length;
  }

  get #isInside(): boolean {
    return this.#next >= this.#range.from && this.#next <= this.#range.to;
  }
}
