/** The one timer of a replica (consensus spec §9.2): primary: time since its heartbeats; others: time until they campaign. */

export class ElectionTimer {
  readonly #timeoutMs: number;
  readonly #random: (max: number) => number;
  /** When the timer stood at zero. May lie before the time it was set: that is the random head start. */
  #zeroMs: number;

  constructor(timeoutMs: number, random: (max: number) => number, nowMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#random = random;
    this.#zeroMs = nowMs;
  }

  /** Sets the timer to a uniform integer in `[0, timeout / 2]`: what is left is between half the timeout and all of it. */
  restart(nowMs: number): void {
    this.#zeroMs = nowMs - this.#random(Math.floor(this.#timeoutMs / 2));
  }

  zero(nowMs: number): void {
    this.#zeroMs = nowMs;
  }

  elapsedMs(nowMs: number): number {
    return nowMs - this.#zeroMs;
  }

  /** When `elapsedMs` will be `durationMs`. */
  reachesMs(durationMs: number): number {
    return this.#zeroMs + durationMs;
  }
}
