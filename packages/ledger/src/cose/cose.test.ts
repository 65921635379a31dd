import { concatBytes, equalBytes, fromHex, seqno, utf8, view } from "@sealane/wire";
import { decode, encode, Tagged } from "cborg";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CborError, CborReader } from "./cbor-reader.js";
import { type CoseHeader, type CoseSign1, coseSignedBytes, decodeCoseSign1 } from "./cose-sign1.js";
import { encodeCoseHeader, encodeCoseSign1 } from "./encode-cose.js";

const header = {
  algorithm: -35,
  keyId: "ab".repeat(32),
  issuedAt: 1_750_000_000,
  issuer: "service.example.com",
  subject: "ledger.signature",
  txId: { view: view(2), seqno: seqno(78) },
} as const;

function sign1(header: CoseHeader, signatureBytes = 96): CoseSign1 {
  return { header, protectedBytes: encodeCoseHeader(header), signature: new Uint8Array(signatureBytes).fill(1) };
}

const bare = sign1(header);
const receipt: CoseSign1 = {
  ...bare,
  proof: {
    writeSetDigest: new Uint8Array(32).fill(2),
    commitEvidence: `ce:2.78:${"cd".repeat(32)}`,
    claimsDigest: new Uint8Array(32),
    path: [{ left: new Uint8Array(32).fill(3) }, { right: new Uint8Array(32).fill(4) }],
  },
};

test.each([
  ["a signature", bare],
  ["a receipt", receipt],
  ["ES256", sign1({ ...header, algorithm: -7 }, 64)],
  ["a long header", sign1({ ...header, issuer: "x".repeat(300) })],
])("decode ∘ encode is the identity: %s", (_, cose) => {
  expect(decodeCoseSign1(encodeCoseSign1(cose))).toEqual(cose);
});

test("an independent reader finds the same values", () => {
  const options = { strict: true, useMaps: true, tags: Tagged.preserve(18) };
  const { value } = decode(encodeCoseSign1(receipt), options);
  expect(value[2]).toBeNull();
  expect(decode(value[0], options)).toEqual(
    new Map<unknown, unknown>([
      [1, -35],
      [4, utf8(header.keyId)],
      [395, 2],
      [
        15,
        new Map<unknown, unknown>([
          [6, header.issuedAt],
          [1, header.issuer],
          [2, header.subject],
        ]),
      ],
      ["ccf.v1", new Map([["txid", "2.78"]])],
    ]),
  );
  expect(decode(value[1].get(396).get(-1)[0], options).get(2)).toEqual([
    [true, new Uint8Array(32).fill(3)],
    [false, new Uint8Array(32).fill(4)],
  ]);
});

test("the header is in the order of §7.3, numbers in their shortest form", () => {
  const bytes = encodeCoseSign1(bare);
  // 18([ bstr(…) { 1: -35, 4: bstr(64) …
  expect(bytes.subarray(0, 11)).toEqual(fromHex("d284588ca5013822045840"));
});

test("RFC 9052 §4.4: what is signed starts with the context and ends with the payload", () => {
  const root = new Uint8Array(32).fill(9);
  const bytes = coseSignedBytes(bare, root);
  expect(bytes).toEqual(new Uint8Array(encode(["Signature1", bare.protectedBytes, new Uint8Array(0), root])));
  const long = sign1({ ...header, issuer: "x".repeat(300) });
  expect(coseSignedBytes(long, root)).toEqual(
    new Uint8Array(encode(["Signature1", long.protectedBytes, new Uint8Array(0), root])),
  );
  expect(bytes.subarray(0, 12)).toEqual(concatBytes(fromHex("846a"), new TextEncoder().encode("Signature1")));
  expect(bytes.subarray(-35)).toEqual(concatBytes(fromHex("405820"), root));
});

test("every single-bit flip is refused, or decodes to something else that encodes to these very bytes", () => {
  const bytes = encodeCoseSign1(receipt);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const decoded = decodeCoseSign1(flipped);
    if (decoded !== undefined) expect(equalBytes(encodeCoseSign1(decoded), flipped)).toBe(true);
  }
});

describe("another spelling of the same values is refused", () => {
  const refused = (text: string, read: (reader: CborReader) => unknown) => {
    expect(() => read(new CborReader(fromHex(text)))).toThrow(CborError);
  };

  test.each([
    ["23 in a second byte, which only 24 needs", "1817"],
    ["255 in two bytes", "1900ff"],
    ["65,535 in four", "1a0000ffff"],
    ["2^32 − 1 in eight", "1b00000000ffffffff"],
    ["2^53, which is not exact", "1b0020000000000000"],
    ["an indefinite length", "1f"],
    ["a reserved head", "1c"],
    ["a number cut short", "1a0000"],
    ["nothing", ""],
  ])("%s", (_, text) => refused(text, (reader) => reader.integer()));

  test("byte strings and texts", () => {
    refused("5f4101ff", (reader) => reader.bytes());
    refused("4201", (reader) => reader.bytes());
    refused("61ff", (reader) => reader.text());
    refused("f7", (reader) => reader.null());
    refused("f6", (reader) => reader.boolean());
    refused("00", (reader) => reader.end());
  });

  test("the header with its members in another order", () => {
    const bytes = bare.protectedBytes.slice();
    // { 1: -35, 4: kid, … } with its first two members exchanged.
    bytes.set(bare.protectedBytes.subarray(4, 4 + 67), 1);
    bytes.set(bare.protectedBytes.subarray(1, 4), 1 + 67);
    expect(decode(bytes, { useMaps: true }).get(1)).toBe(-35);
    expect(decodeCoseSign1(encodeCoseSign1({ ...bare, protectedBytes: bytes }))).toBeUndefined();
  });

  test.each([
    ["a payload", (value: unknown[]) => [value[0], value[1], new Uint8Array(32), value[3]]],
    ["a signature of another length", (value: unknown[]) => [value[0], value[1], null, new Uint8Array(64)]],
    ["a member of the unprotected header", (value: unknown[]) => [value[0], new Map([[1, 2]]), null, value[3]]],
    ["a fifth item", (value: unknown[]) => [...value, null]],
  ])("%s", (_, change) => {
    const { value } = decode(encodeCoseSign1(bare), { useMaps: true, tags: Tagged.preserve(18) });
    expect(decodeCoseSign1(encode(new Tagged(18, change(value))))).toBeUndefined();
    expect(decodeCoseSign1(encode(new Tagged(17, value)))).toBeUndefined();
    expect(decodeCoseSign1(encode(value))).toBeUndefined();
  });
});

describe("hostile input costs nothing and throws nothing", () => {
  test("nesting, and lengths beyond the bytes", () => {
    for (const byte of [0x81, 0xa1, 0xd2, 0x9f])
      expect(decodeCoseSign1(new Uint8Array(60_000).fill(byte))).toBeUndefined();
    for (const head of ["9b", "bb", "5b", "7b"]) {
      expect(decodeCoseSign1(fromHex(`d284${head}001fffffffffffff`))).toBeUndefined();
      expect(decodeCoseSign1(fromHex(`d284${head}00000000ffffffff`))).toBeUndefined();
    }
    expect(decodeCoseSign1(new Uint8Array(1_000_000))).toBeUndefined();
  });

  test("any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decodeCoseSign1(bytes);
        decodeCoseSign1(concatBytes(fromHex("d284"), bytes));
        decodeCoseSign1(encodeCoseSign1({ ...bare, protectedBytes: bytes }));
      }),
    );
  });
});
