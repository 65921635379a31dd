import { expect, test } from "vitest";
import { ElectionTimer } from "./election-timer.js";

test("a restart leaves between half the timeout and all of it (§9.2)", () => {
  for (const [drawn, leftMs] of [
    [0, 101],
    [25, 76],
    [50, 51],
  ] as const) {
    const maxima: number[] = [];
    const random = (max: number) => {
      maxima.push(max);
      return drawn;
    };
    const timer = new ElectionTimer(101, random, 0);
    timer.restart(1_000);
    expect(maxima).toEqual([50]);
    expect(timer.reachesMs(101) - 1_000).toBe(leftMs);
    expect(timer.elapsedMs(1_010)).toBe(10 + drawn);
  }
});

test("zero means zero", () => {
  const timer = new ElectionTimer(100, () => 50, 0);
  timer.zero(30);
  expect(timer.elapsedMs(40)).toBe(10);
});
