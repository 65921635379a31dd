/** One test for each sentence of the consensus specification that is not covered by a piece's own tests, named by section. */
import { ELECTION_PRE_VOTE, type NodeId, seqno, VIEW_MAX, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { replayLog } from "../src/index.js";
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
  sent,
} from "./support/bench.js";

const abc = [a, b, c];
const genesis = log("2 2s", abc);

describe("§4 transaction ids", () => {
  test("status: committed and its ancestors, pending, invalid, unknown", () => {
    const { replica } = Bench.restored(a, log("2 2s 2 4 4s 4", abc), { commit: 5 });
    const status = (of: number, at: number) => replica.status({ view: view(of), seqno: seqno(at) });
    expect([status(4, 5), status(2, 1), status(2, 3)]).toEqual(["committed", "committed", "committed"]);
    expect(status(4, 6)).toBe("pending");
    expect([status(3, 4), status(4, 2), status(2, 9), status(3, 7)]).toEqual([
      "invalid",
      "invalid",
      "invalid",
      "invalid",
    ]);
    expect([status(4, 7), status(5, 6), status(0, 1), status(2, 0)]).toEqual([
      "unknown",
      "unknown",
      "unknown",
      "unknown",
    ]);
  });
});

describe("§6 replicate", () => {
  test("a node that is not primary, or of another view, refuses and has the owner roll back", () => {
    const backup = Bench.restored(a, genesis, { commit: 2 });
    expect(rollbacks(backup.handle({ type: "replicate", view: view(2), entries: [entry(2, 3)] }))).toEqual([2]);
    const primary = Bench.primary(a, genesis, [b], { commit: 2 });
    expect(rollbacks(primary.handle({ type: "replicate", view: view(2), entries: [entry(2, 3)] }))).toEqual([2]);
    expect(primary.replica.lastSeqno).toBe(2);
  });

  test("an entry that is not the next one is refused, those before it stay", () => {
    const primary = Bench.primary(a, genesis, [b], { commit: 2 });
    const outputs = primary.handle({ type: "replicate", view: view(3), entries: [entry(3, 3), entry(3, 5)] });
    expect(rollbacks(outputs)).toEqual([3]);
  });

  test("small entries wait for the heartbeat; every second entry of half the size limit is sent at once (§17)", () => {
    const primary = Bench.primary(a, genesis, [b], { commit: 2 });
    expect(sent(primary.write({ bytes: 10_000 }))).toHaveLength(0);
    expect(sent(primary.write({ bytes: 10_000 })).map(({ to }) => to)).toContain(b);
    expect(sent(primary.write({ bytes: 10_000 }))).toHaveLength(0);
    expect(sent(primary.write({ bytes: 10_000 })).length).toBeGreaterThan(0);
  });

  test("a million small entries go out in a message or two for each 20,000 bytes (§17)", () => {
    const primary = Bench.primary(a, genesis, [b], { commit: 2 });
    const batch = 1_000;
    let messages = 0;
    for (let from = 3; from < 1_000_000; from += batch) {
      const entries = Array.from({ length: batch }, (_, index) => entry(3, from + index, { bytes: 20 }));
      const outputs = primary.handle({ type: "replicate", view: view(3), entries });
      messages += sent(outputs).filter(({ to }) => to === b).length;
    }
    expect(messages).toBeGreaterThanOrEqual(1_000);
    expect(messages).toBeLessThan(2_200); // the adaptive size stays just below 1,000, so the last entry of a batch goes by itself
  });

  test("a sole node commits each signature as soon as it is replicated (§17), and nothing else", () => {
    const sole = new Bench(a);
    sole.handle({ type: "start" });
    expect(commits(sole.write({ configuration: [a] }))).toEqual([]);
    expect(commits(sole.write({ signature: true }))).toEqual([2]);
    expect(commits(sole.write({}, { signature: true }))).toEqual([4]);
  });

  test("it is at capacity from uncommittedMax uncommitted entries on; 0 is no limit", () => {
    const bounded = Bench.primary(a, genesis, [b], { commit: 2, uncommittedMax: 2 });
    bounded.write({});
    expect(bounded.replica.atCapacity).toBe(false);
    bounded.write({});
    expect(bounded.replica.atCapacity).toBe(true);
    expect(Bench.restored(a, log("2 2s 2 2 2", abc), { uncommittedMax: 0 }).replica.atCapacity).toBe(false);
  });

  test("a primary should sign until it has signed in its view (§5)", () => {
    const primary = Bench.primary(a, genesis, [b], { commit: 2 });
    expect(primary.replica.shouldSign).toBe(true);
    primary.write({ signature: true });
    expect(primary.replica.shouldSign).toBe(false);
  });
});

