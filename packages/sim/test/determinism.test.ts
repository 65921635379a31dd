/** One seed decides everything: the same seed gives the same run, down to every byte on the network. */
import { utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Cluster } from "../src/index.js";

/** Three nodes, faults, writes, a crash and a return; @returns the run's hash. */
function run(seed: number): string {
  const cluster = new Cluster({ seed });
  const first = cluster.found();
  const second = cluster.join(first);
  cluster.join(first);
  cluster.network.setFaults({ loss: 0.05, duplicate: 0.05, reorder: 0.05, reorderMs: 20, delayMs: [1, 10] });
  for (let write = 0; write < 5; write++) {
    const node = cluster.nodes[cluster.random.below(3)] ?? first;
    const body = utf8(JSON.stringify({ value: cluster.random.u32() }));
    node.request({ method: "PUT", path: `/records/k${write}`, body }, cluster.nowMs, () => {});
    cluster.run(cluster.random.below(300));
  }
  second.kill();
  cluster.run(500);
  second.restart(cluster.nowMs);
  cluster.run(2_000);
  return cluster.trace.hash;
}

describe("a run", () => {
  it("repeats with its seed", () => {
    for (let seed = 1; seed <= 20; seed++) expect(run(seed), `seed ${seed}`).toBe(run(seed));
  });

  it("differs with another seed", () => {
    expect(new Set([1, 2, 3, 4, 5, 6, 7, 8].map(run)).size).toBe(8);
  });
});
