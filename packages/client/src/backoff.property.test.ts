import fc from "fast-check";
import { expect, test } from "vitest";
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, backoffMs } from "./backoff.js";

test("a wait is positive, bounded, and on average longer each round until the cap", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 100_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (round, random) => {
        const wait = backoffMs(round, random);
        expect(wait).toBeGreaterThanOrEqual(BACKOFF_MS_MIN / 2);
        expect(wait).toBeLessThanOrEqual(BACKOFF_MS_MAX);
        expect(backoffMs(round + 1, random)).toBeGreaterThanOrEqual(wait);
      },
    ),
  );
  expect([backoffMs(0, 0), backoffMs(1, 0), backoffMs(2, 0)]).toEqual([25, 50, 100]);
});