describe("§7 sending append-entries", () => {
  test("§7.2: an idle primary sends one empty message to each peer at every heartbeat", () => {
    const primary = Bench.primary(a, genesis, [b], { commit: 2 });
    for (const { message } of primary.tick(10)) {
      expect(message).toMatchObject({ type: "append-entries", prevSeqno: 2, seqno: 2, prevView: 2, commitSeqno: 2 });
    }
    expect(primary.tick(9)).toHaveLength(0);
    expect(primary.tick(1).map(({ to }) => to)).toEqual([b, c]);
  });

  test("§7.2: what is sent is not sent again before a NACK", () => {
    const primary = Bench.primary(a, genesis, [b], { commit: 2 });
    primary.write({});
    expect(primary.tick(10).map(({ message }) => message)).toContainEqual(
      expect.objectContaining({ prevSeqno: 2, seqno: 3 }),
    );
    expect(primary.tick(10)[0]?.message).toMatchObject({ prevSeqno: 3, seqno: 3 });
    primary.receive(b, response(0, 0, false));
    expect(primary.tick(10).filter(({ to }) => to === b)[0]?.message).toMatchObject({ prevSeqno: 0 });
  });

  test("§7.4: no message crosses the border of a view", () => {
    const primary = Bench.primary(a, log("2 2s 3 3s 5s", abc), [b], { commit: 2 });
    primary.receive(b, response(0, 0, false));
    const ranges = primary
      .tick(10)
      .flatMap(({ to, message }) =>
        to === b && message.type === "append-entries" ? [[message.prevSeqno, message.seqno, message.viewOfSeqno]] : [],
      );
    for (const [prev = 0, last = 0, of] of ranges) {
      for (let at = prev + 1; at <= last; at++) expect(primary.replica.viewAt(seqno(at))).toBe(of);
    }
    expect(ranges.at(-1)?.[1]).toBe(5);
  });

  test("§17: a late joiner gets an empty probe, NACKs, and then receives the whole log in one burst", () => {
    const primary = Bench.primary(a, log(`2${" 2".repeat(99)} 2s`, [a, b]), [b], { commit: 101 });
    const probe = sent(primary.write({ configuration: abc })).filter(({ to }) => to === c);
    expect(probe.map(({ message }) => message)).toEqual([expect.objectContaining({ prevSeqno: 101, seqno: 101 })]);
    const joiner = new Bench(c);
    const [nack] = joiner.receive(a, {
      ...appendEntries(3, log("2"), 0, 0)[0],
      prevSeqno: seqno(101),
      seqno: seqno(101),
      prevView: view(2),
      viewOfSeqno: view(2),
    });
    expect(nack?.message).toEqual(response(3, 0, false));
    primary.receive(c, response(3, 0, false));
    const burst = primary.tick(10).filter(({ to }) => to === c);
    expect(burst[0]?.message).toMatchObject({ prevSeqno: 0 });
    expect(burst.at(-1)?.message).toMatchObject({ seqno: 102 });
  });

  test("eagerSend: a flush sends what was not sent yet, once, and nothing otherwise", () => {
    const eager = Bench.primary(a, genesis, [b], { commit: 2, eagerSend: true });
    expect(sent(eager.handle({ type: "flush" }))).toHaveLength(0);
    eager.write({});
    expect(sent(eager.handle({ type: "flush" })).map(({ to }) => to)).toEqual([b, c]);
    expect(sent(eager.handle({ type: "flush" }))).toHaveLength(0);
    const patient = Bench.primary(a, genesis, [b], { commit: 2 });
    patient.write({});
    expect(sent(patient.handle({ type: "flush" }))).toHaveLength(0);
  });

  test("messageBytesMax: a stretch of large entries is cut by bytes, one entry at least", () => {
    const large = log(`2${" 2".repeat(18)} 2s`, abc).map((each) => ({ ...each, bytes: 400 }));
    const primary = Bench.primary(a, large, [b], { commit: 20, messageBytesMax: 1_000 });
    primary.receive(b, response(0, 0, false));
    primary.write({});
    for (let i = 0; i < 400; i++) primary.write({ bytes: 1_000 }); // the average allows for 20 entries
    primary.receive(b, response(0, 0, false));
    const sizes = primary
      .tick(10)
      .flatMap(({ to, message }) =>
        to === b && message.type === "append-entries" && message.seqno <= 20 ? [message.seqno - message.prevSeqno] : [],
      );
    expect(Math.max(...sizes)).toBe(2);
  });

  test("eagerSend: a flush sends all that a turn brought behind one header, whatever the adaptive batch size is", () => {
    const primary = Bench.primary(a, genesis, [b], { commit: 2, eagerSend: true });
    primary.receive(b, primary.ack(2));
    primary.tick(10); // pulls the adaptive batch size down to one entry
    for (let i = 0; i < 40; i++) primary.write({});
    const before = primary.outputs.length;
    primary.handle({ type: "flush" });
    const sizes = sent(primary.outputs.slice(before)).flatMap(({ to, message }) =>
      to === b && message.type === "append-entries" ? [message.seqno - message.prevSeqno] : [],
    );
    expect(sizes).toEqual([40]);
  });

  test("inFlightBytesMax: a peer gets no more until it answers, and then the rest without waiting for a heartbeat", () => {
    const bounds = { inFlightBytesMax: 250, messageBytesMax: 100 };
    const primary = Bench.primary(a, genesis, [b], { commit: 2, ...bounds, eagerSend: true });
    primary.receive(b, primary.ack(2));
    for (let i = 0; i < 10; i++) primary.write({});
    const toB = (messages: ReturnType<typeof sent>) =>
      messages.flatMap(({ to, message }) => (to === b && message.type === "append-entries" ? [message] : []));
    primary.tick(10);
    let reached = toB(sent(primary.outputs)).at(-1)?.seqno ?? seqno(0);
    expect(reached).toBeLessThan(12);
    expect(toB(primary.tick(10))).toEqual([expect.objectContaining({ prevSeqno: reached, seqno: reached })]);
    for (let trips = 0; reached < 12; trips++) {
      reached = toB(primary.receive(b, primary.ack(reached))).at(-1)?.seqno ?? seqno(0);
      expect(trips).toBeLessThan(10);
    }
    expect(reached).toBe(12);
  });
});

