/** Consensus specification §9 at its edges: who is heard in an election, what is counted, and what a change of role leaves behind. */
import { ELECTION_PRE_VOTE, type NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { Replica } from "../src/index.js";
import {
  a,
  appendEntries,
  Bench,
  b,
  c,
  commits,
  d,
  e,
  entry,
  log,
  requestVote,
  response,
  rollbacks,
} from "./support/bench.js";

const abc = [a, b, c];
const genesis = log("2 2s", abc);
const stranger = "z" as NodeId; // the core never looks inside an id

function candidate(): Bench {
  const node = Bench.restored(a, genesis, { commit: 2 });
  node.campaign();
  return node;
}

describe("§9.7, §9.8 votes", () => {
  test("a request of an older view gets none, however new its log, and leaves no trace", () => {
    const node = Bench.restored(a, genesis, { commit: 2, hardState: { view: view(4), votedFor: undefined } });
    expect(node.receive(b, requestVote(3, 3, 9))).toEqual([
      { to: b, message: expect.objectContaining({ granted: false, view: 4 }) },
    ]);
    expect([node.replica.view, node.replica.votedFor]).toEqual([4, undefined]);
  });

  test("a denial, and a grant of an older view, do not count", () => {
    const node = candidate();
    node.receive(b, node.voteResponse(false));
    node.receive(c, { ...node.voteResponse(), view: view(2) });
    expect([node.replica.role, node.replica.view]).toEqual(["candidate", 3]);
  });

  test("an answer of a later view ends the candidacy, also if it grants", () => {
    const node = candidate();
    node.receive(b, { ...node.voteResponse(), view: view(9) });
    expect([node.replica.role, node.replica.view, node.replica.votedFor]).toEqual(["backup", 9, undefined]);
  });

  test("a stranger's answer is not heard at all, whatever its view", () => {
    const node = candidate();
    node.receive(stranger, { ...node.voteResponse(), view: view(9) });
    expect([node.replica.role, node.replica.view]).toEqual(["candidate", 3]);
  });

  test("who hears of a later view reports it, also when nothing but the view changes", () => {
    const node = Bench.restored(a, genesis, { commit: 2 });
    const outputs = node.handle({ type: "message", from: b, message: requestVote(9, 0, 0) });
    expect(outputs).toContainEqual({ type: "role", role: "backup", view: 9, primary: undefined });
  });
});

describe("§9.1, §9.5, §9.6 becoming primary and staying it", () => {
  test("without any configuration nobody campaigns, not even if ticking is forced", () => {
    const node = new Bench(a);
    node.handle({ type: "start-ticking" });
    expect(node.tick(100_000)).toEqual([]);
    expect([node.replica.role, node.replica.view]).toEqual(["none", 0]);
  });

  test("nor does a primary step down for want of one: it is about to write the first", () => {
    const node = new Bench(a);
    node.handle({ type: "start" });
    node.tick(100);
    expect(node.replica.role).toBe("primary");
  });

  test("a new primary keeps its entries while none of them is signed (genesis)", () => {
    const node = Bench.restored(a, log("2 2", [a]), { commit: 0 });
    expect(rollbacks(node.handle({ type: "start" }))).toEqual([]);
    expect([node.replica.role, node.replica.lastSeqno]).toEqual(["primary", 2]);
  });

  test("who steps down may truncate anew in the next view, with the allowance of the one before used up", () => {
    const held = log("2 2s 3 3s 3", abc);
    const node = Bench.restored(b, held, { commit: 2, hardState: { view: view(4), votedFor: undefined } });
    const from = (message: ReturnType<typeof appendEntries>) =>
      rollbacks(node.handle({ type: "message", from: a, message: message[0], entries: message[1] }));
    expect(from(appendEntries(4, log("2 2s 3 3s 4"), 4, 5))).toEqual([4]);
    expect(from(appendEntries(5, log("2 2s 5s"), 2, 3))).toEqual([4, 2]); // the unsigned tail, then the conflict
    expect(node.log).toBe("2 2 5");
  });

  test("§8.1: so may a pre-vote candidate that hears of its primary again", () => {
    const held = log("2 2s 3 3s 3", abc);
    const hardState = { view: view(4), votedFor: undefined };
    const node = Bench.restored(b, held, { commit: 2, hardState, preVote: true });
    const from = (message: ReturnType<typeof appendEntries>) =>
      rollbacks(node.handle({ type: "message", from: a, message: message[0], entries: message[1] }));
    expect(from(appendEntries(4, log("2 2s 3 3s 4"), 4, 5))).toEqual([4]);
    node.campaign();
    expect(node.replica.role).toBe("pre-vote-candidate");
    expect(from(appendEntries(4, log("2 2s 4s"), 2, 3))).toEqual([2]);
  });

  test("a primary that stepped down commits nothing by itself, even when its own copy becomes durable", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2, durability: "durable" });
    node.write({ signature: true });
    node.receive(b, node.ack(3));
    node.tick(100);
    expect(node.replica.role).toBe("backup");
    node.persistAll();
    expect([node.replica.commitSeqno, node.replica.durableSeqno]).toEqual([2, 3]);
  });

  test("a backup takes nothing from answers that were meant for it as primary", () => {
    const node = Bench.restored(a, genesis, { commit: 2 });
    node.receive(b, response(9, 2, false));
    expect([node.replica.role, node.replica.view]).toEqual(["backup", 2]);
  });

  test("what a deposed primary did not send stays with it, and it asks for no signature", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2, eagerSend: true });
    node.write({ signature: true });
    const replica = Bench.primary(a, genesis, [b], { commit: 2 });
    for (const each of [node, replica]) each.receive(b, response(9, 2, false));
    expect(node.handle({ type: "flush" })).toEqual([{ type: "wait", untilMs: expect.any(Number) }]);
    expect([node.replica.lastSeqno, replica.replica.shouldSign]).toEqual([3, false]);
  });
});

