/** The pause between failed attempts (channel-v2 §4: exponential back-off with jitter, from 100 ms to 5 s). */

/**
 * The n-th pause is drawn evenly from the upper half of [0, ceiling], where the ceiling starts at twice `msMin` and doubles up to
 * `msMax`. Half of each pause is fixed, so attempts do thin out; half is random, so two ends that failed together do not meet again.
 */
export class Backoff {
  readonly #msMin: number;
  readonly #msMax: number;
  #failures = 0;

  constructor(msMin: number, msMax: number) {
    this.#msMin = msMin;
    this.#msMax = msMax;
  }

  /**
   * Counts one more failure and gives the pause after it, in whole milliseconds within [msMin, msMax].
   * @param random - At least 4 uniformly random bytes. Borrowed.
   */
  next(random: Uint8Array): number {
    // 2^31 doublings would be infinite, and min() takes care of that too.
    const ceilingMs = Math.min(this.#msMax, this.#msMin * 2 ** (this.#failures + 1));
    const floorMs = Math.max(this.#msMin, ceilingMs / 2);
    this.#failures += 1;
    const fraction = new DataView(random.buffer, random.byteOffset, random.byteLength).getUint32(0, true) / 2 ** 32;
    return Math.floor(floorMs + fraction * (ceilingMs - floorMs));
  }

  /** An exchange was proven: the next failure is a first one again. */
  reset(): void {
    this.#failures = 0;
  }
}
