/** Linearizable reads and transfers of the primary's role, on whole nodes: what a client sees, and who may ask. */
import { fromUtf8, parseJson, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Cluster, type SimulatedNode } from "../src/index.js";

function trio(seed: number): { cluster: Cluster; nodes: readonly [SimulatedNode, SimulatedNode, SimulatedNode] } {
  const cluster = new Cluster({ seed });
  const first = cluster.found();
  const nodes = [first, cluster.join(first), cluster.join(first)] as const;
  cluster.run(500); // and it is on record that they have taken part
  return { cluster, nodes };
}

function ask(cluster: Cluster, node: SimulatedNode, method: string, path: string, body?: object): unknown {
  const answer = cluster.ask(node, {
    method,
    path,
    ...(body === undefined ? {} : { body: utf8(JSON.stringify(body)) }),
  });
  return parseJson(fromUtf8(answer?.body ?? new Uint8Array()));
}

const put = (cluster: Cluster, node: SimulatedNode, value: number) =>
  ask(cluster, node, "PUT", "/records/k", { value });
const get = (cluster: Cluster, node: SimulatedNode, query = "") => ask(cluster, node, "GET", `/records/k${query}`);
const refused = (code: string) => ({ error: { code } });

describe("a read", () => {
  it("sees every write that was answered before, on whichever node either is asked", () => {
    const { cluster, nodes } = trio(1);
    for (let value = 1; value <= 12; value++) {
      const [writer, reader] = [nodes[value % 3], nodes[(value * 2 + 1) % 3]] as [SimulatedNode, SimulatedNode];
      expect(put(cluster, writer, value)).toMatchObject({ status: "committed" });
      expect(get(cluster, reader)).toMatchObject({ value });
    }
  });

  it("is not answered from an old state by a primary that was deposed and does not know it", () => {
    const { cluster, nodes } = trio(2);
    const [old, second, third] = nodes;
    put(cluster, old, 1);
    cluster.run(300); // its peers know of the commit, and all is quiet
    for (const peer of [second, third]) cluster.network.cut(old.id, peer.id);
    const before = cluster.nowMs;
    old.pause(); // so that it does not notice the time it was cut off
    cluster.until(() => [second, third].some(({ role }) => role === "primary"));
    const primary = second.role === "primary" ? second : third;
    expect(put(cluster, primary, 2)).toMatchObject({ status: "committed" });
    old.resume();
    expect(cluster.nowMs).toBeGreaterThan(before);
    expect(get(cluster, old, "?consistency=serializable")).toMatchObject({ value: 1 });
    expect(get(cluster, old)).toMatchObject({ error: { retryable: true } });
    expect(put(cluster, old, 1)).toMatchObject({ error: { retryable: true } }); // as it was before, so it writes nothing
    cluster.network.heal();
    cluster.until(() => old.state(cluster.nowMs)?.primary === primary.id);
    expect(get(cluster, old)).toMatchObject({ value: 2 });
  });

  it("needs a quorum, unless it may be old", () => {
    const { cluster, nodes } = trio(3);
    const [first, second, third] = nodes;
    put(cluster, first, 1);
    cluster.run(300);
    for (const node of [second, third]) node.kill();
    expect(get(cluster, first)).toMatchObject({ error: { retryable: true } });
    expect(get(cluster, first, "?consistency=serializable")).toMatchObject({ value: 1 });
  });

  it("names its consistency as it is known", () => {
    const { cluster, nodes } = trio(4);
    put(cluster, nodes[0], 1);
    expect(get(cluster, nodes[1], "?consistency=linearizable")).toMatchObject({ value: 1 });
    for (const node of nodes) expect(get(cluster, node, "?consistency=strong")).toMatchObject(refused("malformed"));
  });

  it("in quiet times costs one signature, also for a hundred clients at once; under load none", () => {
    const { cluster, nodes } = trio(5);
    const [first] = nodes;
    put(cluster, first, 1);
    cluster.run(1_000);
    const length = () => first.state(cluster.nowMs)?.lastSeqno ?? 0;
    const before = length();
    let answered = 0;
    for (let client = 0; client < 100; client++) {
      first.request({ method: "GET", path: "/records/k" }, cluster.nowMs, ({ status }) => {
        if (status === 200) answered += 1;
      });
    }
    cluster.until(() => answered === 100);
    expect(length() - before).toBeLessThanOrEqual(2);
  });
});