describe("§9.2 the first input tells the time", () => {
  const options = {
    id: a,
    random: () => 25,
    durability: "ephemeral",
    electionTimeoutMs: 100,
    heartbeatMs: 10,
  } as const;
  const firstWait = (replica: Replica): number => {
    replica.handle({ type: "start-ticking" }, 1_000);
    for (let output = replica.pollOutput(); output !== undefined; output = replica.pollOutput()) {
      if (output.type === "wait") return output.untilMs;
    }
    throw new Error("every input ends with a wait");
  };
  const restoredIn = (of: number) => ({
    hardState: { view: view(of), votedFor: undefined },
    viewHistory: [],
    lastSeqno: seqno(0),
    commitSeqno: seqno(0),
    signatures: [],
    configurations: [{ seqno: seqno(0), nodes: abc }],
  });

  test("a node that was in no view waits the whole timeout, one that restarts has a random head start", () => {
    expect(firstWait(new Replica({ ...options, restored: restoredIn(0) }))).toBe(1_100);
    expect(firstWait(new Replica({ ...options, restored: restoredIn(2) }))).toBe(1_075);
  });

  test("so too if the time is told at construction, and counts from then", () => {
    expect(firstWait(new Replica({ ...options, restored: restoredIn(2), nowMs: 990 }))).toBe(1_065);
  });

  test("a node that was in no view has promised nobody anything, and has no role", () => {
    const replica = new Replica({ ...options, restored: restoredIn(0), readLease: { clockDriftMax: 0 } });
    expect(replica.role).toBe("none");
    replica.handle({ type: "message", from: b, message: requestVote(1, 0, 0) }, 1_000);
    expect(replica.votedFor).toBe(b);
  });
});

