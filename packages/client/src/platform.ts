/** The only time and randomness of this package that the caller did not pass in: the defaults, in one place. */

/** Time as the client needs it; tests pass their own. */
export interface Clock {
  /** Milliseconds from any fixed point; never goes back. */
  nowMs(): number;
  /** Calls back once after `ms`, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Uniform in [0, 1). It spreads retries over time and guards nothing, so it need not be unpredictable. */
export const systemRandom: () => number = Math.random;
