import { expect, test } from "vitest";
import { hex } from "./bytes.js";
import { decodeHandshakeV1, encodeHandshakeV1, type HandshakeMessageV1, V1_FIELD_BYTES_MAX } from "./handshake-v1.js";

const share = Uint8Array.of(0x61, 0x04);
const signature = Uint8Array.of(0x30);
const certificate = Uint8Array.of(0x2d, 0x2d, 0x2d);
const salt = Uint8Array.of(0x55);

const u64 = (value: string): string => value.padEnd(16, "0");
const FIELDS = `${u64("02")}6104${u64("01")}30${u64("03")}2d2d2d`;
const GOLDEN: readonly [HandshakeMessageV1, string][] = [
  [{ kind: "init", share, signature, certificate, salt }, `${u64("")}${u64("01")}${FIELDS}${u64("01")}55`],
  [{ kind: "response", share, signature, certificate }, `${u64("01")}${u64("01")}${FIELDS}`],
  [{ kind: "final", signature }, `${u64("02")}${u64("01")}30`],
];

function codeOf(bytes: Uint8Array): unknown {
  try {
    return decodeHandshakeV1(bytes);
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

function messageAt(index: number): Uint8Array {
  const [message] = GOLDEN[index] ?? [];
  if (message === undefined) throw new Error("no such message");
  return encodeHandshakeV1(message);
}

test.each(GOLDEN)("$kind has the bytes of channel-v1-wire §3", (message, golden) => {
  const bytes = encodeHandshakeV1(message);
  expect(hex(bytes)).toBe(golden);
  expect(decodeHandshakeV1(bytes)).toEqual(message);
});

test("bytes behind a final are ignored, as version 1 has it (§3.5); behind the others they are refused", () => {
  expect(codeOf(Uint8Array.of(...messageAt(2), 1, 2))).toEqual({ kind: "final", signature });
  expect(codeOf(Uint8Array.of(...messageAt(0), 1))).toBe("trailing");
  expect(codeOf(Uint8Array.of(...messageAt(1), 1))).toBe("trailing");
});

test("another kind, version 2's included, or another version is refused", () => {
  for (const kind of [3, 16, 19]) {
    const bytes = messageAt(0);
    bytes[0] = kind;
    expect(codeOf(bytes)).toBe("unknown-kind");
  }
  for (const version of [0, 2]) {
    const bytes = messageAt(1);
    bytes[8] = version;
    expect(codeOf(bytes)).toBe("unknown-kind");
  }
});

test("empty fields and fields over the bound are refused and never written", () => {
  const empty = messageAt(2);
  empty[8] = 0;
  expect(codeOf(empty)).toBe("malformed");
  const atBound = encodeHandshakeV1({ kind: "final", signature: new Uint8Array(V1_FIELD_BYTES_MAX) });
  expect(codeOf(atBound)).toMatchObject({ kind: "final" });
  atBound[8] = 1;
  expect(codeOf(atBound)).toBe("too-large");
  for (const length of [0, V1_FIELD_BYTES_MAX + 1]) {
    expect(() => encodeHandshakeV1({ kind: "final", signature: new Uint8Array(length) })).toThrow(RangeError);
  }
});
