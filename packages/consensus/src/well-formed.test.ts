import { type ConsensusMessage, ELECTION_REGULAR, seqno, VIEW_MAX, view } from "@sealane/wire";
import { expect, test } from "vitest";
import { isWellFormed } from "./well-formed.js";

const appendEntries: ConsensusMessage = {
  type: "append-entries",
  seqno: seqno(5),
  prevSeqno: seqno(3),
  view: view(4),
  prevView: view(2),
  commitSeqno: seqno(2),
  viewOfSeqno: view(3),
};

test("what a sound node sends is well formed", () => {
  expect(isWellFormed(appendEntries)).toBe(true);
  expect(isWellFormed({ ...appendEntries, seqno: seqno(3), viewOfSeqno: view(2) })).toBe(true);
  const nack: ConsensusMessage = {
    type: "append-entries-response",
    view: view(0),
    lastSeqno: seqno(0),
    success: false,
  };
  expect(isWellFormed(nack)).toBe(true);
});

test.each([
  ["a range that runs backwards", { prevSeqno: seqno(6) }],
  ["entries of a view after the sender's", { viewOfSeqno: view(5) }],
  ["entries of a view before that of the entry they follow", { viewOfSeqno: view(1) }],
  ["entries without a view", { viewOfSeqno: view(0), prevView: view(0) }],
  ["view 0", { view: view(0) }],
  ["a view past the last", { view: view(VIEW_MAX + 1) }],
  ["a seqno that is no integer", { seqno: seqno(5.5) }],
  ["a seqno that is no number", { commitSeqno: seqno(Number.NaN) }],
  ["a negative seqno", { prevSeqno: seqno(-1) }],
])("append-entries with %s are not", (_, change) => {
  expect(isWellFormed({ ...appendEntries, ...change })).toBe(false);
});

test("nor is a vote request whose last signature is of a later view", () => {
  const message: ConsensusMessage = {
    type: "request-vote",
    view: view(3),
    lastCommittableSeqno: seqno(4),
    viewOfLastCommittableSeqno: view(4),
    election: ELECTION_REGULAR,
  };
  expect(isWellFormed(message)).toBe(false);
  expect(isWellFormed({ ...message, viewOfLastCommittableSeqno: view(2) })).toBe(true);
});
