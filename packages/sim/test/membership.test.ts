/** Nodes come and go: what was acknowledged stays, those that left say so, and the service goes on without them. */
import { fromUtf8, parseErrorAnswer, parseJson, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Cluster, type SimulatedNode } from "../src/index.js";

function clusterOf(seed: number, size: number): { cluster: Cluster; nodes: SimulatedNode[] } {
  const cluster = new Cluster({ seed });
  const nodes = [cluster.found()];
  while (nodes.length < size) nodes.push(cluster.join(nodes[0] as SimulatedNode));
  cluster.run(500); // and it is on record that they have taken part
  return { cluster, nodes };
}

function put(cluster: Cluster, node: SimulatedNode, key: string): number | undefined {
  return cluster.ask(node, { method: "PUT", path: `/records/${key}`, body: utf8('{"value":1}') })?.status;
}

/** Puts until it is committed, at whichever node leads. */
function putAnyway(cluster: Cluster, key: string): void {
  cluster.until(() => {
    const { primary } = cluster;
    return primary !== undefined && put(cluster, primary, key) === 200;
  });
}

function phase(cluster: Cluster, node: SimulatedNode): string | undefined {
  return node.state(cluster.nowMs)?.phase;
}

function refusal(cluster: Cluster, node: SimulatedNode, method: string, path: string, body?: Uint8Array): string {
  const answer = cluster.ask(node, { method, path, ...(body === undefined ? {} : { body }) });
  return parseErrorAnswer(parseJson(answer?.body ?? new Uint8Array())).error.code;
}

describe("removing a node", () => {
  it("ends a backup's part: it knows, says so, and has no peers; the others have forgotten it", () => {
    const { cluster, nodes } = clusterOf(1, 3);
    const [first, second, third] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
    expect(put(cluster, third, "before")).toBe(200);
    cluster.remove(third, first);
    expect(phase(cluster, third)).toBe("retired"); // it was told, and did not have to ask
    cluster.run(2_000);
    expect(third.state(cluster.nowMs)).toMatchObject({ role: "none", primary: null, channels: [] });
    expect(refusal(cluster, third, "PUT", "/records/after", utf8('{"value":1}'))).toBe("retired");
    expect(refusal(cluster, third, "GET", "/records/before")).toBe("retired");
    for (const node of [first, second]) {
      const state = node.state(cluster.nowMs);
      expect(state?.channels).toHaveLength(1);
      expect(state?.nodes.find(({ id }) => id === third.id)).toMatchObject({
        status: "retired",
        retiredCommitted: true,
      });
    }
    third.kill();
    expect(put(cluster, second, "after")).toBe(200);
  });

  it("hands the service over when the primary is removed, without waiting for an election timeout", () => {
    const { cluster, nodes } = clusterOf(2, 3);
    const [first, second, third] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
    const view = first.state(cluster.nowMs)?.view ?? 0;
    cluster.remove(first, first);
    expect(phase(cluster, first)).toBe("retired");
    cluster.until(() => cluster.primary !== undefined, 450); // half of the least election timeout
    expect([second, third]).toContain(cluster.primary);
    expect(cluster.primary?.state(cluster.nowMs)?.view).toBe(view + 1);
    first.kill();
    putAnyway(cluster, "after");
  });

  it("goes on when a removed primary dies between the two entries of its retirement", () => {
    const { cluster, nodes } = clusterOf(3, 3);
    const [first, second] = nodes as [SimulatedNode, SimulatedNode];
    // The answer comes with the commit of the first entry, and the second one is written after it.
    let status: number | undefined;
    first.request(cluster.ballotFor(first.id, "remove-node"), cluster.nowMs, (answer) => {
      status = answer.status;
      first.kill();
    });
    cluster.until(() => !first.isUp);
    expect(status).toBe(200);
    putAnyway(cluster, "after");
    cluster.until(
      () => second.state(cluster.nowMs)?.nodes.find(({ id }) => id === first.id)?.retiredCommitted === true,
    );
  });

  it("removes a node that is down, which comes back, disturbs nobody, and is told by asking", () => {
    const { cluster, nodes } = clusterOf(4, 3);
    const [first, second, third] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
    third.kill();
    cluster.remove(third, second);
    const before = first.state(cluster.nowMs);
    third.restart(cluster.nowMs);
    cluster.run(10_000);
    expect(first.state(cluster.nowMs)).toMatchObject({ view: before?.view, role: "primary" });
    expect(first.state(cluster.nowMs)?.channels).toHaveLength(1);
    expect(third.state(cluster.nowMs)).toMatchObject({ phase: "retired", role: "none", channels: [] });
    expect(put(cluster, second, "after")).toBe(200);
  });

  it("hears nothing from a removed node that was not told, and so is not disturbed by it", () => {
    const { cluster, nodes } = clusterOf(15, 3);
    const [first, , third] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
    const view = first.state(cluster.nowMs)?.view;
    first.request(cluster.ballotFor(third.id, "remove-node"), cluster.nowMs, ({ status }) => expect(status).toBe(200));
    cluster.until(() => first.state(cluster.nowMs)?.nodes.some(({ retiredCommitted }) => retiredCommitted) === true);
    cluster.network.cut(first.id, third.id, "both"); // what was to tell it is lost
    cluster.run(20);
    cluster.network.heal();
    cluster.until(() => third.state(cluster.nowMs)?.role === "candidate");
    cluster.until(() => phase(cluster, third) === "retired", 5_000);
    expect(first.state(cluster.nowMs)).toMatchObject({ view, role: "primary" });
  });

  it("brings a node back that was down while all it knew were replaced, as long as one of them still answers", () => {
    const { cluster, nodes } = clusterOf(14, 3);
    const [first, second, third] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
    third.kill();
    const [fourth, fifth] = [cluster.join(first), cluster.join(first)];
    cluster.run(500);
    cluster.remove(second, fourth);
    second.kill();
    cluster.remove(first, fourth);
    putAnyway(cluster, "meanwhile");
    third.restart(cluster.nowMs);
    cluster.until(() => third.state(cluster.nowMs)?.role === "backup" && cluster.primary !== undefined, 10_000);
    cluster.until(() => third.state(cluster.nowMs)?.committed === fifth.state(cluster.nowMs)?.committed, 10_000);
    first.kill();
    fourth.kill(); // the third is needed now
    putAnyway(cluster, "after");
  });

  it("is final across a restart", () => {
    const { cluster, nodes } = clusterOf(5, 2);
    const [first, second] = nodes as [SimulatedNode, SimulatedNode];
    cluster.remove(second, first);
    cluster.until(() => phase(cluster, second) === "retired");
    cluster.run(100);
    second.kill();
    second.restart(cluster.nowMs);
    cluster.until(() => phase(cluster, second) === "retired", 5_000); // from its log, or else by asking
    expect(put(cluster, first, "after")).toBe(200);
  });
});

