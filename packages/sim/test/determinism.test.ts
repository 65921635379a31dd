/** One seed decides everything: the same seed gives the same run, down to every byte on the network. */
import { describe, expect, it } from "vitest";
import { shortRun } from "./short-run.js";

const hashOf = (seed: number): string => shortRun(seed).trace.hash;

describe("a run", () => {
  it("repeats with its seed, whatever faults that draws", () => {
    for (let seed = 1; seed <= 6; seed++) expect(hashOf(seed), `seed ${seed}`).toBe(hashOf(seed));
  });

  it("differs with another seed", () => {
    expect(new Set([1, 2, 3, 4, 5, 6, 7, 8].map(hashOf)).size).toBe(8);
  });
});