describe("§8 receiving append-entries", () => {
  const held = log("2 2s 3 3s 3", abc);
  const backup = (options: { commit?: number } = {}) =>
    Bench.restored(b, held, { commit: options.commit ?? 2, hardState: { view: view(4), votedFor: undefined } });

  test("§8.1: an older view is answered with a plain NACK and nothing else", () => {
    const node = backup();
    expect(node.receive(a, ...appendEntries(3, held, 5, 5))).toEqual([{ to: a, message: response(4, 5, false) }]);
    expect(node.replica.primary).toBeUndefined();
  });

  test("§8.1: a candidate follows a primary of its own view", () => {
    const node = backup();
    node.campaign();
    node.receive(a, ...appendEntries(5, held, 4, 4));
    expect([node.replica.role, node.replica.view, node.replica.primary]).toEqual(["backup", 5, a]);
  });

  test("§8.1: a primary ignores append-entries of its own view", () => {
    const primary = Bench.primary(a, genesis, [b]);
    expect(primary.receive(c, ...appendEntries(3, genesis, 2, 2))).toEqual([]);
    expect(primary.replica.role).toBe("primary");
  });

  test("§8.2: a missing previous entry gives a plain NACK, another view there an estimate; nothing is truncated", () => {
    const node = backup();
    const longer = log("2 2s 4 4s 4 4", abc);
    expect(node.receive(a, ...appendEntries(4, longer, 6, 6))).toEqual([{ to: a, message: response(4, 5, false) }]);
    expect(node.receive(a, ...appendEntries(4, log("2 2s 2 4s", abc), 3, 3))).toEqual([
      { to: a, message: response(2, 2, false) },
    ]);
    expect(node.replica.lastSeqno).toBe(5);
    expect(node.replica.primary).toBeUndefined();
  });

  test("§8.2: a rejected message does not restart the election timer", () => {
    const node = backup();
    node.nowMs = 99;
    node.receive(a, ...appendEntries(4, log("2 2s 4 4s 4 4"), 6, 6));
    node.tick(1);
    expect(node.replica.role).toBe("candidate");
  });

  test("§8.3: below the commit seqno there is no reply, but the timer restarts", () => {
    const node = backup({ commit: 4 });
    node.nowMs = 99;
    expect(node.receive(a, ...appendEntries(4, held, 2, 4))).toEqual([]);
    node.tick(1);
    expect([node.replica.role, node.replica.primary]).toEqual(["backup", a]);
  });

  test("§8.4: a proven conflict truncates from the first conflicting entry, once per view (B4, B10)", () => {
    const node = backup();
    const first = node.handle(message(a, appendEntries(4, log("2 2s 3 3s 4"), 4, 5)));
    expect(rollbacks(first)).toEqual([4]);
    const second = node.handle(message(a, appendEntries(4, log("2 2s 4 4s"), 2, 4)));
    expect([rollbacks(second), sent(second)]).toEqual([[], []]);
    expect(node.log).toBe("2 2 3 3 4");
  });

  test("§8.4: a message that matches what it covers never truncates; an empty one never does (B4, B12)", () => {
    const node = backup();
    expect(rollbacks(node.handle(message(a, appendEntries(4, held, 2, 4))))).toEqual([]);
    expect(rollbacks(node.handle(message(a, appendEntries(4, held, 2, 2))))).toEqual([]);
    expect(rollbacks(node.handle(message(a, appendEntries(4, log("2 2s 4s"), 2, 3))))).toEqual([2]); // not used up
  });

  test("§8.4: an undecodable entry is answered with a plain NACK, and nothing of the message is executed", () => {
    const node = new Bench(b);
    const [header, entries] = appendEntries(2, genesis, 0, 2);
    expect(node.receive(a, header, entries.slice(0, 1))).toEqual([{ to: a, message: response(2, 0, false) }]);
    expect(node.replica.lastSeqno).toBe(0);
  });

  test("§8.4: entries that are held already need not decode", () => {
    const node = backup();
    const [header] = appendEntries(4, held, 2, 4);
    expect(node.receive(a, header, [])).toEqual([{ to: a, message: response(4, 4, true) }]);
  });

  test("§8.5, §17: a payload of another branch is refused, and the right one is taken later", () => {
    const node = new Bench(b);
    const [header, entries] = appendEntries(2, genesis, 0, 2);
    const other = [entries[0] ?? entry(2, 1), entry(3, 2, { signature: true })];
    expect(node.receive(a, header, other)).toEqual([{ to: a, message: response(2, 1, false) }]);
    expect(node.receive(a, header, entries)).toEqual([{ to: a, message: response(2, 2, true) }]);
    expect(node.log).toBe("2 2");
  });

  test("§8.5: the same message twice changes nothing, and the second is acknowledged (§17)", () => {
    const node = new Bench(b);
    node.handle(message(a, appendEntries(2, genesis, 0, 2)));
    const again = node.handle(message(a, appendEntries(2, genesis, 0, 2)));
    expect(again.map(({ type }) => type)).toEqual(["send", "wait"]);
  });

  test("§8.5: commits the highest signature at or below the primary's commit seqno", () => {
    const node = new Bench(b);
    expect(commits(node.handle(message(a, appendEntries(2, log("2 2s 2 2s 2", abc), 0, 5, 3))))).toEqual([2]);
    expect(commits(node.handle(message(a, appendEntries(2, log("2 2s 2 2s 2", abc), 5, 5, 99))))).toEqual([4]);
  });

  test("§8.5: never commits a signature behind the end of the message, which may be of another branch", () => {
    // The backup holds a branch of view 4 that lost; the primary of view 5 has committed 8. A late NACK makes it start
    // at 4, and its first message ends where view 5 begins in its log.
    const branch = Bench.restored(b, log("2 2s 2 2s 3 3s 4 4s", abc), {
      commit: 4,
      hardState: { view: view(5), votedFor: undefined },
    });
    const primary = log("2 2s 2 2s 3 3s 5 5s", abc);
    expect(commits(branch.handle(message(a, appendEntries(5, primary, 4, 6, 8))))).toEqual([6]);
    expect(branch.handle(message(a, appendEntries(5, primary, 6, 8, 8))).map(({ type }) => type)).toContain("rollback");
    expect([branch.log, branch.replica.commitSeqno]).toEqual(["2 2 2 2 3 3 5 5", 8]);
  });

  test("§8.6: an ACK names the end of the message, not of the log (B5)", () => {
    expect(backup().receive(a, ...appendEntries(4, held, 2, 3))).toEqual([{ to: a, message: response(4, 3, true) }]);
  });

  test("§9.5: append-entries of a new view drop the unsigned tail and keep what is signed (B7)", () => {
    const node = backup();
    expect(rollbacks(node.handle(message(a, appendEntries(5, held, 2, 2))))).toEqual([4]);
  });

  test("§8.1: a pre-vote candidate that hears from its primary keeps what it has acknowledged", () => {
    const node = Bench.restored(b, held, { commit: 2, preVote: true });
    node.receive(a, ...appendEntries(3, held, 5, 5));
    node.campaign();
    expect(node.replica.role).toBe("pre-vote-candidate");
    expect(node.receive(a, ...appendEntries(3, held, 5, 5))).toEqual([{ to: a, message: response(3, 5, true) }]);
    expect([node.replica.role, node.replica.lastSeqno]).toEqual(["backup", 5]);
  });
});

