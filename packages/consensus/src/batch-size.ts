/** How many entries go into one append-entries: a slow moving average that aims at 20,000 bytes (consensus spec §7.3). */

/** Append-entries size target, bytes (spec §3.2). */
export const APPEND_ENTRIES_BYTES = 20_000;
const BATCH_SIZE_INITIAL = 20;
const BATCH_WINDOW = 100;
/** Entries of less than one byte on average: the spec's divisor when there is nothing to divide by. */
const BATCH_SIZE_OF_NOTHING = 10_000;

export class BatchSize {
  #entries = BATCH_SIZE_INITIAL;
  #windowSum = 0;
  /** Of the entries since the size target was last reached. Not reset by a tick. */
  #bytes = 0;
  #count = 0;

  get entries(): number {
    return this.#entries;
  }

  /** §6: counts a replicated entry. @returns whether the size target is reached: send now. */
  add(bytes: number): boolean {
    this.#bytes += bytes;
    this.#count += 1;
    if (this.#bytes < APPEND_ENTRIES_BYTES) return false;
    this.update();
    this.#bytes = 0;
    this.#count = 0;
    return true;
  }

  update(): void {
    const average = this.#count === 0 ? APPEND_ENTRIES_BYTES : Math.floor(this.#bytes / this.#count);
    const batch = average === 0 ? BATCH_SIZE_OF_NOTHING : Math.floor(APPEND_ENTRIES_BYTES / average);
    this.#windowSum += batch - Math.floor(this.#windowSum / BATCH_WINDOW);
    this.#entries = Math.max(Math.floor(this.#windowSum / BATCH_WINDOW), 1);
  }
}