describe("replacing nodes", () => {
  it.each([6, 7, 8, 9])("one by one until none is left of the first ones, under load: seed %i", (seed) => {
    const { cluster, nodes } = clusterOf(seed, 3);
    cluster.network.setFaults({ loss: 0.02, duplicate: 0.02, reorder: 0.02, reorderMs: 20, delayMs: [1, 10] });
    const acknowledged = new Set<string>();
    let asked = 0;
    const load = (): void => {
      for (const node of cluster.nodes.filter(({ isUp }) => isUp)) {
        const key = `k${asked++}`;
        node.request(
          { method: "PUT", path: `/records/${key}`, body: utf8(JSON.stringify({ value: key })) },
          cluster.nowMs,
          ({ status }) => {
            if (status === 200) acknowledged.add(key);
          },
        );
      }
      cluster.run(20);
    };
    for (const old of nodes) {
      for (let round = 0; round < 10; round++) load();
      cluster.until(() => cluster.primary !== undefined);
      cluster.join(cluster.primary as SimulatedNode);
      load();
      cluster.remove(old, cluster.nodes.find((node) => node.isUp && node !== old) as SimulatedNode);
      for (let round = 0; round < 3; round++) load();
      cluster.run(1_500);
      old.kill(); // nothing may depend on it any more
    }
    putAnyway(cluster, "last");
    cluster.run(2_000);
    expect(acknowledged.size).toBeGreaterThan(60);
    const left = cluster.nodes.filter(({ isUp }) => isUp);
    expect(left).toHaveLength(3);
    for (const node of left) {
      for (const key of [...acknowledged, "last"]) {
        const read = cluster.ask(node, { method: "GET", path: `/records/${key}` });
        expect(read?.status, `${key}: ${fromUtf8(read?.body ?? new Uint8Array())}`).toBe(200);
      }
    }
  });

  it("all at once: ballots that leave no node of the old set are counted before the first of them commits", () => {
    const { cluster, nodes } = clusterOf(10, 3);
    const [first] = nodes as [SimulatedNode];
    const fresh = [cluster.join(first), cluster.join(first), cluster.join(first)];
    putAnyway(cluster, "before");
    const answers: number[] = [];
    for (const old of nodes) {
      first.request(cluster.ballotFor(old.id, "remove-node"), cluster.nowMs, ({ status }) => answers.push(status));
    }
    cluster.until(() => answers.length === 3);
    expect(answers).toEqual([200, 200, 200]);
    cluster.until(() => fresh.includes(cluster.primary as SimulatedNode));
    cluster.until(() => nodes.every((node) => phase(cluster, node) === "retired"));
    for (const node of nodes) node.kill();
    putAnyway(cluster, "after");
    for (const node of fresh)
      expect(node.state(cluster.nowMs)?.nodes.filter(({ status }) => status === "trusted")).toHaveLength(3);
  });
});