describe("§8.8, §8.9 the primary counts", () => {
  const primary = (entries = genesis) => Bench.primary(a, entries, [b], { commit: 2 });

  test("a signature of this view that a majority of every configuration holds is committed", () => {
    const node = primary();
    node.write({}, { signature: true }, {});
    expect(commits(node.handle({ type: "message", from: b, message: node.ack(3) }))).toEqual([]);
    expect(commits(node.handle({ type: "message", from: b, message: node.ack(5) }))).toEqual([4]);
  });

  test("a signature of an older view is committed only with one of this view (B2)", () => {
    const node = primary(log("2 2s 2 2s", abc));
    expect(commits(node.handle({ type: "message", from: b, message: node.ack(4) }))).toEqual([]);
    node.write({ signature: true });
    expect(commits(node.handle({ type: "message", from: b, message: node.ack(5) }))).toEqual([5]);
  });

  test("a pending configuration counts too, even for signatures before it (§19, 5)", () => {
    const node = primary();
    node.write({ signature: true }, { configuration: [a, c, d] }, { signature: true });
    node.receive(b, node.ack(5));
    expect(node.replica.commitSeqno).toBe(2);
    node.receive(d, node.ack(3));
    expect(node.replica.commitSeqno).toBe(3);
  });

  test("so does the current one (commit quorum in the newest configuration only)", () => {
    const node = Bench.primary(a, log("2 2s", [a, b, c, d, e]), [b, c], { commit: 2 });
    node.write({ configuration: [a, b] }, { signature: true });
    node.receive(b, node.ack(4));
    expect(node.replica.commitSeqno).toBe(2);
    node.receive(c, node.ack(4));
    expect(node.replica.commitSeqno).toBe(4);
  });

  test("an ACK of an older view is ignored (B13), one for what was never sent too", () => {
    const node = primary();
    node.write({ signature: true });
    node.receive(b, response(2, 3, true));
    node.receive(c, node.ack(99));
    node.write({ signature: true });
    expect(node.replica.commitSeqno).toBe(2);
    expect(node.replica.peers.map(({ matchSeqno }) => matchSeqno)).toEqual([0, 0]);
  });

  test("a NACK, however old, moves sentSeqno alone, never up and never below what matches (B3, B8)", () => {
    const node = primary();
    node.write({}, { signature: true });
    node.tick(10);
    const progress = () => node.replica.peers.map(({ sentSeqno, matchSeqno }) => [sentSeqno, matchSeqno])[0];
    node.receive(b, response(2, 1, false));
    expect(progress()).toEqual([1, 0]);
    node.receive(b, response(3, 4, false));
    expect(progress()).toEqual([1, 0]);
    node.receive(b, node.ack(2));
    node.receive(b, response(0, 0, false));
    expect(progress()).toEqual([2, 2]);
    expect(node.replica.commitSeqno).toBe(2);
  });

  test("a response of a later view deposes it; of an unknown sender nothing is taken", () => {
    const node = primary();
    node.receive("z" as NodeId, response(9, 9, false));
    expect(node.replica.role).toBe("primary");
    node.receive(b, response(9, 9, false));
    expect([node.replica.role, node.replica.view]).toEqual(["backup", 9]);
  });
});

