import { expect, test } from "vitest";
import { Backoff } from "./backoff.js";

test("pauses double from the least to the most, half of each by chance, and start over after reset", () => {
  const longest = new Backoff({ minMs: 100, maxMs: 5000 }, () => 1);
  const pauses = Array.from({ length: 9 }, () => longest.nextMs());
  expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  const shortest = new Backoff({ minMs: 100, maxMs: 5000 }, () => 0);
  expect([shortest.nextMs(), shortest.nextMs()]).toEqual([50, 100]);
  longest.reset();
  expect(longest.nextMs()).toBe(100);
});

test("stays at the most however often it is asked", () => {
  const backoff = new Backoff({ minMs: 1, maxMs: 10 }, () => 1);
  for (let attempt = 0; attempt < 2000; attempt++) backoff.nextMs();
  expect(backoff.nextMs()).toBe(10);
});

test.each([
  { minMs: -1, maxMs: 1 },
  { minMs: 2, maxMs: 1 },
  { minMs: 0, maxMs: Number.POSITIVE_INFINITY },
])("refuses %j", (options) => {
  expect(() => new Backoff(options, Math.random)).toThrow(RangeError);
});
