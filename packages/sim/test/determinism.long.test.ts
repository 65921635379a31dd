/** A thousand seeds, each run twice. */

import { expect, it } from "vitest";
import { FAULT_KINDS } from "../src/index.js";
import { shortRun } from "./short-run.js";

const SEEDS = 1_000;

it(`a run repeats with its seed: ${SEEDS} seeds`, { timeout: 900_000 }, () => {
  const reached = new Set<string>();
  const hashes = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const cluster = shortRun(seed);
    expect(shortRun(seed).trace.hash, `seed ${seed}`).toBe(cluster.trace.hash);
    hashes.add(cluster.trace.hash);
    for (const kind of cluster.reached.keys()) reached.add(kind);
  }
  expect(hashes.size).toBe(SEEDS);
  expect(reached).toEqual(new Set(FAULT_KINDS));
});
