/** A token bucket: what a peer may make us spend on signatures (channel-v2 §4, "rate-limited per peer"). */

/**
 * Allows `burst` events at once and `perSecond` in the long run. It never blocks or counts a refused event, so a flood of any size
 * costs one comparison each and leaves the long-run rate as it is.
 */
export class RateLimiter {
  readonly #perSecond: number;
  readonly #burstMilli: number;
  // In thousandths of a token, so that whole milliseconds add whole numbers. Invariant: 0 <= tokens <= burst.
  #tokensMilli: number;
  #refilledAtMs: number | undefined;

  /** @param perSecond - Events per second in the long run. @param burst - Events at once, at least 1. */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burstMilli = burst * 1000;
    this.#tokensMilli = this.#burstMilli;
  }

  /** Takes one token. False when none is left: refuse the event. A clock that steps back adds nothing. */
  take(nowMs: number): boolean {
    const sinceMs = Math.max(0, nowMs - (this.#refilledAtMs ?? nowMs));
    this.#tokensMilli = Math.min(this.#burstMilli, this.#tokensMilli + sinceMs * this.#perSecond);
    this.#refilledAtMs = Math.max(nowMs, this.#refilledAtMs ?? nowMs);
    if (this.#tokensMilli < 1000) return false;
    this.#tokensMilli -= 1000;
    return true;
  }
}
