/** A short run with faults of every kind, for tests that compare many. */
import { utf8 } from "@sealane/wire";
import { Cluster, planFaults, SeededRandom } from "../src/index.js";

const DURATION_MS = 3_000;
/** Few enough entries that a run takes some. */
const SNAPSHOT_EVERY = 8;

/** Three nodes, with snapshots in every other run, writes, and about ten faults, decided by the seed. */
export function shortRun(seed: number): Cluster {
  const cluster = new Cluster({ seed, ...(seed % 2 === 0 ? { snapshotEvery: SNAPSHOT_EVERY } : {}) });
  const first = cluster.found();
  cluster.join(first);
  cluster.join(first);
  const random = new SeededRandom(seed);
  cluster.schedule(planFaults({ random, nodes: 3, durationMs: DURATION_MS, intensity: 35 }));
  const endMs = cluster.nowMs + DURATION_MS;
  for (let write = 0; cluster.nowMs < endMs; write++) {
    const body = utf8(JSON.stringify({ value: random.u32() }));
    const node = random.pick(cluster.places);
    node.request({ method: "PUT", path: `/records/k${write}`, body }, cluster.nowMs, () => {});
    cluster.run(random.below(300));
  }
  cluster.healAll();
  cluster.run(1_000);
  return cluster;
}