describe("a loss right after a change", () => {
  /** As it would come back: knowing that the last reconfiguration is committed. */
  const noted = ({ replication, disk }: SimulatedNode): boolean =>
    (replication?.configurations[0]?.seqno ?? Number.POSITIVE_INFINITY) <= disk.hardState.commitSeqno;

  it.each([20, 21, 22, 23, 24, 25])(
    "two become three, and one of the two is lost for ever as the power fails: seed %i",
    (seed) => {
      const cluster = new Cluster({ seed });
      const nodes = [cluster.found()];
      while (nodes.length < 3) nodes.push(cluster.join(nodes[0] as SimulatedNode));
      cluster.until(() => nodes.every(noted), 3 * 100); // without a write: three heartbeats
      for (const node of nodes) node.kill();
      const lost = nodes[seed % 2];
      const left = nodes.filter((node) => node !== lost);
      for (const node of left) node.restart(cluster.nowMs);
      cluster.until(() => left.some((node) => node.role === "primary"), 3 * 1_000);
      putAnyway(cluster, "after");
    },
  );
});

describe("what the service refuses", () => {
  it("removing its only node, or so many that too few are left that have taken part", () => {
    const { cluster, nodes } = clusterOf(11, 1);
    const [first] = nodes as [SimulatedNode];
    const remove = (node: { readonly id: SimulatedNode["id"] }): number | undefined =>
      cluster.ask(first, cluster.ballotFor(node.id, "remove-node"))?.status;
    expect(remove(first)).toBe(409);
    const second = cluster.join(first);
    second.kill();
    cluster.until(() => cluster.primary === undefined);
    second.restart(cluster.nowMs);
    putAnyway(cluster, "x");
    expect(remove(second)).toBe(200);
    expect(remove(first)).toBe(409);
  });

  it("to trust a removed id again", () => {
    const { cluster, nodes } = clusterOf(12, 3);
    const [first, , third] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
    cluster.remove(third, first);
    expect(cluster.ask(first, cluster.ballotFor(third.id, "trust-node"))?.status).toBe(409);
    expect(cluster.ask(first, cluster.ballotFor(third.id, "remove-node"))?.status).toBe(200); // done before
  });
});

describe("a node that was cut off", () => {
  it("asks before it campaigns, so that it deposes nobody when it is back", () => {
    const { cluster, nodes } = clusterOf(13, 3);
    const [first, second, third] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
    const view = first.state(cluster.nowMs)?.view;
    for (const other of [first, second]) cluster.network.cut(third.id, other.id, "both");
    expect(put(cluster, first, "meanwhile")).toBe(200);
    cluster.until(() => third.state(cluster.nowMs)?.role === "candidate");
    cluster.run(10_000);
    expect(third.state(cluster.nowMs)?.view).toBe(view);
    cluster.network.heal();
    cluster.until(() => third.state(cluster.nowMs)?.role === "backup");
    cluster.run(5_000);
    for (const node of nodes) expect(node.state(cluster.nowMs)).toMatchObject({ view, primary: first.id });
  });

  it("deposes the primary where pre-votes are switched off", () => {
    const cluster = new Cluster({ seed: 13, voting: { preVote: false } });
    const first = cluster.found();
    const third = [cluster.join(first), cluster.join(first)][1] as SimulatedNode;
    const view = first.state(cluster.nowMs)?.view ?? 0;
    for (const other of cluster.nodes) if (other !== third) cluster.network.cut(third.id, other.id, "both");
    expect(put(cluster, first, "meanwhile")).toBe(200);
    cluster.run(10_000);
    cluster.network.heal();
    cluster.run(5_000);
    expect(first.state(cluster.nowMs)?.view).toBeGreaterThan(view);
  });
});
