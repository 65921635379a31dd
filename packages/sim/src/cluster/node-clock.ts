/** A node's own clock, in whole ms: the simulation's time, moved, slowed or stopped. */

/** A product of a rate and a time may fall short of a whole ms by its rounding. */
const ROUNDING = 1e-6;

export class NodeClock {
  /** Its reading is `#base + (now - #since) * #rate`. */
  #base = 0;
  #since = 0;
  #rate = 1;

  read(nowMs: number): number {
    return Math.floor(this.#base + (nowMs - this.#since) * this.#rate + ROUNDING);
  }

  /** The simulation's time at which this clock shows `readingMs`; `Infinity` while it stands still before that. */
  timeOf(readingMs: number): number {
    const missing = readingMs - this.#base;
    if (missing <= 0) return this.#since;
    return this.#rate === 0 ? Number.POSITIVE_INFINITY : this.#since + missing / this.#rate;
  }

  jump(byMs: number): void {
    this.#base += byMs;
  }

  /** @param rate - 1 is true time, 0 stands still. */
  setRate(rate: number, nowMs: number): void {
    this.#base += (nowMs - this.#since) * this.#rate;
    this.#since = nowMs;
    this.#rate = rate;
  }
}