describe("§8 what is received at the edges", () => {
  const held = log("2 2s 3 3s 3", abc);
  const backup = () => Bench.restored(b, held, { commit: 2 });

  test("a message beyond the log is not acknowledged, even one that claims there was no entry before it", () => {
    const [message] = appendEntries(3, held, 5, 5);
    const beyond = { ...message, prevSeqno: seqno(9), seqno: seqno(9), prevView: view(0), viewOfSeqno: view(0) };
    expect(backup().receive(a, beyond)).toEqual([]);
    expect(backup().receive(a, { ...beyond, seqno: seqno(10), viewOfSeqno: view(3) }, [entry(3, 10)])).toEqual([]);
  });

  test("entries that are all held already need not decode", () => {
    const [message] = appendEntries(3, held, 2, 5);
    expect(backup().receive(a, message, [])).toEqual([{ to: a, message: response(3, 5, true) }]);
  });

  test("each signature is committed as soon as it is appended, before what follows it", () => {
    const node = new Bench(b);
    const [message, entries] = appendEntries(2, log("2 2s 2 2s 2", abc), 0, 5, 4);
    const outputs = node.handle({ type: "message", from: a, message, entries });
    const order = outputs.flatMap((output) => {
      if (output.type === "append") return [output.entries.map((each) => each.seqno).join(" ")];
      return output.type === "commit" ? [`commit ${output.seqno}`] : [];
    });
    expect(order).toEqual(["1 2", "commit 2", "3 4", "commit 4", "5"]);
  });

  test("an entry with a configuration of nobody is refused by primary and backup", () => {
    const primary = Bench.primary(a, genesis, [b], { commit: 2 });
    expect(rollbacks(primary.write({ configuration: [] }))).toEqual([2]);
    const [message] = appendEntries(3, [...held, entry(3, 6)], 5, 6);
    const node = backup();
    expect(node.receive(a, message, [entry(3, 6, { configuration: [] })])).toEqual([
      { to: a, message: response(3, 5, false) },
    ]);
    expect(node.replica.configurations).toHaveLength(1);
  });
});

describe("§8.8 progress", () => {
  test("an acknowledgement that was overtaken does not take back what is known", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2 });
    node.write({}, {}, { signature: true });
    node.receive(b, node.ack(4));
    node.receive(b, node.ack(3));
    expect(node.replica.peers[0]).toMatchObject({ node: b, matchSeqno: 4 });
    node.receive(c, node.ack(5));
    expect(node.replica.commitSeqno).toBe(5);
  });

  test("without a bound on what is in flight it sends nothing: entries wait for their turn", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2 });
    node.write({});
    expect(node.receive(b, node.ack(2))).toEqual([]);
  });

  test("with a bound every acknowledgement pulls the backlog", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2, inFlightBytesMax: 1_000 });
    node.receive(b, node.ack(2));
    node.write({});
    expect(node.receive(b, node.ack(2)).map(({ message }) => message)).toMatchObject([{ prevSeqno: 2, seqno: 3 }]);
  });

  test("any entry but a signature leaves the first signature of a view due (§5)", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2 });
    node.write({});
    expect(node.replica.shouldSign).toBe(true);
  });

  test("an observer sees signatures not committed, view history and members", () => {
    const { replica } = Bench.restored(a, [...log("2 2s 3s 3s", abc), entry(3, 5, { configuration: [c, d, e] })], {
      commit: 2,
    });
    expect(replica.committableSeqnos).toEqual([3, 4]);
    expect(replica.viewHistory).toEqual([
      { view: 2, seqno: 1 },
      { view: 3, seqno: 3 },
    ]);
    expect(replica.activeNodes).toEqual([a, b, c, d, e]);
  });
});

test("§9.3: a pre-vote that nobody answers is asked for again, in the same view", () => {
  const node = Bench.restored(a, genesis, { commit: 2, preVote: true });
  node.campaign();
  expect(node.campaign().map(({ message }) => message)).toEqual([
    requestVote(2, 2, 2, ELECTION_PRE_VOTE),
    requestVote(2, 2, 2, ELECTION_PRE_VOTE),
  ]);
  expect(commits(node.outputs)).toEqual([]);
});
