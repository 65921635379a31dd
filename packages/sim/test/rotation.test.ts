/** The ledger secret changes while nodes write, join, fail and come back (ledger spec §11.1). */
import { fromUtf8, parseNetworkState, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Cluster, type SimulatedNode } from "../src/index.js";

function put(cluster: Cluster, node: SimulatedNode, key: string, value: unknown = 1): number | undefined {
  return cluster.ask(node, { method: "PUT", path: `/records/${key}`, body: utf8(JSON.stringify({ value })) })?.status;
}

function get(cluster: Cluster, node: SimulatedNode, key: string): unknown {
  const answer = cluster.ask(node, { method: "GET", path: `/records/${key}` });
  return answer?.status === 200 ? JSON.parse(fromUtf8(answer.body)).value : undefined;
}

function primaryOf(cluster: Cluster): SimulatedNode {
  cluster.until(() => cluster.primary !== undefined);
  const { primary } = cluster;
  if (primary === undefined) throw new Error("there is one");
  return primary;
}

/** Until every node that is up has all that is committed. */
function settle(cluster: Cluster): void {
  cluster.until(() => cluster.primary !== undefined);
  cluster.run(3_000);
}

function three(seed: number): { cluster: Cluster; nodes: readonly SimulatedNode[] } {
  const cluster = new Cluster({ seed });
  const first = cluster.found();
  cluster.join(first);
  cluster.join(first);
  return { cluster, nodes: cluster.nodes };
}

/** Before the first rotation a node keeps nothing that its configuration does not say. */
const kept = (node: SimulatedNode): number => node.disk.secrets?.length ?? 1;

