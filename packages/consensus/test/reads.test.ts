import { type NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { type Output, type ReadRefusal, Replica, replayLog } from "../src/index.js";
import { READS_MAX } from "../src/reads.js";
import { a, appendEntries, Bench, b, c, d, e, log, requestVote, response } from "./support/bench.js";

const genesis = log("2 2s", [a, b, c]);

/** A primary of view 3 that has committed its first signature, at 3; `b` holds it, `c` nothing. */
function leading(options: Parameters<typeof Bench.primary>[3] = {}): Bench {
  const node = Bench.primary(a, genesis, [b], { commit: 2, ...options });
  node.write({ signature: true });
  node.receive(b, node.ack(3));
  expect(node.replica.commitSeqno).toBe(3);
  return node;
}

/** Tokens with the seqno they may read from, or with why not. */
function answers(outputs: readonly Output[]): readonly (readonly [number, number | ReadRefusal])[] {
  return outputs.flatMap((output): [number, number | ReadRefusal][] => {
    if (output.type === "read-ready") return [[output.token, output.seqno]];
    return output.type === "read-refused" ? [[output.token, output.reason]] : [];
  });
}

const read = (node: Bench, token: number) => answers(node.handle({ type: "read", token }));
const receive = (node: Bench, from: NodeId, at: number) =>
  answers(node.handle({ type: "message", from, message: node.ack(at) }));

describe("a read waits for proof that the primary still leads", () => {
  test("an acknowledgement that was on its way when the read came proves nothing", () => {
    const node = leading();
    expect(read(node, 1)).toEqual([]);
    expect(receive(node, c, 3)).toEqual([]);
    expect(receive(node, b, 3)).toEqual([]);
  });

  test("one that names an entry appended after the read came does, and the read sees all that is committed", () => {
    const node = leading();
    read(node, 1);
    expect(node.replica.shouldSign).toBe(true);
    node.write({ signature: true });
    expect(node.replica.shouldSign).toBe(false);
    expect(receive(node, b, 4)).toEqual([[1, 4]]);
  });

  test("any entry will do, also one that is not signed yet: the read then sees what was committed before", () => {
    const node = leading();
    read(node, 1);
    node.write({});
    expect(node.replica.shouldSign).toBe(false);
    expect(receive(node, b, 4)).toEqual([[1, 3]]);
  });

  test("reads that come while a signature is on its way wait for the next one, together", () => {
    const node = leading();
    read(node, 1);
    node.write({ signature: true });
    for (const token of [2, 3]) expect(read(node, token)).toEqual([]);
    expect(node.replica.shouldSign).toBe(false);
    expect(receive(node, b, 4)).toEqual([[1, 4]]);
    expect(node.replica.shouldSign).toBe(true);
    node.write({ signature: true });
    expect(receive(node, b, 5)).toEqual([
      [2, 5],
      [3, 5],
    ]);
    expect(node.replica.shouldSign).toBe(false);
  });

  test("in durable mode its own disk is not waited for", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2, durability: "durable" });
    node.write({ signature: true });
    node.persistAll();
    node.receive(b, node.ack(3));
    read(node, 1);
    node.write({ signature: true });
    expect(receive(node, b, 4)).toEqual([[1, 3]]);
  });

  test("a refusal proves nothing, even one of this view", () => {
    const node = leading();
    read(node, 1);
    node.write({ signature: true });
    expect(answers(node.handle({ type: "message", from: b, message: response(3, 4, false) }))).toEqual([]);
  });

  test("a majority of every active configuration is needed", () => {
    const node = leading();
    node.write({ configuration: [a, d, e] });
    read(node, 1);
    node.write({ signature: true });
    expect(receive(node, b, 5)).toEqual([]);
    expect(receive(node, d, 5)).toEqual([[1, 5]]);
  });

  test("a primary outside of the configuration does not count itself", () => {
    const node = leading();
    node.write({ configuration: [b, c] });
    read(node, 1);
    node.write({ signature: true });
    expect(receive(node, b, 5)).toEqual([]);
    expect(receive(node, c, 5)).toEqual([[1, 5]]);
  });

  test("a sole member needs nobody", () => {
    const node = Bench.primary(a, log("2 2s", [a]), [], { commit: 2 });
    expect(read(node, 1)).toEqual([]); // nothing of this view is committed yet
    expect(answers(node.write({ signature: true }))).toEqual([[1, 3]]);
    expect(read(node, 2)).toEqual([[2, 3]]);
  });
});

