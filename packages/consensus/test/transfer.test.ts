import { type NodeId, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import type { Output } from "../src/index.js";
import { a, appendEntries, Bench, b, c, log, requestVote, rollbacks, sent } from "./support/bench.js";

const genesis = log("2 2s", [a, b, c]);

/** A primary of view 3 with a committed signature at 3 that `b` holds. */
function leading(options: Parameters<typeof Bench.primary>[3] = {}): Bench {
  const node = Bench.primary(a, genesis, [b], { commit: 2, ...options });
  node.write({ signature: true });
  node.receive(b, node.ack(3));
  return node;
}

const outcomes = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.type === "transfer" ? [[output.to, output.outcome]] : []));
const transfer = (node: Bench, to: NodeId) => node.handle({ type: "transfer", to });
/** What is sent in an input that brings nothing new. */
const named = (node: Bench) => sent(node.handle({ type: "flush" }));
const proposal = (to: NodeId, of = 3) => ({ to, message: { type: "propose-request-vote", view: view(of) } });

describe("a transfer", () => {
  test("names a target that holds everything at once, and ends when it leads", () => {
    const node = leading();
    expect(sent(transfer(node, b))).toEqual([]); // what the owner has to say in this turn leaves first
    expect(named(node)).toEqual([proposal(b)]);
    expect(node.replica.transferringTo).toBe(b);
    node.receive(b, requestVote(4, 3, 3));
    expect(node.replica.transferringTo).toBeUndefined();
    const header = appendEntries(4, log("2 2s 3s"), 3, 3)[0];
    expect(outcomes(node.handle({ type: "message", from: b, message: header }))).toEqual([[b, "completed"]]);
  });

  test("waits for a target that is behind", () => {
    const node = leading();
    expect(sent(transfer(node, c))).toEqual([]);
    node.tick(10);
    expect(node.receive(c, node.ack(2))).not.toContainEqual(proposal(c));
    expect(node.receive(c, node.ack(3))).not.toContainEqual(proposal(c));
    expect(named(node)).toEqual([proposal(c)]);
  });

  test("has the tail signed first, since the election would drop it", () => {
    const node = leading();
    node.write({}, {});
    node.receive(b, node.ack(5));
    expect(node.replica.shouldSign).toBe(false);
    expect(sent(transfer(node, b))).toEqual([]);
    expect(node.replica.shouldSign).toBe(true);
    node.write({ signature: true });
    expect(node.replica.shouldSign).toBe(false);
    node.receive(b, node.ack(6));
    expect(named(node)).toEqual([proposal(b)]);
  });

  test("does not name the target while there is something it does not hold; nothing that is appended is refused", () => {
    const node = leading();
    transfer(node, c);
    expect(rollbacks(node.write({}))).toEqual([]);
    node.receive(c, node.ack(3));
    expect(named(node)).toEqual([]);
    node.write({ signature: true });
    expect(named(node)).toEqual([]);
    node.receive(c, node.ack(5));
    expect(named(node)).toEqual([proposal(c)]);
  });

  test("does not name a target that holds everything before all of it is committed", () => {
    const node = leading();
    node.write({});
    transfer(node, b);
    node.receive(b, node.ack(4)); // an entry behind the last signature
    expect([named(node), named(node)]).toEqual([[], []]);
    expect(node.replica.commitSeqno).toBe(3);
  });

  test("names nobody once it leads no more, be it in the same view", () => {
    const voted = leading();
    transfer(voted, b);
    const answers = voted.receive(c, requestVote(4, 0, 0)); // a later view, and no vote
    expect(answers.map(({ message }) => message.type)).toEqual(["request-vote-response"]);
    expect([voted.replica.transferringTo, named(voted), named(voted)]).toEqual([undefined, [], []]);
    const unheard = leading();
    unheard.nowMs += 50;
    transfer(unheard, b);
    unheard.nowMs += 50;
    unheard.handle({ type: "tick" });
    expect([unheard.replica.role, unheard.replica.view]).toEqual(["backup", 3]);
    expect([unheard.replica.transferringTo, named(unheard), named(unheard)]).toEqual([undefined, [], []]);
  });

  test("repeats itself with the heartbeats, as messages may be lost", () => {
    const node = leading();
    transfer(node, b);
    expect(named(node)).toEqual([proposal(b)]);
    expect(named(node)).toEqual([]);
    expect(node.tick(9)).not.toContainEqual(proposal(b));
    expect(node.tick(1)).toContainEqual(proposal(b));
  });

  test("is given up after an election timeout", () => {
    const node = leading();
    transfer(node, c);
    for (let elapsed = 0; elapsed < 90; elapsed += 10) {
      node.receive(b, node.ack(3));
      expect(outcomes(node.handle({ type: "tick" }))).toEqual([]);
      node.nowMs += 10;
    }
    node.receive(b, node.ack(3));
    node.nowMs += 10;
    expect(outcomes(node.handle({ type: "tick" }))).toEqual([[c, "timed-out"]]);
    expect(node.replica.transferringTo).toBeUndefined();
  });

  test("reports another primary than the one that was named", () => {
    const node = leading();
    transfer(node, b);
    const header = appendEntries(5, log("2 2s 3s"), 3, 3)[0];
    expect(outcomes(node.handle({ type: "message", from: c, message: header }))).toEqual([[b, "another-elected"]]);
  });

  test("ends in time also on a node that steps down and hears of nobody", () => {
    const node = leading();
    transfer(node, b);
    node.receive(b, requestVote(4, 3, 3));
    expect(node.handle({ type: "tick" }).at(-1)).toEqual({ type: "wait", untilMs: node.nowMs + 100 });
    node.nowMs += 100;
    expect(outcomes(node.handle({ type: "tick" }))).toEqual([[b, "timed-out"]]);
    node.nowMs += 1_000;
    expect(outcomes(node.handle({ type: "tick" }))).toEqual([]);
  });

  test("that the same node wins again ends as another's election", () => {
    const node = leading();
    transfer(node, c);
    node.receive(b, requestVote(4, 0, 0)); // a later view, and no vote
    node.nowMs += 60;
    node.campaign();
    expect(node.outputs.at(-1)).toMatchObject({ type: "wait" });
    node.receive(b, node.voteResponse());
    expect(node.replica.role).toBe("primary");
    expect(node.replica.transferringTo).toBeUndefined();
  });
});

