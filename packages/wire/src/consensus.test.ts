import { expect, test } from "vitest";
import { seqno, VIEW_MAX, view } from "./brands.js";
import { fromHex, hex } from "./bytes.js";
import { consensusHeaderBytes, decodeConsensus, encodeConsensus } from "./consensus.js";
import type { AppendEntries, ConsensusMessage } from "./consensus-message.js";

const APPEND: AppendEntries = {
  type: "append-entries",
  seqno: seqno(0x0102),
  prevSeqno: seqno(0x0101),
  view: view(5),
  prevView: view(3),
  commitSeqno: seqno(0xff),
  viewOfSeqno: view(4),
};
const HEARTBEAT: AppendEntries = { ...APPEND, prevSeqno: APPEND.seqno };
const DIGEST = fromHex("d1".repeat(32));

const u64 = (low: string): string => low.padEnd(16, "0");
const APPEND_V1 = `${u64("")}${u64("0201")}${u64("0101")}${u64("05")}${u64("03")}${u64("ff")}${u64("04")}00`;

const GOLDEN: readonly [ConsensusMessage, string][] = [
  [
    { type: "append-entries-response", view: view(2), lastSeqno: seqno(7), success: true },
    `${u64("01")}${u64("02")}${u64("07")}00`,
  ],
  [
    { type: "append-entries-response", view: view(2), lastSeqno: seqno(7), success: false },
    `${u64("01")}${u64("02")}${u64("07")}01`,
  ],
  [
    {
      type: "request-vote",
      view: view(VIEW_MAX),
      lastCommittableSeqno: seqno(Number.MAX_SAFE_INTEGER),
      viewOfLastCommittableSeqno: view(1),
      election: 1,
    },
    `${u64("03")}${u64("ffffff7f")}ffffffffffff1f00${u64("01")}01000000`,
  ],
  [{ type: "request-vote-response", view: view(2), granted: true, election: 0 }, `${u64("04")}${u64("02")}0100000000`],
  [{ type: "propose-request-vote", view: view(9) }, `${u64("05")}${u64("09")}`],
];

function codeOf(header: Uint8Array): unknown {
  try {
    return decodeConsensus(header).message;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

function changed(message: ConsensusMessage, offset: number, value: number): Uint8Array {
  const header = encodeConsensus(message, message === APPEND ? DIGEST : undefined);
  header[offset] = value;
  return header;
}

test.each(GOLDEN)("%o has the bytes of consensus spec §13 in both versions", (message, golden) => {
  expect(hex(encodeConsensus(message))).toBe(golden);
  expect(hex(encodeConsensus(message, undefined, { version: 1 }))).toBe(golden);
  expect(decodeConsensus(fromHex(golden))).toEqual({ message });
  expect(decodeConsensus(fromHex(golden), { version: 1 })).toEqual({ message });
});

test("append-entries has 57 bytes in version 1, and the entries digest behind them in version 2", () => {
  expect(hex(encodeConsensus(APPEND, undefined, { version: 1 }))).toBe(APPEND_V1);
  expect(hex(encodeConsensus(APPEND, DIGEST))).toBe(APPEND_V1 + "d1".repeat(32));
  expect(decodeConsensus(fromHex(APPEND_V1), { version: 1 })).toEqual({ message: APPEND });
  expect(decodeConsensus(encodeConsensus(APPEND, DIGEST))).toEqual({ message: APPEND, entriesDigest: DIGEST });
});

test("a message without entries has 32 zero bytes for a digest", () => {
  expect(decodeConsensus(encodeConsensus(HEARTBEAT)).entriesDigest).toEqual(new Uint8Array(32));
});

test("a digest that is missing, misplaced or of the wrong length is the caller's bug", () => {
  expect(() => encodeConsensus(APPEND)).toThrow(TypeError);
  expect(() => encodeConsensus(APPEND, DIGEST.subarray(1))).toThrow(TypeError);
  expect(() => encodeConsensus(APPEND, DIGEST, { version: 1 })).toThrow(TypeError);
  expect(() => encodeConsensus({ type: "propose-request-vote", view: view(1) }, DIGEST)).toThrow(TypeError);
});

test("the header's length follows from the kind, and what lies behind it does not matter", () => {
  for (const [message] of GOLDEN) {
    const header = encodeConsensus(message);
    const payload = new Uint8Array(header.length + 50);
    payload.set(header);
    expect(consensusHeaderBytes(payload)).toBe(header.length);
  }
  const payload = new Uint8Array(200);
  expect(consensusHeaderBytes(payload)).toBe(89);
  expect(consensusHeaderBytes(payload, { version: 1 })).toBe(57);
  expect(() => consensusHeaderBytes(payload.subarray(0, 88))).toThrow(expect.objectContaining({ code: "truncated" }));
  expect(() => consensusHeaderBytes(payload.subarray(0, 7))).toThrow(expect.objectContaining({ code: "truncated" }));
});

test.each([2, 6, 255])("kind %d is refused, as soon as its 8 bytes are there", (kind) => {
  const header = changed(HEARTBEAT, 0, kind);
  expect(codeOf(header)).toBe("unknown-kind");
  for (const payload of [header, header.subarray(0, 8)]) {
    expect(() => consensusHeaderBytes(payload)).toThrow(expect.objectContaining({ code: "unknown-kind" }));
  }
});

test("views above 2^31 - 1 and seqnos above 2^53 - 1 are refused", () => {
  for (const offset of [24 + 3, 32 + 3, 48 + 3]) expect(codeOf(changed(APPEND, offset, 0x80))).toBe("out-of-range");
  for (const offset of [8 + 6, 16 + 6, 40 + 6]) expect(codeOf(changed(APPEND, offset, 0x20))).toBe("out-of-range");
});

test("flags and election types other than 0 and 1 are refused", () => {
  const [response, , vote, voteResponse] = GOLDEN.map(([message]) => message);
  if (response === undefined || vote === undefined || voteResponse === undefined) throw new Error("no such message");
  expect(codeOf(changed(APPEND, 56, 1))).toBe("out-of-range");
  expect(codeOf(changed(response, 24, 2))).toBe("out-of-range");
  expect(codeOf(changed(vote, 32, 2))).toBe("out-of-range");
  expect(codeOf(changed(vote, 35, 1))).toBe("out-of-range");
  expect(codeOf(changed(voteResponse, 16, 2))).toBe("out-of-range");
  expect(codeOf(changed(voteResponse, 17, 2))).toBe("out-of-range");
});

test("append-entries that ends before it starts is refused, and never written", () => {
  expect(codeOf(changed(APPEND, 8, 0))).toBe("out-of-range");
  expect(() => encodeConsensus({ ...APPEND, prevSeqno: seqno(0x0103) }, DIGEST)).toThrow(RangeError);
});

test("a view above 2^31 - 1 is never written", () => {
  expect(() => encodeConsensus({ type: "propose-request-vote", view: view(VIEW_MAX + 1) })).toThrow(RangeError);
});