describe("§9 elections", () => {
  test("§9.1: no election without ticking, however late (§17)", () => {
    const node = new Bench(a);
    node.receive(b, ...appendEntries(2, log("2 2", [a, b]), 0, 2));
    expect(node.tick(100_000)).toEqual([]);
    expect(node.handle({ type: "tick" })).toEqual([{ type: "wait", untilMs: Number.POSITIVE_INFINITY }]);
    node.receive(b, ...appendEntries(2, log("2 2 2s", [a, b]), 2, 3));
    expect(node.replica.ticking).toBe(true);
  });

  test("§9.2: an accepted message and a granted vote restart the timer, a denied vote and a pre-vote do not", () => {
    for (const [restarts, from, input] of [
      [true, b, requestVote(3, 2, 2)],
      [false, b, requestVote(2, 0, 0)],
      [false, b, requestVote(2, 2, 2, ELECTION_PRE_VOTE)],
      [true, b, appendEntries(2, genesis, 2, 2)[0]],
    ] as const) {
      const node = Bench.restored(a, genesis, { commit: 2 });
      node.nowMs = 60;
      node.receive(from, input);
      node.tick(40);
      expect(node.replica.role).toBe(restarts ? "backup" : "candidate");
    }
  });

  test("§9.3: a pre-vote asks in the present view, and a majority makes it a candidate of the next", () => {
    const node = Bench.restored(a, genesis, { commit: 2, preVote: true });
    expect(node.campaign().map(({ message }) => message)).toEqual([
      requestVote(2, 2, 2, ELECTION_PRE_VOTE),
      requestVote(2, 2, 2, ELECTION_PRE_VOTE),
    ]);
    expect([node.replica.view, node.replica.role]).toEqual([2, "pre-vote-candidate"]);
    node.receive(b, node.voteResponse()); // a regular vote is not what was asked for
    expect(node.replica.role).toBe("pre-vote-candidate");
    node.receive(b, node.voteResponse(true, ELECTION_PRE_VOTE));
    expect([node.replica.view, node.replica.role]).toEqual([3, "candidate"]);
  });

  test("§9.4: a candidate advertises its last signature, not its last entry (B11)", () => {
    const node = Bench.restored(a, log("2 2s 2 2", abc), { commit: 2 });
    expect(node.campaign().map(({ message }) => message)).toEqual([requestVote(3, 2, 2), requestVote(3, 2, 2)]);
  });

  test("§9.4: a majority of the union is not enough (B1); duplicates and strangers do not count", () => {
    const entries = [
      ...log("2 2s", [a, b]),
      entry(2, 3, { configuration: [a, b, c, d, e] }),
      entry(2, 4, { signature: true }),
    ];
    const node = Bench.restored(c, entries, { commit: 2 });
    node.campaign();
    for (const from of [d, d, e, "z" as NodeId]) node.receive(from, node.voteResponse());
    expect(node.replica.role).toBe("candidate");
    node.receive(a, node.voteResponse());
    expect(node.replica.role).toBe("candidate");
    node.receive(b, node.voteResponse());
    expect(node.replica.role).toBe("primary");
  });

  test("§9.5: a new primary keeps its signatures, drops its unsigned tail and sends one empty message to each", () => {
    const node = Bench.restored(a, log("2 2s 2 2s 2", abc), { commit: 2 });
    node.campaign();
    const outputs = node.handle({ type: "message", from: b, message: node.voteResponse() });
    expect(rollbacks(outputs)).toEqual([4]);
    expect(sent(outputs).map(({ message }) => message)).toEqual(
      [b, c].map(() => expect.objectContaining({ type: "append-entries", prevSeqno: 4, seqno: 4, view: 3 })),
    );
    expect(node.replica.lastCommittableSeqno).toBe(4);
  });

  test("§9.5: a tail behind a signature is dropped also while the commit seqno is not known", () => {
    const node = Bench.primary(a, log("2 2s 2", abc), [b], { commit: 0 });
    expect(node.replica.lastSeqno).toBe(2);
  });

  test("§16 B2': elected, nothing new, stepped down, elected again: the last signature stays the same", () => {
    const node = Bench.primary(a, log("2 2s 2 2s", abc), [b], { commit: 2 });
    node.tick(100);
    expect(node.replica.role).toBe("backup");
    node.campaign();
    node.receive(b, node.voteResponse());
    expect([node.replica.role, node.replica.lastCommittableSeqno]).toEqual(["primary", 4]);
  });

  test("§9.6: a primary that hears from no majority steps down in its view and drops its unsigned tail", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2 });
    node.write({ signature: true }, {});
    node.tick(60);
    node.receive(b, response(0, 0, false));
    node.tick(60);
    expect(node.replica.role).toBe("primary"); // any response counts, also a NACK
    const before = node.outputs.length;
    node.tick(40);
    expect([node.replica.role, node.replica.view, node.replica.lastSeqno]).toEqual(["backup", 3, 3]);
    expect(rollbacks(node.outputs.slice(before))).toEqual([3]);
  });

  test("§9.6: a sole primary never steps down", () => {
    const sole = Bench.primary(a, log("2 2s", [a]), [], { commit: 2 });
    sole.tick(100_000);
    expect(sole.replica.role).toBe("primary");
  });

  test("§9.7: one vote in a view, and none once its primary is known (B9)", () => {
    const node = Bench.restored(a, genesis, { commit: 2 });
    const granted = (from: NodeId, of: number) => node.receive(from, requestVote(of, 2, 2))[0]?.message;
    expect(granted(b, 3)).toMatchObject({ granted: true, view: 3 });
    expect(granted(b, 3)).toMatchObject({ granted: true });
    expect(granted(c, 3)).toMatchObject({ granted: false });
    expect(granted(c, 2)).toMatchObject({ granted: false, view: 3 });
    node.receive(c, ...appendEntries(4, genesis, 2, 2));
    expect(granted(b, 4)).toMatchObject({ granted: false });
    expect(granted(b, 5)).toMatchObject({ granted: true });
  });

  test("§9.7: the vote lasts as long as the view, also through a pre-vote that came to nothing", () => {
    const node = Bench.restored(a, genesis, { commit: 2, preVote: true });
    node.receive(b, requestVote(3, 2, 2));
    node.campaign();
    node.receive(b, ...appendEntries(3, genesis, 2, 2)); // the elected primary is heard: pre-vote given up
    node.campaign(); // and forgotten again
    expect(node.replica.primary).toBeUndefined();
    expect(node.receive(c, requestVote(3, 2, 2))[0]?.message).toMatchObject({ granted: false });
  });

  test("§9.7: so it does for a candidate that follows another", () => {
    const node = Bench.restored(a, genesis, { commit: 2 });
    node.campaign();
    node.receive(b, ...appendEntries(3, genesis, 2, 2));
    expect(node.replica.votedFor).toBe(a);
  });

  test("§9.7: only a log whose last signature is as new gets a vote; a longer unsigned one does not help", () => {
    const granted = (lastView: number, last: number) =>
      Bench.restored(a, log("2 2s 3 3s 3 3", abc), { commit: 2 }).receive(b, requestVote(4, lastView, last))[0]
        ?.message;
    expect(granted(3, 4)).toMatchObject({ granted: true });
    expect(granted(4, 3)).toMatchObject({ granted: true });
    expect(granted(3, 3)).toMatchObject({ granted: false });
    expect(granted(2, 99)).toMatchObject({ granted: false });
  });

  test("§9.7: a pre-vote is granted beside a known primary, and leaves no vote", () => {
    const node = Bench.restored(a, genesis, { commit: 2 });
    node.receive(b, ...appendEntries(2, genesis, 2, 2));
    expect(node.receive(c, requestVote(2, 2, 2, ELECTION_PRE_VOTE))[0]?.message).toMatchObject({ granted: true });
    expect([node.replica.primary, node.replica.votedFor]).toEqual([b, undefined]);
  });

  test("§9.9: a named successor campaigns at once, in the right view only", () => {
    const node = Bench.restored(a, genesis, { commit: 2, preVote: true });
    node.receive(b, { type: "propose-request-vote", view: view(3) });
    expect(node.replica.role).toBe("backup");
    node.receive(b, { type: "propose-request-vote", view: view(2) });
    expect([node.replica.role, node.replica.view]).toEqual(["candidate", 3]);
  });

  test("§17: four nodes, view 1, nothing in the log", () => {
    const nodes = [a, b, c, d];
    const node = new Bench(a, {
      restored: {
        hardState: { view: view(0), votedFor: undefined },
        viewHistory: [],
        lastSeqno: seqno(0),
        commitSeqno: seqno(0),
        signatures: [],
        configurations: [{ seqno: seqno(0), nodes }],
      },
    });
    node.handle({ type: "start-ticking" });
    expect(node.campaign()).toEqual([b, c, d].map((to) => ({ to, message: requestVote(1, 0, 0) })));
    node.receive(b, node.voteResponse());
    const heartbeats = node.receive(c, node.voteResponse());
    expect(heartbeats).toEqual([b, c, d].map((to) => ({ to, message: appendEntries(1, [], 0, 0)[0] })));
  });
});