test("a new primary answers once an entry of its own view is committed: only then it knows what its predecessors committed", () => {
  const node = Bench.primary(a, log("2 2s 2 2s", [a, b, c]), [b], { commit: 2 });
  read(node, 1);
  node.write({}, { signature: true });
  expect(receive(node, b, 5)).toEqual([]); // holds all of it but the signature, so leads; 4 is not committed by that
  expect(receive(node, b, 6)).toEqual([[1, 6]]);
});

describe("reads that cannot be answered are refused", () => {
  test("on a backup", () => {
    expect(read(Bench.restored(a, genesis, { commit: 2 }), 7)).toEqual([[7, "not-primary"]]);
  });

  test("when the primary learns of a later view", () => {
    const node = leading();
    read(node, 1);
    read(node, 2);
    expect(answers(node.handle({ type: "message", from: b, message: response(9, 0, true) }))).toEqual([
      [1, "primary-changed"],
      [2, "primary-changed"],
    ]);
  });

  test("when a sole member is made to win its next view within one input", () => {
    const node = Bench.primary(a, log("2 2s", [a]), [], { commit: 2 });
    expect(read(node, 1)).toEqual([]);
    const message = { type: "propose-request-vote", view: node.replica.view } as const;
    expect(answers(node.handle({ type: "message", from: b, message }))).toEqual([[1, "primary-changed"]]);
    expect([node.replica.role, node.replica.view]).toEqual(["primary", 4]);
  });

  test("when it steps down because it hears from no majority", () => {
    const node = leading();
    read(node, 1);
    node.nowMs += 100;
    expect(answers(node.handle({ type: "tick" }))).toEqual([[1, "primary-changed"]]);
  });

  test("and a read of an earlier reign does not count in a later one", () => {
    const node = leading();
    read(node, 1);
    node.receive(b, requestVote(4, 3, 3));
    node.receive(b, ...appendEntries(4, log("2 2s 3s"), 3, 3));
    node.campaign();
    node.receive(c, node.voteResponse());
    node.write({ signature: true });
    expect([node.replica.role, receive(node, b, 4)]).toEqual(["primary", []]);
  });

  test("beyond as many as may wait", () => {
    const node = leading();
    for (let token = 1; token <= READS_MAX; token++) node.replica.handle({ type: "read", token }, node.nowMs);
    while (node.replica.pollOutput() !== undefined);
    expect(read(node, 0)).toEqual([[0, "too-many"]]);
    node.write({ signature: true });
    const ready = receive(node, b, 4);
    expect([ready.length, ready.at(-1)]).toEqual([READS_MAX, [READS_MAX, 4]]);
  });
});

