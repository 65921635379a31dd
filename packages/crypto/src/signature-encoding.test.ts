import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nativeSuite } from "./native-suite.js";
import { signatureFromDer, signatureToDer } from "./signature-encoding.js";
import type { Curve } from "./suite.js";

describe.each([
  ["P-384", 48],
  ["P-256", 32],
] as const)("%s", (curve: Curve, half: number) => {
  const small = fc.integer({ min: 1, max: half });
  /** r or s of any length, below the order because the top byte stays low. */
  const part = small
    .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
    .map((tail) => {
      const bytes = new Uint8Array(half);
      bytes.set(tail, half - tail.length);
      bytes[0] = (bytes[0] ?? 0) & 0x7f;
      bytes[half - 1] = (bytes[half - 1] ?? 0) | 1;
      return bytes;
    });

  test("from ∘ to is the identity, whatever the lengths of r and s", () => {
    fc.assert(
      fc.property(part, part, (r, s) => {
        const raw = Uint8Array.of(...r, ...s);
        expect(signatureFromDer(signatureToDer(raw), curve)).toEqual(raw);
      }),
    );
  });

  test("a byte changed, left out or added in DER gives another signature or none", () => {
    const { privateKey } = nativeSuite.generateKeyPair(curve);
    const raw = nativeSuite.sign(privateKey, new Uint8Array());
    const der = signatureToDer(raw);
    for (let at = 0; at <= der.length; at++) {
      const [before, after] = [der.subarray(0, at), der.subarray(at + 1)];
      const changed =
        at < der.length
          ? [Uint8Array.of(...before, (der[at] ?? 0) ^ 1, ...after), Uint8Array.of(...before, ...after)]
          : [];
      for (const other of [...changed, Uint8Array.of(...before, 0, ...der.subarray(at))]) {
        if (Buffer.from(other).equals(Buffer.from(der))) continue;
        expect(decoded(other, curve)).not.toEqual(raw);
      }
    }
  });

  test.each([
    ["nothing", []],
    ["r = 0", [0x30, 6, 2, 1, 0, 2, 1, 1]],
    ["s = 0", [0x30, 6, 2, 1, 1, 2, 1, 0]],
    ["a negative r", [0x30, 6, 2, 1, 0x80, 2, 1, 1]],
    ["a zero in front of r", [0x30, 7, 2, 2, 0, 1, 2, 1, 1]],
    ["a length in the long form", [0x30, 0x81, 6, 2, 1, 1, 2, 1, 1]],
    ["a byte behind the end", [0x30, 6, 2, 1, 1, 2, 1, 1, 0]],
    ["a third integer", [0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1]],
    ["one integer", [0x30, 3, 2, 1, 1]],
    ["an empty integer", [0x30, 5, 2, 0, 2, 1, 1]],
    ["an indefinite length", [0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0]],
    [
      "an r longer than the field",
      [0x30, 5 + 2 * half, 2, half + 2, 1, ...new Array<number>(half + 1).fill(1), 2, 1, 1],
    ],
  ])("refuses DER with %s", (_, der) => {
    expect(() => signatureFromDer(Uint8Array.from(der), curve)).toThrow(refusal);
  });

  test("refuses r or s that is 0 or not below the order", () => {
    const one = new Uint8Array(half);
    one[half - 1] = 1;
    for (const bad of [new Uint8Array(half), new Uint8Array(half).fill(0xff)]) {
      expect(() => signatureToDer(Uint8Array.of(...bad, ...one))).toThrow(refusal);
      expect(() => signatureToDer(Uint8Array.of(...one, ...bad))).toThrow(refusal);
    }
  });
});

test.each([0, 63, 65, 95, 97])("refuses a raw signature of %s bytes", (length) => {
  expect(() => signatureToDer(new Uint8Array(length).fill(1))).toThrow(refusal);
});

const refusal: unknown = expect.objectContaining({ name: "CryptoError", code: "bad-signature" });

function decoded(der: Uint8Array, curve: Curve): Uint8Array | undefined {
  try {
    return signatureFromDer(der, curve);
  } catch {
    return undefined;
  }
}