describe("§10, §11 membership", () => {
  /** a leads {a,b}; then {b,c} is signed and committed. */
  const swapped = () => {
    const node = Bench.primary(a, log("2 2s", [a, b]), [b], { commit: 2 });
    node.write({ configuration: [b, c] });
    expect(node.replica.retirementPhase).toBe("ordered");
    node.write({ signature: true });
    expect(node.replica.retirementPhase).toBe("signed");
    for (const from of [b, c]) node.receive(from, node.ack(4));
    expect(node.replica.retirementPhase).toBe("completed");
    return node;
  };

  test("§10.1: a configuration is active as soon as appended and goes with a rollback", () => {
    const node = new Bench(b);
    const entries = [...genesis, entry(2, 3, { configuration: [a, b] })];
    node.receive(a, ...appendEntries(2, entries, 0, 3));
    expect(node.replica.configurations).toHaveLength(2);
    node.receive(a, ...appendEntries(3, genesis, 2, 2));
    expect(node.replica.configurations).toHaveLength(1);
  });

  test("§10.3: a new node is told at once, with an empty message that ends before the entry that added it", () => {
    const node = Bench.primary(a, log("2 2s", [a]), [], { commit: 2 });
    const outputs = node.write({ configuration: [a, b] });
    expect(sent(outputs)).toEqual([{ to: b, message: expect.objectContaining({ prevSeqno: 2, seqno: 2 }) }]);
    expect(outputs).toContainEqual({ type: "peers", nodes: [b] });
  });

  test("§11.1, §11.3: a removed primary leads on and asks for the second entry", () => {
    const node = swapped();
    expect(node.replica.role).toBe("primary");
    expect(node.outputs).toContainEqual({ type: "cleanup-retired", nodes: [a] });
  });

  test("§11.3: each new primary asks again, until an entry names the node (B14)", () => {
    const entries = [
      ...log("2 2s", [a, b, c]),
      entry(2, 3, { configuration: [a, b] }),
      entry(2, 4, { signature: true }),
    ];
    const asked = (log: typeof entries) => {
      const node = Bench.restored(a, log, { commit: 4 });
      node.campaign();
      node.receive(b, node.voteResponse());
      return node.outputs.filter(({ type }) => type === "cleanup-retired");
    };
    expect(asked(entries)).toEqual([{ type: "cleanup-retired", nodes: [c] }]);
    const named = [...entries, entry(2, 5, { retired: [c] }), entry(2, 6, { signature: true })];
    expect(asked(named)).toEqual([]);
  });

  test("§11.5: retired-committed, it names a successor, leads no more, and never campaigns again", () => {
    const node = swapped();
    node.write({ retired: [a] }, { signature: true });
    node.receive(b, node.ack(6));
    const last = node.receive(c, node.ack(6));
    expect(last).toEqual([{ to: b, message: { type: "propose-request-vote", view: node.replica.view } }]);
    expect([node.replica.role, node.replica.retirementPhase]).toEqual(["none", "retired-committed"]);
    expect(node.tick(100_000)).toEqual([]);
    expect(node.receive(b, requestVote(9, 3, 6))[0]?.message).toMatchObject({ granted: true });
  });

  test("§11.2, §11.4: a removed node keeps its record until it is retired-committed (B15)", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2 });
    node.write({ configuration: [a, b] }, { signature: true });
    node.receive(b, node.ack(4));
    expect(node.replica.peers.map((peer) => peer.node)).toEqual([b, c]);
    expect(node.replica.removedNodes).toEqual([c]);
    node.write({ retired: [c] }, { signature: true });
    node.receive(b, node.ack(6));
    expect(node.replica.peers.map((peer) => peer.node)).toEqual([b]);
    expect(node.replica.removedNodes).toEqual([]);
  });

  test("§11.4, `tellRetired`: the last message to a removed node carries the commit that ends its part", () => {
    for (const tellRetired of [false, true]) {
      const node = Bench.primary(a, genesis, [b], { commit: 2, tellRetired });
      node.write({ configuration: [a, b] }, { signature: true });
      node.receive(b, node.ack(4));
      node.write({ retired: [c] }, { signature: true });
      node.tick(10);
      const told = node.receive(b, node.ack(6)).filter(({ to }) => to === c);
      const last = { type: "append-entries", prevSeqno: 6, seqno: 6, commitSeqno: 6 };
      expect(told.map(({ message }) => message)).toMatchObject(tellRetired ? [last] : []);
    }
  });

  test("§11.4: an entry that retires a member does not take its record", () => {
    const node = Bench.primary(a, genesis, [b], { commit: 2 });
    node.write({ retired: [a, c] }, { signature: true });
    node.receive(b, node.ack(4));
    expect(node.replica.peers.map((peer) => peer.node)).toEqual([b, c]);
    expect([node.replica.role, node.replica.retirementPhase]).toEqual(["primary", undefined]);
  });
});

