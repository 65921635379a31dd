import { type ConsensusMessage, type NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { DurabilityGate, HELD_MESSAGES_MAX } from "./durability-gate.js";

const peer = "p" as NodeId; // the core never looks inside an id
const ack = (at: number): ConsensusMessage => ({
  type: "append-entries-response",
  view: view(2),
  lastSeqno: seqno(at),
  success: true,
});
const released = (gate: DurabilityGate) => gate.release().map(({ message }) => message);

describe("DurabilityGate, durable", () => {
  const durable = (at = 0) => new DurabilityGate("durable", seqno(at));

  test("an ACK waits for the token that covers its seqno, and no longer", () => {
    const gate = durable(3);
    gate.appended();
    gate.send(peer, ack(3), seqno(3));
    gate.send(peer, ack(5), seqno(5));
    const first = gate.nextToken(seqno(5));
    expect(released(gate)).toEqual([ack(3)]);
    gate.appended();
    gate.send(peer, ack(8), seqno(8));
    gate.send(peer, ack(4), seqno(4)); // covered by the first token already
    gate.nextToken(seqno(8));
    expect(released(gate)).toEqual([]);
    gate.persisted(first?.token ?? 0);
    expect(released(gate)).toEqual([ack(5), ack(4)]);
    expect(gate.durableSeqno(seqno(8))).toBe(5);
  });

  test("nothing is asked for that has not changed, and a rollback is a change", () => {
    const gate = durable(4);
    expect(gate.nextToken(seqno(4))).toBeUndefined();
    gate.persisted(0); // older than every token
    expect(gate.durableSeqno(seqno(4))).toBe(4);
    gate.rolledBack(seqno(3));
    expect(gate.nextToken(seqno(3))).toEqual({ token: 1, hardState: false });
    expect(gate.nextToken(seqno(3))).toBeUndefined();
  });

  test("a snapshot that the owner made durable is acknowledged at once", () => {
    const gate = durable();
    gate.startAt(seqno(40));
    expect(gate.durableSeqno(seqno(40))).toBe(40);
    gate.send(peer, ack(40), seqno(40));
    expect(released(gate)).toEqual([ack(40)]);
  });

  test("every message waits for the hard state it speaks for", () => {
    const gate = durable();
    gate.hardStateSet();
    gate.send(peer, ack(0));
    expect(gate.nextToken(seqno(0))).toEqual({ token: 1, hardState: true });
    expect(released(gate)).toEqual([]);
    expect(gate.hardStateDurable).toBe(false);
    gate.persisted(1);
    expect(gate.hardStateDurable).toBe(true);
    expect(released(gate)).toEqual([ack(0)]);
  });

  test("a message without log dependence does not wait for the log", () => {
    const gate = durable();
    gate.appended();
    gate.send(peer, ack(0));
    gate.nextToken(seqno(9));
    expect(released(gate)).toHaveLength(1);
  });

  test("a rollback caps what is durable and what is about to be", () => {
    const gate = durable(4);
    gate.appended();
    const before = gate.nextToken(seqno(10));
    gate.rolledBack(seqno(6));
    expect(gate.durableSeqno(seqno(6))).toBe(4); // a cut above it makes nothing durable
    gate.appended();
    const after = gate.nextToken(seqno(8));
    gate.persisted(before?.token ?? 0);
    expect(gate.durableSeqno(seqno(8))).toBe(6);
    gate.rolledBack(seqno(5));
    expect(gate.durableSeqno(seqno(5))).toBe(5);
    gate.persisted(after?.token ?? 0);
    expect(gate.durableSeqno(seqno(5))).toBe(5);
  });

  test("one token acknowledges all before it; old ones are ignored, unknown ones refused", () => {
    const gate = durable();
    for (const at of [1, 2, 3]) {
      gate.appended();
      expect(gate.nextToken(seqno(at))?.token).toBe(at);
    }
    expect(gate.nextToken(seqno(3))).toBeUndefined();
    gate.persisted(3);
    gate.persisted(1);
    expect(gate.durableSeqno(seqno(3))).toBe(3);
    expect(() => gate.persisted(4)).toThrow();
  });

  test("what waits is bounded; the oldest go first", () => {
    const gate = durable();
    gate.hardStateSet();
    for (let at = 0; at <= HELD_MESSAGES_MAX; at++) gate.send(peer, ack(at));
    gate.nextToken(seqno(0));
    expect(released(gate)).toEqual([]);
    gate.persisted(1);
    const all = released(gate);
    expect(all).toHaveLength(HELD_MESSAGES_MAX);
    expect(all[0]).toEqual(ack(1));
  });
});

test("ephemeral: nothing waits and everything counts", () => {
  const gate = new DurabilityGate("ephemeral", seqno(0));
  gate.hardStateSet();
  gate.appended();
  gate.send(peer, ack(9), seqno(9));
  expect(gate.hardStateDurable).toBe(true);
  expect(gate.durableSeqno(seqno(9))).toBe(9);
  expect(gate.nextToken(seqno(9))).toEqual({ token: 1, hardState: true });
  expect(released(gate)).toEqual([ack(9)]);
});
