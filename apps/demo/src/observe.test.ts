import type { NodeEvent } from "@sealane/node";
import { NodeId, seqno, view } from "@sealane/wire";
import { expect, test } from "vitest";
import { Observation } from "./observe.js";

const PEER = NodeId.parse("b".repeat(64));

function header(over: Partial<Extract<NodeEvent, { type: "header" }>>): NodeEvent {
  const base = {
    type: "header",
    peer: PEER,
    direction: "sent",
    view: view(2),
    bytes: 10,
    entries: 0,
    atMs: 0,
  } as const;
  return { ...base, kind: "append-entries", ...over };
}

test("append-entries without entries is a heartbeat, with entries it says which", () => {
  const observation = new Observation();
  expect(observation.describe(header({}), 5)).toMatchObject({ heartbeat: true, atMs: 5 });
  const row = observation.describe(
    header({ entries: 3, prevSeqno: seqno(9), seqno: seqno(12), commitSeqno: seqno(8) }),
    6,
  );
  expect(row).toMatchObject({ heartbeat: false, detail: "3 entries · seqno 10–12 · committed 8 · view 2" });
});

test("an acknowledgement of the same seqno again is a heartbeat, per peer and direction", () => {
  const observation = new Observation();
  const ack = (direction: "sent" | "received", last: number) =>
    observation.describe(header({ kind: "append-entries-response", direction, seqno: seqno(last) }), 0)?.heartbeat;
  expect([ack("sent", 4), ack("sent", 4), ack("received", 4), ack("sent", 5), ack("sent", 5)]).toEqual([
    false,
    true,
    false,
    false,
    true,
  ]);
});

test("a key exchange step carries its direction once, and a commit is no row", () => {
  const observation = new Observation();
  const step = observation.describe({ type: "exchange", peer: PEER, step: "init-sent", direction: "sent", atMs: 0 }, 0);
  expect(step).toMatchObject({ group: "exchange", what: "init", direction: "sent", peer: PEER });
  const commit: NodeEvent = { type: "commit", txId: { view: view(2), seqno: seqno(3) }, atMs: 0 };
  expect(observation.describe(commit, 0)).toBeUndefined();
});
