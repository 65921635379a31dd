import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Backoff } from "./backoff.js";

const LOW = new Uint8Array(4);
const HIGH = new Uint8Array(4).fill(0xff);

describe("Backoff", () => {
  it("doubles from 100 ms up to 5 s", () => {
    const low = new Backoff(100, 5_000);
    expect(Array.from({ length: 8 }, () => low.next(LOW))).toEqual([100, 200, 400, 800, 1_600, 2_500, 2_500, 2_500]);
    const high = new Backoff(100, 5_000);
    expect(Array.from({ length: 8 }, () => high.next(HIGH))).toEqual([
      199, 399, 799, 1_599, 3_199, 4_999, 4_999, 4_999,
    ]);
  });

  it("reads the random bytes as a number, little-endian", () => {
    expect(new Backoff(100, 5_000).next(Uint8Array.of(0, 0, 0, 0x80))).toBe(150);
    expect(new Backoff(100, 5_000).next(Uint8Array.of(0x80, 0, 0, 0))).toBe(100);
  });

  it("begins again after a reset", () => {
    const backoff = new Backoff(100, 5_000);
    backoff.next(LOW);
    backoff.next(LOW);
    backoff.reset();
    expect(backoff.next(LOW)).toBe(100);
  });

  it("stays within its bounds for any random bytes and any number of failures", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.integer({ min: 0, max: 2_000 }),
        (random, failures) => {
          const backoff = new Backoff(100, 5_000);
          for (let i = 0; i < failures; i++) backoff.next(LOW);
          const pauseMs = backoff.next(random);
          return pauseMs >= 100 && pauseMs <= 5_000;
        },
      ),
      { numRuns: 50 },
    );
  });
});
