/** How long to wait before trying again: exponential with jitter, so that clients that failed together do not return together. */

/** First upper bound of a wait: about one round trip and one fsync. */
export const BACKOFF_MS_MIN = 50;
/** Last upper bound: an election takes seconds, and a client should notice soon that it is over. */
export const BACKOFF_MS_MAX = 2_000;

/**
 * @param round - 0 for the first wait.
 * @param random - In [0, 1).
 * @returns Milliseconds: uniform in the upper half of what BACKOFF_MS_MIN · 2^round, capped, allows. Never 0, so that no bad luck makes
 *   a busy loop.
 */
export function backoffMs(round: number, random: number): number {
  const bound = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(round, 30)); // 2^30: far beyond the cap, still finite
  return (bound / 2) * (1 + random);
}