describe("readLease", () => {
  const lease = { readLease: { clockDriftMax: 0 }, electionTimeoutMs: 100 };

  test("after entries of this view were acknowledged, reads are answered at once until the lease ends", () => {
    const node = leading(lease);
    const appendedMs = node.nowMs;
    node.nowMs = appendedMs + 49;
    expect(read(node, 1)).toEqual([[1, 3]]);
    node.nowMs = appendedMs + 50;
    expect(read(node, 2)).toEqual([]);
    node.write({ signature: true });
    expect(receive(node, b, 4)).toEqual([[2, 4]]);
    expect(read(node, 3)).toEqual([[3, 4]]);
  });

  test("late acknowledgements and heartbeats do not prolong it", () => {
    const node = leading(lease);
    node.nowMs += 40;
    node.handle({ type: "tick" });
    node.receive(b, node.ack(3));
    node.nowMs += 10;
    expect(read(node, 1)).toEqual([]);
  });

  test("a drift of the clocks makes it shorter", () => {
    const node = leading({ ...lease, readLease: { clockDriftMax: 0.1 } });
    node.nowMs += 41; // 50 · 0.9 / 1.1 = 40.9
    expect(read(node, 1)).toEqual([]);
    expect(() => new Bench(a, { readLease: { clockDriftMax: 1 } })).toThrow();
  });

  test("whoever hears from a primary votes for nobody, and does not even take up the view", () => {
    const node = Bench.restored(a, genesis, { commit: 2, ...lease, nowMs: -1_000 });
    node.receive(b, ...appendEntries(2, genesis, 2, 2));
    node.nowMs = 49;
    expect(node.receive(c, requestVote(9, 2, 2))[0]?.message).toMatchObject({ granted: false, view: 2 });
    node.nowMs = 50;
    expect(node.receive(c, requestVote(9, 2, 2))[0]?.message).toMatchObject({ granted: true, view: 9 });
  });

  test("nor does a primary, but it yields when a node of a later view answers it", () => {
    const node = leading(lease);
    expect(node.receive(c, requestVote(9, 9, 9))[0]?.message).toMatchObject({ granted: false, view: 3 });
    node.receive(c, response(9, 2, false));
    expect([node.replica.role, node.replica.view]).toEqual(["backup", 9]);
  });

  test("a node that restarts keeps the promise it may have made", () => {
    const node = Bench.restored(a, genesis, { commit: 2, ...lease });
    expect(node.receive(c, requestVote(9, 2, 2))[0]?.message).toMatchObject({ granted: false });
    node.nowMs = 50;
    expect(node.receive(c, requestVote(9, 2, 2))[0]?.message).toMatchObject({ granted: true });
  });

  test("so does one that learns the time from its first input", () => {
    const hardState = { view: view(2), votedFor: undefined };
    const restored = replayLog({ id: a, hardState, commitSeqno: seqno(2), entries: genesis });
    const replica = new Replica({ id: a, random: () => 0, durability: "durable", heartbeatMs: 10, restored, ...lease });
    const granted = (nowMs: number) => {
      replica.handle({ type: "message", from: c, message: requestVote(9, 2, 2) }, nowMs);
      const view = replica.view;
      while (replica.pollOutput() !== undefined);
      return view === 9;
    };
    expect([granted(1_000), granted(1_049), granted(1_050)]).toEqual([false, false, true]);
  });
});

describe("leaderStickiness", () => {
  const preVote = requestVote(2, 2, 2, 0);

  test("a backup refuses pre-votes while it hears from a primary, and grants them afterwards", () => {
    const node = Bench.restored(a, genesis, { commit: 2, leaderStickiness: true });
    expect(node.receive(c, preVote)[0]?.message).toMatchObject({ granted: true }); // nobody was heard of yet
    node.receive(b, ...appendEntries(2, genesis, 2, 2));
    node.nowMs = 49;
    expect(node.receive(c, preVote)[0]?.message).toMatchObject({ granted: false });
    node.nowMs = 50;
    expect(node.receive(c, preVote)[0]?.message).toMatchObject({ granted: true });
  });

  test("a refused pre-vote of a later view has no effect", () => {
    const node = Bench.restored(a, genesis, { commit: 2, leaderStickiness: true });
    node.receive(b, ...appendEntries(2, genesis, 2, 2));
    expect(node.receive(c, requestVote(9, 2, 2, 0))[0]?.message).toMatchObject({ granted: false, view: 2 });
    expect([node.replica.view, node.replica.primary]).toEqual([2, b]);
  });

  test("a primary refuses them too; votes are not touched", () => {
    const node = leading({ leaderStickiness: true });
    expect(node.receive(c, requestVote(9, 9, 9, 0))[0]?.message).toMatchObject({ granted: false, view: 3 });
    expect(node.replica.role).toBe("primary");
    expect(node.receive(c, requestVote(9, 9, 9))[0]?.message).toMatchObject({ granted: true, view: 9 });
  });
});
