/** One flipped byte in frames, headers and entries between real nodes; see `tampered-pair.ts` for what is asked of them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONSENSUS, FORWARDED, HEAD_BYTES, isFrame, TamperedPair, u64 } from "./tampered-pair.js";

const APPEND_ENTRIES = 0;
const RESPONSE = 1;
/** Header 89 ‖ keyId 4 ‖ counter 8 ‖ tag 16. */
const ENTRIES_OFFSET = HEAD_BYTES + 89 + 28;

const withEntries = (frame: Uint8Array) => isFrame(frame, CONSENSUS, APPEND_ENTRIES) && frame.length > ENTRIES_OFFSET;
const acknowledgement = (frame: Uint8Array) => isFrame(frame, CONSENSUS, RESPONSE);
const forwarded = (frame: Uint8Array) => u64(frame, 4) === FORWARDED;

let pair: TamperedPair;

beforeAll(async () => {
  pair = await TamperedPair.open();
}, 60_000);
afterAll(() => pair?.close(), 30_000);

describe("the frame around a message", { timeout: 90_000 }, () => {
  test.each([
    ["its size, low", 0],
    ["its size, high", 3],
    ["its type", 4],
    ["the length of the sender's id", 12],
    ["the first digit of the sender's id", 20],
    ["the last digit of the sender's id", 83],
  ])("%s", async (_, offset) => {
    await pair.flipAndRecover(withEntries, offset, () => pair.write(0));
  });
});

describe("the header of append-entries", { timeout: 90_000 }, () => {
  test.each([
    ["kind", 0],
    ["seqno", 8],
    ["prevSeqno", 16],
    ["view", 24],
    ["prevView", 32],
    ["commitSeqno", 40],
    ["viewOfSeqno", 48],
    ["the unused byte", 56],
    ["the first byte of entriesDigest", 57],
    ["the last byte of entriesDigest", 88],
    ["keyId", 89],
    ["counter", 93],
    ["tag", 101],
  ])("%s", async (_, offset) => {
    await pair.flipAndRecover(withEntries, HEAD_BYTES + offset, () => pair.write(0));
  });
});

describe("a ledger entry on its way", { timeout: 90_000 }, () => {
  test.each([
    ["version", 0],
    ["flags", 1],
    ["size", 2],
    ["GCM tag", 8],
    ["IV seqno", 24],
    ["IV view", 32],
    ["length of the public domain", 36],
    ["entry type", 44],
    ["public domain", 60],
  ])("%s", async (_, offset) => {
    await pair.flipAndRecover(withEntries, ENTRIES_OFFSET + offset, () => pair.write(0));
  });

  test("the last byte of the last entry", async () => {
    await pair.flipAndRecover(withEntries, -1, () => pair.write(0));
  });
});

describe("an acknowledgement", { timeout: 90_000 }, () => {
  test.each([
    ["kind", 0],
    ["view", 8],
    ["lastSeqno", 16],
    ["success", 24],
    ["keyId", 25],
    ["counter", 29],
    ["tag", 37],
  ])("%s", async (_, offset) => {
    await pair.flipAndRecover(acknowledgement, HEAD_BYTES + offset, () => pair.write(0));
  });
});

describe("a forwarded request or answer", { timeout: 90_000 }, () => {
  test.each([
    ["header", HEAD_BYTES + 8],
    ["tag", HEAD_BYTES + 25 + 12],
    ["the last byte of the ciphertext", -1],
  ])("%s", async (_, offset) => {
    await pair.flipAndRecover(forwarded, offset, () => pair.write(1));
  });
});

test("after all of that nothing was lost, doubled or made up", { timeout: 90_000 }, async () => {
  await pair.judge();
  expect([...pair.refusals.keys()]).toEqual(
    expect.arrayContaining(["bad-tag", "entries-digest", "unknown-key", "unknown-kind"]),
  );
});
