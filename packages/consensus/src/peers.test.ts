import { type NodeId, seqno } from "@sealane/wire";
import { expect, test } from "vitest";
import { Peers } from "./peers.js";

const [a, b] = ["a", "b"] as [NodeId, NodeId]; // the core never looks inside an id

test("a new record starts above the log's end, with nothing known to be held", () => {
  expect(new Peers().add(a, seqno(7), 50)).toEqual({ sentSeqno: 8, matchSeqno: 0, lastAckMs: 50 });
});

test("records are walked in ascending order, however they were added", () => {
  const peers = new Peers();
  peers.add(b, seqno(0), 0);
  peers.add(a, seqno(0), 0);
  expect(peers.ids).toEqual([a, b]);
  expect(Array.from(peers, ([id]) => id)).toEqual([a, b]);
});

test("without a record there is none to walk", () => {
  expect([new Peers().ids, Array.from(new Peers())]).toEqual([[], []]);
});

test("a record that is deleted while they are walked is left out", () => {
  const peers = new Peers();
  for (const node of [a, b]) peers.add(node, seqno(0), 0);
  const walked: NodeId[] = [];
  for (const [node] of peers) {
    walked.push(node);
    peers.delete(b);
  }
  expect(walked).toEqual([a]);
});

test("a deleted record is gone, and only a known one can be deleted", () => {
  const peers = new Peers();
  peers.add(a, seqno(0), 0);
  expect([peers.delete(b), peers.delete(a), peers.delete(a)]).toEqual([false, true, false]);
  expect(peers.get(a)).toBeUndefined();
  expect(peers.ids).toEqual([]);
});

test("all acknowledgement timers restart together", () => {
  const peers = new Peers();
  const record = peers.add(a, seqno(0), 0);
  peers.restartAckTimers(30);
  expect(record.lastAckMs).toBe(30);
});
