/** Random faults over a real cluster: what was acknowledged is never lost, and once the faults stop everything works again. */
import { nativeSuite } from "@sealane/crypto/native";
import { fromUtf8, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Cluster, type SimulatedNode } from "../src/index.js";

const STEPS = 60;

/** Writes, kills, restarts, cuts and heals at random; @returns the keys whose write was answered as committed. */
function disturb(cluster: Cluster): Set<string> {
  const acknowledged = new Set<string>();
  const pick = (): SimulatedNode => {
    const node = cluster.nodes[cluster.random.below(cluster.nodes.length)];
    if (node === undefined) throw new Error("a cluster has nodes");
    return node;
  };
  for (let step = 0; step < STEPS; step++) {
    const node = pick();
    const dice = cluster.random.float();
    if (dice < 0.6 && node.isUp) {
      const key = `k${step}`;
      node.request(
        { method: "PUT", path: `/records/${key}`, body: utf8(JSON.stringify({ value: step })) },
        cluster.nowMs,
        ({ status }) => {
          if (status === 200) acknowledged.add(key);
        },
      );
    } else if (dice < 0.7) {
      if (node.isUp) node.kill();
      else node.restart(cluster.nowMs);
    } else if (dice < 0.8) {
      const other = pick();
      if (other !== node) cluster.network.cut(node.id, other.id, dice < 0.75 ? "both" : "one-way");
    } else if (dice < 0.9) cluster.network.heal();
    cluster.run(cluster.random.below(400));
  }
  return acknowledged;
}

describe("a cluster under faults", () => {
  it.each(Array.from({ length: 4 }, (_, index) => index + 1))(
    "loses nothing it acknowledged, and recovers: seed %i",
    (seed) => {
      const cluster = new Cluster({ seed, suite: nativeSuite });
      const first = cluster.found();
      cluster.join(first);
      cluster.join(first);
      cluster.network.setFaults({ loss: 0.05, duplicate: 0.05, reorder: 0.05, reorderMs: 30, delayMs: [1, 20] });
      const acknowledged = disturb(cluster);
      expect(acknowledged.size).toBeGreaterThan(0);

      cluster.network.heal();
      cluster.network.setFaults({ loss: 0, duplicate: 0, reorder: 0, delayMs: [1, 2] });
      for (const node of cluster.nodes) if (!node.isUp) node.restart(cluster.nowMs);
      cluster.until(() => cluster.primary !== undefined);
      cluster.run(5_000);
      const primary = cluster.primary;
      if (primary === undefined) throw new Error(`seed ${seed}: no primary`);
      const answer = cluster.ask(primary, { method: "PUT", path: "/records/last", body: utf8('{"value":"last"}') });
      expect(answer?.status).toBe(200);
      cluster.run(1_000);
      for (const node of cluster.nodes) {
        for (const key of [...acknowledged, "last"]) {
          const read = cluster.ask(node, { method: "GET", path: `/records/${key}?consistency=serializable` });
          expect(read?.status, `seed ${seed}: ${key} on a node`).toBe(200);
        }
        const { committed } = node.state(cluster.nowMs) ?? {};
        expect(committed).toBe(primary.state(cluster.nowMs)?.committed);
      }
      expect(JSON.parse(fromUtf8(answer?.body ?? new Uint8Array()))).toMatchObject({ status: "committed" });
    },
  );
});
