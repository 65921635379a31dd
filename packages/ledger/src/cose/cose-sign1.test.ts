import { concatBytes, fromHex, seqno, view } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCbor } from "./cbor.js";
import { type CoseSign1, coseSignedBytes, decodeCoseSign1, encodeCoseSign1 } from "./cose-sign1.js";

const header = {
  algorithm: -35,
  keyId: "ab".repeat(32),
  issuedAt: 1_750_000_000,
  issuer: "service.example.com",
  subject: "ledger.signature",
  txId: { view: view(2), seqno: seqno(78) },
} as const;
const bare: CoseSign1 = { header, signature: new Uint8Array(96).fill(1) };
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
  ["ES256", { header: { ...header, algorithm: -7 }, signature: new Uint8Array(64) } as const],
])("decode ∘ encode is the identity: %s", (_, sign1) => {
  expect(decodeCoseSign1(encodeCoseSign1(sign1))).toEqual(sign1);
});

test("the header is in the order of §7.3, numbers in their shortest form", () => {
  const bytes = encodeCoseSign1(bare);
  // 18([ bstr(…) { 1: -35, 4: bstr(64) …
  expect(bytes.subarray(0, 11)).toEqual(fromHex("d284588ca5013822045840"));
});

test("RFC 9052 §4.4: what is signed starts with the context and ends with the payload", () => {
  const root = new Uint8Array(32).fill(9);
  const bytes = coseSignedBytes(header, root);
  expect(bytes.subarray(0, 12)).toEqual(concatBytes(fromHex("846a"), new TextEncoder().encode("Signature1")));
  expect(bytes.subarray(-35)).toEqual(concatBytes(fromHex("405820"), root));
});

test("every single-bit flip is refused, or decodes to something else that encodes to these very bytes", () => {
  const bytes = encodeCoseSign1(receipt);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const decoded = decodeCoseSign1(flipped);
    if (decoded !== undefined) expect(encodeCoseSign1(decoded)).toEqual(flipped);
  }
});

describe("another spelling of the same values is refused", () => {
  test.each([
    ["23 in a second byte, which only 24 needs", "1817"],
    ["an indefinite array", "9f01ff"],
    ["an indefinite byte string", "5f4101ff"],
    ["a repeated map key", "a201010102"],
    ["a trailing byte", "0000"],
    ["undefined", "f7"],
    ["NaN", "f97e00"],
    ["another tag", "c100"],
    ["a 64-bit number", "1b0020000000000000"],
    ["nothing", ""],
    ["a cut item", "58"],
  ])("%s", (_, text) => {
    expect(decodeCbor(fromHex(text))).toBeUndefined();
  });

  test("the header with its keys in another order", () => {
    const [first = 0, ...rest] = encodeCoseSign1(bare);
    const bytes = Uint8Array.of(first, ...rest);
    // { 1: -35, 4: kid, … } with its first two members exchanged.
    const kid = bytes.slice(8, 8 + 67);
    bytes.set(kid, 5);
    bytes.set([0x01, 0x38, 0x22], 5 + 67);
    expect(decodeCbor(bytes)).toBeDefined();
    expect(decodeCoseSign1(bytes)).toBeUndefined();
  });
});

describe("hostile input costs nothing and throws nothing", () => {
  test("nesting 200,000 deep", () => {
    expect(decodeCbor(new Uint8Array(200_000).fill(0x81))).toBeUndefined();
    expect(decodeCbor(new Uint8Array(200_000).fill(0xd2))).toBeUndefined();
    expect(decodeCbor(new Uint8Array(200_000).fill(0xa1))).toBeUndefined();
  });

  test("an array, a map and a string of 2^53 items", () => {
    for (const major of ["9b", "bb", "5b", "7b"]) {
      expect(decodeCbor(fromHex(`${major}001fffffffffffff`))).toBeUndefined();
      expect(decodeCbor(fromHex(`${major}00000000ffffffff`))).toBeUndefined();
    }
  });

  test("any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decodeCoseSign1(bytes);
        decodeCoseSign1(concatBytes(fromHex("d284"), bytes));
      }),
    );
  });
});
