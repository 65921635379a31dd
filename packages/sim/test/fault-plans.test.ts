/** Plans of faults of every kind: no two nodes disagree, what was acknowledged stays, and once it is over everything works again. */
import { utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Cluster, FAULT_KINDS, type FaultKind, planFaults, SeededRandom } from "../src/index.js";

const DURATION_MS = 12_000;
const NODES = 3;

/** Three nodes under a plan, with writes all the time; @returns the cluster, healed and settled, and the keys of acknowledged writes. */
function endure(seed: number, kinds?: readonly FaultKind[]): { cluster: Cluster; acknowledged: string[] } {
  const cluster = new Cluster({ seed });
  const first = cluster.found();
  for (let node = 1; node < NODES; node++) cluster.join(first);
  const random = new SeededRandom(seed);
  cluster.schedule(
    planFaults({ random, nodes: NODES, durationMs: DURATION_MS, ...(kinds === undefined ? {} : { kinds }) }),
  );
  const acknowledged: string[] = [];
  const endMs = cluster.nowMs + DURATION_MS;
  for (let write = 0; cluster.nowMs < endMs; write++) {
    const key = `k${write}`;
    const node = random.pick(cluster.places);
    node.request({ method: "PUT", path: `/records/${key}`, body: utf8('{"value":1}') }, cluster.nowMs, ({ status }) => {
      if (status === 200) acknowledged.push(key);
    });
    cluster.run(random.below(300));
  }
  cluster.healAll();
  cluster.until(() => cluster.changing === 0 && cluster.primary !== undefined);
  const put = { method: "PUT", path: "/records/last", body: utf8('{"value":"last"}') };
  cluster.until(() => cluster.primary !== undefined && cluster.ask(cluster.primary, put)?.status === 200);
  cluster.run(1_000);
  return { cluster, acknowledged };
}

describe("a cluster under a plan of faults", () => {
  it.each([1, 2, 3, 4])("keeps what it acknowledged, whatever happens: seed %i", (seed) => {
    const { cluster, acknowledged } = endure(seed);
    expect(acknowledged.length).toBeGreaterThan(0);
    for (const node of cluster.places) {
      if (!node.isUp) continue;
      for (const key of acknowledged) {
        const read = cluster.ask(node, { method: "GET", path: `/records/${key}` });
        expect(read?.status, `${key} on a node`).toBe(200);
      }
    }
  });

  it("repeats with its seed", () => {
    expect(endure(5).cluster.trace.hash).toBe(endure(5).cluster.trace.hash);
  });
});

describe("a plan", () => {
  it("draws every kind, in order of time", () => {
    const plan = planFaults({ random: new SeededRandom(1), nodes: 3, durationMs: 1_000_000 });
    expect(new Set(plan.map(({ fault }) => fault.kind))).toEqual(new Set(FAULT_KINDS));
    expect(plan.every(({ atMs }, index) => atMs >= (plan[index - 1]?.atMs ?? 0))).toBe(true);
  });

  it("is plain data", () => {
    const plan = planFaults({ random: new SeededRandom(2), nodes: 5, durationMs: 100_000 });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });
});