describe("§12 bootstrap, join, recovery", () => {
  test("§12.1: a service starts in view 2, and only where no primary is known", () => {
    const node = new Bench(a);
    node.handle({ type: "start" });
    expect([node.replica.view, node.replica.role, node.replica.lastSeqno]).toEqual([2, "primary", 0]);
    expect(() => node.handle({ type: "start" })).toThrow();
  });

  test("§12.2: a joiner starts at its snapshot, follows, and takes what comes behind it", () => {
    const node = new Bench(b);
    node.handle({
      type: "join",
      seqno: seqno(40),
      view: view(5),
      viewHistory: [
        { view: view(2), seqno: seqno(1) },
        { view: view(4), seqno: seqno(30) },
      ],
      configurations: [{ seqno: seqno(3), nodes: [a, b] }],
    });
    const { replica } = node;
    expect([replica.role, replica.view, replica.lastSeqno, replica.commitSeqno]).toEqual(["backup", 5, 40, 40]);
    expect(replica.viewAt(seqno(29))).toBe(2);
    const [message] = appendEntries(5, [], 0, 0);
    const next = { ...message, prevSeqno: seqno(40), prevView: view(4), seqno: seqno(41), viewOfSeqno: view(5) };
    expect(node.receive(a, next, [entry(5, 41, { signature: true })])[0]?.message).toEqual(response(5, 41, true));
    expect(() => node.handle({ type: "join", seqno: seqno(0), view: view(6), viewHistory: [] })).toThrow();
  });

  test("§12.3: recovery is a start on top of a restored log", () => {
    const node = Bench.restored(a, log("2 2s 3 3s 3", abc), { commit: 4 });
    const outputs = node.handle({ type: "start" });
    expect(rollbacks(outputs)).toEqual([4]);
    expect([node.replica.view, node.replica.role]).toEqual([5, "primary"]);
  });
});