describe("a transfer is refused", () => {
  test.each([
    ["on a backup", "not-primary", b, () => Bench.restored(a, genesis, { commit: 2 })],
    ["to the primary itself", "is-primary", a, () => leading()],
    ["to a stranger", "not-a-member", "z" as NodeId, () => leading()],
    [
      "while peers have promised their votes (readLease)",
      "lease",
      b,
      () => leading({ readLease: { clockDriftMax: 0 } }),
    ],
  ] as const)("%s: %s", (_, outcome, to, start) => {
    const outputs = transfer(start(), to);
    expect(outcomes(outputs)).toEqual([[to, outcome]]);
    expect(sent(outputs)).toEqual([]);
  });

  test("by a primary that has no members yet", () => {
    const node = new Bench(a);
    node.handle({ type: "start" });
    expect(outcomes(transfer(node, b))).toEqual([[b, "not-a-member"]]);
  });

  test("to a node that a pending configuration leaves out", () => {
    const node = leading();
    node.write({ configuration: [a, b] });
    expect(outcomes(transfer(node, c))).toEqual([[c, "not-a-member"]]);
  });

  test("while another one is under way, which goes on", () => {
    const node = leading();
    transfer(node, c);
    expect(outcomes(transfer(node, b))).toEqual([[b, "in-progress"]]);
    expect(node.replica.transferringTo).toBe(c);
  });
});
