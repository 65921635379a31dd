/** Consensus specification §10 to §12 at their edges: who is told of a change, who succeeds whom, and what a restart finds of it. */
import { type NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { type Entry, type Output, type ReplicaOptions, replayLog } from "../src/index.js";
import { a, appendEntries, Bench, b, c, d, e, entry, log, response, sent } from "./support/bench.js";

const peersIn = (outputs: readonly Output[]) => outputs.flatMap((each) => (each.type === "peers" ? [each.nodes] : []));
const cleanupsIn = (outputs: readonly Output[]) => outputs.filter(({ type }) => type === "cleanup-retired");
const receive = (node: Bench, from: NodeId, at: number) =>
  node.handle({ type: "message", from, message: node.ack(at) });

/** a leads {a,b,c} and has removed c; the removal is committed. */
function withoutC(options: Partial<ReplicaOptions> = {}): Bench {
  const node = Bench.primary(a, log("2 2s", [a, b, c]), [b], { commit: 2, ...options });
  node.write({ configuration: [a, b] }, { signature: true });
  node.receive(b, node.ack(4));
  return node;
}

/** a leads, is removed from its own service, and the removal is committed. */
function removingItself(options: Partial<ReplicaOptions> = {}): Bench {
  const node = Bench.primary(a, log("2 2s", [a, b, c, d]), [b, c], { commit: 2, ...options });
  node.write({ configuration: [b, c, d] }, { signature: true });
  for (const from of [b, c, d]) node.receive(from, node.ack(4));
  expect(node.replica.retirementPhase).toBe("completed");
  return node;
}

const successors = (outputs: readonly Output[]) =>
  sent(outputs).flatMap(({ to, message }) => (message.type === "propose-request-vote" ? [to] : []));

describe("§10 who is told", () => {
  test("peers are reported when one is added or goes, and not otherwise", () => {
    const node = Bench.primary(a, log("2 2s", [a, b, c]), [b], { commit: 2 });
    expect(peersIn(node.write({ configuration: [a, b, d] }))).toEqual([[b, c, d]]);
    expect(peersIn(node.write({ configuration: [a, b] }, { signature: true }))).toEqual([]); // c and d must learn of it
    expect(peersIn([...receive(node, b, 5), ...receive(node, d, 5)])).toEqual([]);
    expect(node.replica.removedNodes).toEqual([c, d]);
    node.write({ retired: [c] }, { signature: true });
    expect(peersIn(receive(node, b, 7))).toEqual([[b, d]]);
  });

  test("an entry that retires a member takes no record, and there is nothing to report", () => {
    const node = Bench.primary(a, log("2 2s", [a, b, c]), [b], { commit: 2 });
    node.write({ retired: [c] }, { signature: true });
    expect(peersIn(receive(node, b, 4))).toEqual([]);
  });

  test("a configuration equal to the newest changes nothing", () => {
    const node = Bench.primary(a, log("2 2s", [a, b, c]), [b], { commit: 2 });
    expect(sent(node.write({ configuration: [c, b, a] }))).toEqual([]);
    expect([node.replica.configurations.length, node.replica.lastSeqno]).toEqual([1, 3]);
  });
});

describe("§11.3, §11.4 the second entry", () => {
  test("is asked for when the removal is committed, once in a view", () => {
    const node = withoutC();
    expect(cleanupsIn(node.outputs)).toEqual([{ type: "cleanup-retired", nodes: [c] }]);
    node.write({ signature: true });
    expect(cleanupsIn(receive(node, b, 5))).toEqual([]);
  });

  test("is the primary's business alone, as is telling the retired", () => {
    const node = new Bench(b, { tellRetired: true });
    const entries = [
      ...log("2 2s", [a, b, c]),
      entry(2, 3, { configuration: [a, b] }),
      entry(2, 4, { signature: true }),
      entry(2, 5, { retired: [c], signature: true }),
    ];
    const [message, behind] = appendEntries(2, entries, 0, 5, 5);
    const outputs = node.handle({ type: "message", from: a, message, entries: behind });
    expect(node.replica.commitSeqno).toBe(5);
    expect(cleanupsIn(outputs)).toEqual([]);
    expect(sent(outputs)).toEqual([{ to: a, message: response(2, 5, true) }]);
  });

  test("the retired are told only where that was asked for, and a node does not write to itself", () => {
    const told = (node: Bench) => {
      node.write({ retired: [c] }, { signature: true });
      node.tick(10);
      return sent(receive(node, b, 6)).map(({ to }) => to);
    };
    expect(told(withoutC())).toEqual([]);
    expect(told(withoutC({ tellRetired: true }))).toEqual([c]);
    const itself = removingItself({ tellRetired: true });
    itself.write({ retired: [a] }, { signature: true });
    for (const from of [b, c]) itself.receive(from, itself.ack(6));
    expect(itself.replica.retirementPhase).toBe("retired-committed");
  });
});

describe("§11.5 the successor of a primary that retires", () => {
  test("is who holds most", () => {
    const node = removingItself();
    node.write({ retired: [a] }, { signature: true });
    expect(successors([...receive(node, c, 6), ...receive(node, d, 6)])).toEqual([c]); // b, the lowest, has 4 entries
  });

  test("of those with as much the one in the newest configuration, of those the lowest", () => {
    const node = removingItself();
    node.write({ retired: [a] }, { signature: true }, { configuration: [c, d] });
    expect(successors([b, c, d].flatMap((from) => receive(node, from, 6)))).toEqual([c]);
  });

  test("holding more counts for more than the newest configuration", () => {
    const node = removingItself();
    node.write({ retired: [a] }, { signature: true }, { configuration: [c, d] });
    const outputs = [receive(node, b, 7), receive(node, c, 6), receive(node, d, 6)].flat();
    expect(successors(outputs)).toEqual([b]);
  });

  test("is named by a primary alone", () => {
    const node = new Bench(c);
    const entries = [
      ...log("2 2s", [a, b, c]),
      entry(2, 3, { configuration: [a, b], signature: true }),
      entry(2, 4, { retired: [c], signature: true }),
    ];
    expect(node.receive(a, ...appendEntries(2, entries, 0, 4, 4))).toEqual([{ to: a, message: response(2, 4, true) }]);
    expect([node.replica.role, node.replica.retirementPhase]).toEqual(["none", "retired-committed"]);
  });

  test("gets no more from a primary that has retired, whatever is still unsent", () => {
    const node = removingItself({ inFlightBytesMax: 1_000_000 });
    node.write({ retired: [a] }, { signature: true });
    node.receive(c, node.ack(6));
    node.write({}, {});
    expect(sent(receive(node, d, 6)).map(({ message }) => message.type)).toEqual(["propose-request-vote"]);
  });
});

describe("§12 start and join", () => {
  test("a node that is retired for good starts no service and has no role", () => {
    const entries = [
      ...log("2 2s", [a, b]),
      entry(2, 3, { configuration: [b], signature: true }),
      entry(2, 4, { retired: [a], signature: true }),
    ];
    const node = Bench.restored(a, entries, { commit: 4 });
    expect([node.replica.role, node.replica.retirementPhase]).toEqual(["none", "retired-committed"]);
    node.handle({ type: "start" });
    expect(node.replica.role).toBe("none");
  });

  test("a joiner has the configurations it was told, or none", () => {
    const join = {
      type: "join",
      seqno: seqno(40),
      view: view(5),
      viewHistory: [{ view: view(2), seqno: seqno(1) }],
    } as const;
    const told = new Bench(b);
    const outputs = told.handle({ ...join, configurations: [{ seqno: seqno(3), nodes: [a, b] }] });
    expect(told.replica.configurations).toEqual([{ seqno: 3, nodes: [a, b] }]);
    expect(peersIn(outputs)).toEqual([[a]]);
    const untold = new Bench(b);
    expect(peersIn(untold.handle(join))).toEqual([]);
    expect([untold.replica.configurations, untold.replica.durableSeqno]).toEqual([[], 40]);
  });

  test("a restart reports what it finds with the outputs of its first input", () => {
    const node = Bench.restored(a, log("2 2s", [a, b]), { commit: 2 });
    expect(node.handle({ type: "tick" }).slice(0, 2)).toEqual([
      { type: "peers", nodes: [b] },
      { type: "role", role: "backup", view: 2, primary: undefined },
    ]);
  });
});

describe("§3.1 what a replay finds", () => {
  const replay = (id: NodeId, entries: readonly Entry[], commit = 0, votedFor?: NodeId) =>
    replayLog({ id, hardState: { view: view(2), votedFor }, commitSeqno: seqno(commit), entries });
  /** c goes at 3, d at 5. */
  const removals = [
    ...log("2 2s", [a, b, c, d]),
    entry(2, 3, { configuration: [a, b, d] }),
    entry(2, 4, { signature: true }),
    entry(2, 5, { configuration: [a, b] }),
    entry(2, 6, { signature: true }),
  ];

  test("the vote of the view, if the last entry is of that view", () => {
    expect(replay(a, log("2 2s", [a, b]), 2, b).hardState).toEqual({ view: 2, votedFor: b });
  });

  test("a second entry shows the removal that it speaks of to be committed, and no later one", () => {
    expect(replay(a, [...removals, entry(2, 7, { retired: [c] })])).toMatchObject({ commitSeqno: 4, removed: [c] });
    expect(replay(a, [...removals, entry(2, 7, { retired: [c, d] })])).toMatchObject({
      commitSeqno: 6,
      removed: [c, d],
    });
  });

  test("one that speaks of nobody's removal shows nothing", () => {
    for (const retired of [[e], [a]]) expect(replay(a, [...removals, entry(2, 7, { retired })]).commitSeqno).toBe(0);
  });

  test("the own retirement for what it is, not by another's", () => {
    const both = [...removals, entry(2, 7, { retired: [c] }), entry(2, 8, { signature: true })];
    expect(replay(c, both, 8).retirement?.phase).toBe("retired-committed");
    expect(replay(d, both, 8).retirement?.phase).toBe("completed");
  });
});
