/** The host's clock: ms since 1970 as of the start of the process, counted on by the monotonic clock, so that it never jumps. */
export function nowMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