describe("§3.1 durable mode", () => {
  const durable = { durability: "durable", commit: 2 } as const;

  test("a vote leaves when view and vote are durable", () => {
    const node = Bench.restored(a, genesis, durable);
    const outputs = node.handle({ type: "message", from: b, message: requestVote(3, 2, 2) });
    expect(sent(outputs)).toEqual([]);
    expect(outputs).toContainEqual({ type: "persist", token: 1, hardState: { view: 3, votedFor: b } });
    expect(node.persistAll()).toEqual([{ to: b, message: expect.objectContaining({ granted: true }) }]);
  });

  test("an ACK leaves when its entries are durable; a NACK does not wait for them", () => {
    const node = Bench.restored(b, genesis, durable);
    expect(node.receive(a, ...appendEntries(2, log("2 2s 2 2s"), 2, 4))).toEqual([]);
    expect(node.receive(a, ...appendEntries(2, log("2 2s 2 2s 2"), 5, 5))).toEqual([
      { to: a, message: response(2, 4, false) },
    ]);
    expect(node.receive(a, ...appendEntries(2, log("2 2s 2 2s"), 4, 4))).toEqual([]); // a heartbeat's ACK says the same
    expect(node.persistAll()).toEqual([
      { to: a, message: response(2, 4, true) },
      { to: a, message: response(2, 4, true) },
    ]);
  });

  test("a candidate asks, and counts itself, when its vote is durable", () => {
    const node = Bench.restored(a, genesis, durable);
    expect(node.campaign()).toEqual([]);
    expect(node.persistAll().map(({ to }) => to)).toEqual([b, c]);
    const sole = Bench.restored(a, log("2 2s", [a]), durable);
    sole.campaign();
    expect(sole.replica.role).toBe("candidate");
    sole.persistAll();
    expect(sole.replica.role).toBe("primary");
  });

  test("a primary sends before it has persisted, and counts itself when it has", () => {
    const node = Bench.primary(a, genesis, [b], { ...durable, eagerSend: true });
    node.write({ signature: true });
    expect(sent(node.handle({ type: "flush" }))).toHaveLength(2);
    node.receive(b, node.ack(3));
    expect([node.replica.commitSeqno, node.replica.durableSeqno]).toEqual([2, 2]);
    node.persistAll();
    expect([node.replica.commitSeqno, node.replica.durableSeqno]).toEqual([3, 3]);
  });

  test("a restarted node remembers its vote, and may truncate in the view it was in", () => {
    const node = Bench.restored(b, log("2 2s 3 3s", abc), { ...durable, hardState: { view: view(4), votedFor: c } });
    expect(node.receive(a, requestVote(4, 3, 4))[0]?.message).toMatchObject({ granted: false });
    expect(node.receive(c, requestVote(4, 3, 4))[0]?.message).toMatchObject({ granted: true });
    expect(rollbacks(node.handle(message(c, appendEntries(4, log("2 2s 4"), 2, 3))))).toEqual([2]);
  });

  test("a restarted sole node elects itself and commits what it held with its next signature", () => {
    const node = Bench.restored(a, log("2 2s 2 2s 2", [a]), { durability: "durable", commit: 0 });
    expect(node.replica.ticking).toBe(true);
    node.campaign();
    node.persistAll();
    expect([node.replica.role, node.replica.lastSeqno, node.replica.commitSeqno]).toEqual(["primary", 4, 0]);
    node.write({ signature: true });
    node.persistAll();
    expect(node.replica.commitSeqno).toBe(5);
  });

  test("who was never a signed member does not tick after a restart", () => {
    expect(Bench.restored(d, genesis, durable).replica.ticking).toBe(false);
    const added = [...genesis, entry(2, 3, { configuration: [a, b, c, d] })];
    expect(Bench.restored(d, added, durable).replica.ticking).toBe(false);
    expect(Bench.restored(d, [...added, entry(2, 4, { signature: true })], durable).replica.ticking).toBe(true);
  });

  test("a replay finds the same state that the entries made", () => {
    const entries = [
      ...log("2 2s 2 3 3s", abc),
      entry(3, 6, { configuration: [a, b] }),
      entry(3, 7, { signature: true }),
      entry(3, 8, { retired: [c] }),
    ];
    const hardState = { view: view(3), votedFor: undefined };
    const state = replayLog({ id: a, hardState, commitSeqno: seqno(5), entries });
    // The entry at 8 tells that the removal at 6 was committed, whatever the hint says: c may be gone for ever.
    expect(state).toMatchObject({ commitSeqno: 7, removed: [c], retirements: [{ seqno: 8, nodes: [c] }] });
    const half = replayLog({ id: a, hardState, commitSeqno: seqno(5), entries: entries.slice(0, 5) });
    expect(replayLog({ id: a, hardState, commitSeqno: seqno(5), entries: entries.slice(5), base: half })).toEqual(
      state,
    );
  });

  test("entries of a view newer than the hard state make the view, without a vote", () => {
    const hardState = { view: view(2), votedFor: b };
    const state = replayLog({ id: a, hardState, commitSeqno: seqno(0), entries: log("2 2s 3", abc) });
    expect(state.hardState).toEqual({ view: 3, votedFor: undefined });
  });
});

describe("outputs", () => {
  test("what must be stored comes before what is sent, and each input ends with one wait", () => {
    const node = new Bench(b);
    const outputs = node.handle(message(a, appendEntries(2, genesis, 0, 2, 2)));
    expect(outputs.map(({ type }) => type)).toEqual([
      "role",
      "role",
      "peers",
      "append",
      "commit",
      "persist",
      "send",
      "wait",
    ]);
    expect(node.replica.pollOutput()).toBeUndefined();
  });

  test("an input whose outputs were not polled yet loses none of them, and its wait is replaced", () => {
    const node = Bench.restored(a, genesis, { commit: 2 });
    node.replica.handle({ type: "tick" }, 100);
    node.replica.handle({ type: "tick" }, 101);
    const types: string[] = [];
    for (let output = node.replica.pollOutput(); output !== undefined; output = node.replica.pollOutput())
      types.push(output.type);
    expect(types.filter((type) => type === "wait")).toEqual(["wait"]);
    expect(types).toContain("send");
  });

  test("wait says when the next tick is due", () => {
    const node = Bench.restored(a, genesis, { commit: 2 });
    expect(node.handle({ type: "tick" }).at(-1)).toEqual({ type: "wait", untilMs: 100 });
    node.campaign();
    const outputs = node.handle({ type: "message", from: b, message: node.voteResponse() });
    expect(outputs.at(-1)).toEqual({ type: "wait", untilMs: 110 });
  });

  test.each([0, undefined])(
    "nodes that come back together do not campaign together (time at construction: %s)",
    (nowMs) => {
      const dueMs = (drawn: number) => {
        const time = nowMs === undefined ? {} : { nowMs };
        const node = Bench.restored(a, genesis, { commit: 2, random: () => drawn, ...time });
        const last = node.handle({ type: "start-ticking" }).at(-1);
        return last?.type === "wait" ? last.untilMs : undefined;
      };
      expect([dueMs(0), dueMs(30)]).toEqual([100, 70]);
    },
  );

  test("a clock that steps back counts as no time passed", () => {
    const node = Bench.restored(a, genesis, { commit: 2 });
    node.nowMs = 50;
    node.handle({ type: "tick" });
    node.nowMs = 0;
    expect(node.tick(0)).toEqual([]);
    node.nowMs = 100;
    expect(node.tick(0)).not.toEqual([]);
  });

  test("after the last view number there is no further campaign, and no endless wait", () => {
    const node = Bench.restored(a, genesis, { commit: 2 });
    node.receive(b, requestVote(VIEW_MAX, 2, 2));
    expect(node.tick(1_000)).toEqual([]);
    expect(node.handle({ type: "tick" }).at(-1)).toEqual({ type: "wait", untilMs: Number.POSITIVE_INFINITY });
  });
});

function message(from: NodeId, [header, entries]: ReturnType<typeof appendEntries>) {
  return { type: "message", from, message: header, entries } as const;
}
