import { expect, test } from "vitest";
import { concatBytes, hex } from "./bytes.js";
import {
  CERTIFICATE_BYTES_MAX,
  decodeHandshake,
  decodeRecordTrailer,
  encodeConfirm,
  encodeFinalUnsigned,
  encodeInitUnsigned,
  encodeRecordTrailer,
  encodeResponseUnsigned,
} from "./handshake.js";
import { parseNodeId } from "./ids.js";

const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

const INIT = {
  initiator: parseNodeId("11".repeat(32)),
  responder: parseNodeId("22".repeat(32)),
  nonce: fill(32, 0x33),
  share: fill(97, 0x44),
  certificate: fill(3, 0x55),
};
const RESPONSE = { handshakeId: fill(8, 0x66), nonce: INIT.nonce, share: INIT.share, certificate: INIT.certificate };
const TRAILER = { keyId: fill(4, 0x77), counter: 1, tag: fill(16, 0x88) };
const SIGNATURES = [fill(96, 0x99), fill(64, 0x99)];

const UNSIGNED = {
  init: encodeInitUnsigned(INIT),
  response: encodeResponseUnsigned(RESPONSE),
  final: encodeFinalUnsigned(RESPONSE.handshakeId),
};

function codeOf(bytes: Uint8Array): unknown {
  try {
    return decodeHandshake(bytes);
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

test("messages have the bytes of channel-v2 §2", () => {
  const exchange = `${"33".repeat(32) + "44".repeat(97)}03000000555555`;
  const id = "66".repeat(8);
  expect(hex(UNSIGNED.init)).toBe(
    `${"1000000000000000"}0200000000000000${"11".repeat(32)}${"22".repeat(32)}${exchange}`,
  );
  expect(hex(UNSIGNED.response)).toBe(`${"1100000000000000"}0200000000000000${id}${exchange}`);
  expect(hex(UNSIGNED.final)).toBe(`${"1200000000000000"}0200000000000000${id}`);
  expect(hex(encodeConfirm(RESPONSE.handshakeId))).toBe(`${"1300000000000000"}0200000000000000${id}`);
  expect(hex(encodeRecordTrailer(TRAILER))).toBe(`${"77".repeat(4)}0100000000000000${"88".repeat(16)}`);
});

test.each(SIGNATURES)(
  "decode ∘ encode is the identity, and `signed` is what stands above the signature",
  (signature) => {
    const decode = (unsigned: Uint8Array) => decodeHandshake(concatBytes(unsigned, signature));
    expect(decode(UNSIGNED.init)).toEqual({ kind: "init", ...INIT, signed: UNSIGNED.init, signature });
    expect(decode(UNSIGNED.response)).toEqual({ kind: "response", ...RESPONSE, signed: UNSIGNED.response, signature });
    const { handshakeId } = RESPONSE;
    expect(decode(UNSIGNED.final)).toEqual({ kind: "final", handshakeId, signed: UNSIGNED.final, signature });
  },
);

test("confirm is a header and a record trailer", () => {
  const header = encodeConfirm(RESPONSE.handshakeId);
  const confirm = concatBytes(header, encodeRecordTrailer(TRAILER));
  expect(decodeHandshake(confirm)).toEqual({ kind: "confirm", handshakeId: RESPONSE.handshakeId, header, ...TRAILER });
});

test.each(Object.entries(UNSIGNED))("the signature of %s has 96 or 64 bytes and nothing behind it", (_, unsigned) => {
  for (let length = 0; length <= 100; length++) {
    const expected = length < 64 ? "truncated" : length > 96 ? "trailing" : "malformed";
    if (length === 64 || length === 96) continue;
    expect(codeOf(concatBytes(unsigned, fill(length, 1)))).toBe(expected);
  }
});

test("another kind or version, version 1 included, is refused", () => {
  for (const kind of [0, 1, 2, 15, 20]) {
    const bytes = concatBytes(UNSIGNED.init, fill(96, 0));
    bytes[0] = kind;
    expect(codeOf(bytes)).toBe("unknown-kind");
  }
  for (const version of [0, 1, 3]) {
    const bytes = concatBytes(UNSIGNED.init, fill(96, 0));
    bytes[8] = version;
    expect(codeOf(bytes)).toBe("unknown-kind");
  }
});

test("a certificate at the bound is taken; a larger or an empty one is refused", () => {
  const certificate = fill(CERTIFICATE_BYTES_MAX, 1);
  const bytes = concatBytes(encodeInitUnsigned({ ...INIT, certificate }), fill(96, 0));
  expect(codeOf(bytes)).toMatchObject({ certificate });
  new DataView(bytes.buffer).setUint32(209, CERTIFICATE_BYTES_MAX + 1, true);
  expect(codeOf(bytes)).toBe("too-large");
  new DataView(bytes.buffer).setUint32(209, 0, true);
  expect(codeOf(bytes)).toBe("malformed");
});

test("record counters start at 1 and end at 2^53 - 1", () => {
  const bytes = encodeRecordTrailer({ ...TRAILER, counter: Number.MAX_SAFE_INTEGER });
  expect(decodeRecordTrailer(bytes).counter).toBe(Number.MAX_SAFE_INTEGER);
  bytes[10] = 0x20;
  expect(() => decodeRecordTrailer(bytes)).toThrow(expect.objectContaining({ code: "out-of-range" }));
  bytes.fill(0, 4, 12);
  expect(() => decodeRecordTrailer(bytes)).toThrow(expect.objectContaining({ code: "out-of-range" }));
  expect(() => encodeRecordTrailer({ ...TRAILER, counter: 0 })).toThrow(RangeError);
});

test("fields of a wrong length are the caller's bug", () => {
  expect(() => encodeInitUnsigned({ ...INIT, nonce: fill(31, 0) })).toThrow(RangeError);
  expect(() => encodeInitUnsigned({ ...INIT, share: fill(98, 0) })).toThrow(RangeError);
  expect(() => encodeInitUnsigned({ ...INIT, certificate: fill(0, 0) })).toThrow(RangeError);
  expect(() => encodeInitUnsigned({ ...INIT, certificate: fill(CERTIFICATE_BYTES_MAX + 1, 0) })).toThrow(RangeError);
  expect(() => encodeResponseUnsigned({ ...RESPONSE, handshakeId: fill(7, 0) })).toThrow(RangeError);
  expect(() => encodeFinalUnsigned(fill(9, 0))).toThrow(RangeError);
  expect(() => encodeConfirm(fill(9, 0))).toThrow(RangeError);
  expect(() => encodeRecordTrailer({ ...TRAILER, keyId: fill(5, 0) })).toThrow(RangeError);
  expect(() => encodeRecordTrailer({ ...TRAILER, tag: fill(12, 0) })).toThrow(RangeError);
});
