/** How long to wait before dialling again. */

export interface BackoffOptions {
  /** First pause. */
  readonly minMs: number;
  /** Longest pause. */
  readonly maxMs: number;
}

/** From "a restart is noticed at once" to "a dead peer costs nothing", and short against an election time-out of 5 s. */
export const DIAL_BACKOFF: BackoffOptions = { minMs: 100, maxMs: 5000 };

/** Doubles from `minMs` to `maxMs`. The upper half of each pause is random, so that nodes that lost a peer together do not return together. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #attempts = 0;

  constructor(options: BackoffOptions, random: () => number) {
    if (!(options.minMs >= 0 && options.maxMs >= options.minMs && Number.isFinite(options.maxMs))) {
      throw new RangeError(`a back-off runs from minMs to maxMs, not from ${options.minMs} to ${options.maxMs}`);
    }
    this.#options = options;
    this.#random = random;
  }

  nextMs(): number {
    const { minMs, maxMs } = this.#options;
    const fullMs = Math.min(maxMs, minMs * 2 ** this.#attempts);
    if (fullMs < maxMs) this.#attempts++;
    return fullMs * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