describe("a transfer of the primary's role", () => {
  const view = (cluster: Cluster, node: SimulatedNode) => node.state(cluster.nowMs)?.view ?? 0;

  it("makes the named node lead at once, and loses no write that is under way", () => {
    const { cluster, nodes } = trio(6);
    const [first, second] = nodes;
    const answers: number[] = [];
    for (let key = 0; key < 50; key++) {
      const request = { method: "PUT", path: `/records/k${key}`, body: utf8('{"value":1}') };
      first.request(request, cluster.nowMs, ({ status }) => answers.push(status));
    }
    const ballot = cluster.transferBallot(second.id, view(cluster, first));
    expect(cluster.ask(second, ballot)?.status).toBe(200); // a backup passes it on
    cluster.until(() => second.role === "primary", 1_000);
    cluster.until(() => answers.length === 50);
    expect(answers).toEqual(answers.map(() => 200));
    cluster.until(() => first.state(cluster.nowMs)?.primary === second.id);
    for (let key = 0; key < 50; key++) {
      expect(ask(cluster, first, "GET", `/records/k${key}`)).toMatchObject({ value: 1 });
    }
  });

  it("is the consortium's to order: without a member's signature nothing happens", () => {
    const { cluster, nodes } = trio(7);
    const [first, second] = nodes;
    const ballot = cluster.transferBallot(second.id, view(cluster, first));
    const forged = parseJson(ballot.body ?? new Uint8Array()) as { action: object; signature: string };
    const change = (parts: object) => ({ ...ballot, body: utf8(JSON.stringify({ ...forged, ...parts })) });
    const other = change({ signature: `${forged.signature.startsWith("A") ? "B" : "A"}${forged.signature.slice(1)}` });
    const elsewhere = change({ action: { ...forged.action, nodeId: nodes[2].id } });
    for (const request of [other, elsewhere]) expect(cluster.ask(first, request)?.status).toBe(403);
    cluster.run(1_000);
    expect(first.role).toBe("primary");
  });

  it("counts in the view it names alone, since ballots stand in the ledger for all to read", () => {
    const { cluster, nodes } = trio(8);
    const [first, second] = nodes;
    const there = cluster.transferBallot(second.id, view(cluster, first));
    cluster.ask(first, there);
    cluster.until(() => second.role === "primary");
    cluster.run(500);
    expect(cluster.ask(second, there)?.status).toBe(200); // it leads already
    cluster.ask(second, cluster.transferBallot(first.id, view(cluster, second)));
    cluster.until(() => first.role === "primary");
    cluster.run(500);
    expect(cluster.ask(first, there)?.status).toBe(409);
    expect(first.role).toBe("primary");
  });

  it("is refused to a node that takes no part, and to an unknown one", () => {
    const { cluster, nodes } = trio(9);
    const [first, , third] = nodes;
    cluster.remove(third, first);
    const of = view(cluster, first);
    expect(cluster.ask(first, cluster.transferBallot(third.id, of))?.status).toBe(409);
    const stranger = third.id.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) as typeof third.id; // still 64 digits
    expect(cluster.ask(first, cluster.transferBallot(stranger, of))?.status).toBe(404);
  });

  it("to a node that does not answer ends after an election timeout; until then writes wait", () => {
    const { cluster, nodes } = trio(10);
    const [first, second] = nodes;
    second.kill();
    expect(cluster.ask(first, cluster.transferBallot(second.id, view(cluster, first)))?.status).toBe(200);
    expect(put(cluster, first, 1)).toMatchObject(refused("overloaded"));
    cluster.run(6_000);
    expect(first.role).toBe("primary");
    expect(put(cluster, first, 2)).toMatchObject({ status: "committed" });
  });
});
