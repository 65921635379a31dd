import { describe, expect, it } from "vitest";
import { RateLimiter } from "./rate-limiter.js";

describe("RateLimiter", () => {
  it("allows the burst at once and refuses the next", () => {
    const limiter = new RateLimiter(10, 20);
    const taken = Array.from({ length: 25 }, () => limiter.take(1_000));
    expect(taken.filter(Boolean)).toHaveLength(20);
    expect(taken.slice(20)).toEqual([false, false, false, false, false]);
  });

  it("refills at its rate, and refused events cost nothing", () => {
    const limiter = new RateLimiter(10, 20);
    for (let i = 0; i < 1_000; i++) limiter.take(0);
    expect(limiter.take(99)).toBe(false);
    expect(limiter.take(100)).toBe(true);
    expect(limiter.take(100)).toBe(false);
    expect(Array.from({ length: 30 }, () => limiter.take(1_100)).filter(Boolean)).toHaveLength(10);
  });

  it("loses nothing to rounding when asked often", () => {
    const limiter = new RateLimiter(10, 1);
    limiter.take(0);
    const taken = Array.from({ length: 10_000 }, (_, index) => limiter.take(index + 1));
    expect(taken.filter(Boolean)).toHaveLength(100);
  });

  it("never holds more than the burst, however long it rests", () => {
    const limiter = new RateLimiter(10, 20);
    limiter.take(0);
    expect(Array.from({ length: 50 }, () => limiter.take(1e9)).filter(Boolean)).toHaveLength(20);
  });

  it("gains nothing from a clock that steps back and forth", () => {
    const limiter = new RateLimiter(10, 1);
    expect(limiter.take(1_000)).toBe(true);
    expect(limiter.take(0)).toBe(false);
    expect(limiter.take(1_000)).toBe(false);
  });
});