describe("changing the ledger secret", () => {
  it("gives every node the new secret, and leaves what was written readable", () => {
    const { cluster, nodes } = three(1);
    for (let round = 0; round < 3; round++) {
      expect(put(cluster, primaryOf(cluster), `before${round}`)).toBe(200);
      cluster.rotateSecret(primaryOf(cluster));
      expect(put(cluster, primaryOf(cluster), `after${round}`)).toBe(200);
    }
    settle(cluster);
    for (const node of nodes) {
      expect(kept(node)).toBe(4);
      for (let round = 0; round < 3; round++) {
        expect(get(cluster, node, `before${round}`)).toBe(1);
        expect(get(cluster, node, `after${round}`)).toBe(1);
      }
    }
    const secrets = nodes.map(({ disk }) => JSON.stringify(disk.secrets?.map(({ from, key }) => [from, [...key]])));
    expect(new Set(secrets).size).toBe(1);
  });

  it("tells a joiner the secrets up to its trust; later ones reach it in the ledger", () => {
    const { cluster, nodes } = three(2);
    const first = nodes[0];
    if (first === undefined) throw new Error("three nodes");
    cluster.rotateSecret(primaryOf(cluster));
    put(cluster, primaryOf(cluster), "early");
    const joiner = cluster.join(primaryOf(cluster));
    cluster.rotateSecret(primaryOf(cluster));
    put(cluster, primaryOf(cluster), "late");
    settle(cluster);
    expect([get(cluster, joiner, "early"), get(cluster, joiner, "late")]).toEqual([1, 1]);
    expect(joiner.disk.secrets?.map(({ isLearned }) => isLearned === true)).toEqual([false, false, true]);
    joiner.kill();
    joiner.restart(cluster.nowMs);
    put(cluster, primaryOf(cluster), "again");
    settle(cluster);
    expect(get(cluster, joiner, "again")).toBe(1);
  });

  it("is taken back with the primary that never committed it, and the next one's is another", () => {
    for (let seed = 10; seed < 18; seed++) {
      const { cluster, nodes } = three(seed);
      const old = primaryOf(cluster);
      settle(cluster);
      for (const node of nodes) if (node !== old) cluster.network.cut(old.id, node.id, "both");
      rotateUncommitted(cluster, old);
      cluster.until(() => cluster.primary !== old && cluster.primary !== undefined);
      if (seed % 2 === 0) cluster.rotateSecret(primaryOf(cluster));
      expect(put(cluster, primaryOf(cluster), "after")).toBe(200);
      if (seed % 4 === 0) {
        old.kill(); // with the secret that nobody else has on its disk
        old.restart(cluster.nowMs);
      }
      cluster.network.heal();
      settle(cluster);
      cluster.until(() => get(cluster, old, "after") === 1);
      cluster.rotateSecret(primaryOf(cluster));
      put(cluster, primaryOf(cluster), "last");
      settle(cluster);
      for (const node of nodes) {
        node.kill();
        node.restart(cluster.nowMs);
      }
      settle(cluster);
      put(cluster, primaryOf(cluster), "very-last");
      settle(cluster);
      for (const node of nodes) expect([seed, get(cluster, node, "last")]).toEqual([seed, 1]);
      const starts = nodes.map(({ disk }) => disk.secrets?.map(({ from }) => from).join());
      expect([seed, new Set(starts).size]).toEqual([seed, 1]);
    }
  });

  it.each(Array.from({ length: 10 }, (_, index) => 100 + index))("loses nothing under faults: seed %i", (seed) => {
    const { cluster, nodes } = three(seed);
    cluster.network.setFaults({ loss: 0.05, duplicate: 0.05, reorder: 0.05, reorderMs: 30, delayMs: [1, 20] });
    for (const { disk } of nodes) disk.latencyMs = [1, 60];
    const acknowledged = new Set<string>();
    let rotations = 0;
    for (let step = 0; step < 60; step++) {
      const node = nodes[cluster.random.below(nodes.length)];
      if (node === undefined) throw new Error("a node");
      const dice = cluster.random.float();
      if (dice < 0.5 && node.isUp) {
        const body = utf8(JSON.stringify({ value: step }));
        node.request({ method: "PUT", path: `/records/k${step}`, body }, cluster.nowMs, ({ status }) => {
          if (status === 200) acknowledged.add(`k${step}`);
        });
      } else if (dice < 0.65 && node.isUp) {
        rotateUncommitted(cluster, node, (status) => {
          if (status === 200) rotations += 1;
        });
      } else if (dice < 0.75) {
        if (node.isUp) node.kill(cluster.random.pick(["lost-suffix", "torn-write", "reordered-writes"]));
        else expect(node.restart(cluster.nowMs)).toBe("up");
      } else if (dice < 0.83) {
        const other = nodes[cluster.random.below(nodes.length)];
        if (other !== undefined && other !== node)
          cluster.network.cut(node.id, other.id, dice < 0.79 ? "both" : "one-way");
      } else if (dice < 0.92) cluster.network.heal();
      cluster.run(cluster.random.below(400));
    }
    expect(acknowledged.size).toBeGreaterThan(0);
    expect(rotations).toBeGreaterThan(0);
    cluster.network.heal();
    cluster.network.setFaults({ loss: 0, duplicate: 0, reorder: 0, delayMs: [1, 2] });
    for (const node of nodes) if (!node.isUp) node.restart(cluster.nowMs);
    settle(cluster);
    cluster.rotateSecret(primaryOf(cluster));
    expect(put(cluster, primaryOf(cluster), "last")).toBe(200);
    settle(cluster);
    for (const node of nodes) {
      node.kill();
      node.restart(cluster.nowMs);
    }
    settle(cluster);
    put(cluster, primaryOf(cluster), "very-last");
    settle(cluster);
    for (const node of nodes) {
      const missing = [...acknowledged, "last", "very-last"].filter((key) => get(cluster, node, key) === undefined);
      expect(missing).toEqual([]);
    }
  });
});

/** Casts the ballot at a node and does not wait for what becomes of it. */
function rotateUncommitted(cluster: Cluster, node: SimulatedNode, answered: (status: number) => void = () => {}): void {
  node.request({ method: "GET", path: "/node/network" }, cluster.nowMs, ({ status, body }) => {
    if (status !== 200) return;
    const { ledgerSecretSeqno } = parseNetworkState(JSON.parse(fromUtf8(body)));
    node.request(cluster.rotationOf(ledgerSecretSeqno), cluster.nowMs, (answer) => answered(answer.status));
  });
  cluster.run(5);
}
