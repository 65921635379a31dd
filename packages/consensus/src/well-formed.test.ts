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

const nack: ConsensusMessage = {
  type: "append-entries-response",
  view: view(0),
  lastSeqno: seqno(0),
  success: false,
};
const vote: ConsensusMessage = {
  type: "request-vote",
  view: view(3),
  lastCommittableSeqno: seqno(4),
  viewOfLastCommittableSeqno: view(3),
  election: ELECTION_REGULAR,
};
const answer: ConsensusMessage = {
  type: "request-vote-response",
  view: view(1),
  granted: true,
  election: ELECTION_REGULAR,
};
const proposal: ConsensusMessage = { type: "propose-request-vote", view: view(1) };

/** What no field of a number may hold, whatever its sender says. */
const noNumbers = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];

test.each([
  ["append-entries", appendEntries, ["view", "prevView", "viewOfSeqno"], ["seqno", "prevSeqno", "commitSeqno"]],
  ["a response to them", nack, ["view"], ["lastSeqno"]],
  ["a vote request", vote, ["view", "viewOfLastCommittableSeqno"], ["lastCommittableSeqno"]],
  ["a vote", answer, ["view"], []],
  ["a proposal", proposal, ["view"], []],
] as const)("%s: each number is an integer in its range", (_, message, views, seqnos) => {
  expect(isWellFormed(message)).toBe(true);
  for (const field of [...views, ...seqnos]) {
    for (const value of noNumbers)
      expect(isWellFormed({ ...message, [field]: value }), `${field} ${value}`).toBe(false);
  }
  for (const field of views) expect(isWellFormed({ ...message, [field]: VIEW_MAX + 1 })).toBe(false);
});

test("a message of another kind is not, whatever a codec may have let through", () => {
  // No type of ours has this kind: it stands for one that a later version might send.
  expect(isWellFormed({ ...proposal, type: "snapshot" } as never)).toBe(false);
});

test("the last view there is, and an empty log, can be spoken of", () => {
  expect(isWellFormed({ ...nack, view: view(VIEW_MAX), lastSeqno: seqno(Number.MAX_SAFE_INTEGER) })).toBe(true);
  expect(isWellFormed({ ...proposal, view: view(VIEW_MAX) })).toBe(true);
  const empty = { lastCommittableSeqno: seqno(0), viewOfLastCommittableSeqno: view(0) };
  expect(isWellFormed({ ...vote, ...empty, view: view(1) })).toBe(true);
  const heartbeat = { seqno: seqno(0), prevSeqno: seqno(0), prevView: view(0), viewOfSeqno: view(0) };
  expect(isWellFormed({ ...appendEntries, ...heartbeat, commitSeqno: seqno(0), view: view(1) })).toBe(true);
});

test.each([vote, answer, proposal, appendEntries])(
  "$type of view 0 is not: nobody leads or campaigns in it",
  (message) => {
    expect(isWellFormed({ ...message, view: view(0) })).toBe(false);
  },
);

test("nor is a vote request whose last signature is of a later view", () => {
  expect(isWellFormed({ ...vote, viewOfLastCommittableSeqno: view(4) })).toBe(false);
  expect(isWellFormed({ ...vote, viewOfLastCommittableSeqno: view(2) })).toBe(true);
});
