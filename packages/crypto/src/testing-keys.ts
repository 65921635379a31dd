/** Conformance of a suite: keys and their encodings, signatures, agreement. */

import { expect, test } from "vitest";
import type { CryptoSuite, Curve, HashName } from "./suite.js";
import { ascii, bytes, flipped, hex } from "./testing-bytes.js";
import { expectPlain, expectRefusal } from "./testing-expect.js";
import { RFC_6979 } from "./testing-vectors.js";

const FIELD_BYTES: Readonly<Record<Curve, number>> = { "P-384": 48, "P-256": 32 };
const HASHES: readonly HashName[] = ["SHA-256", "SHA-384"];

export function keys(suite: CryptoSuite, reference: CryptoSuite, curve: Curve): void {
  const pair = suite.generateKeyPair(curve);

  test("a public key has its point and its SPKI, and both read back", () => {
    const { publicKey } = pair;
    expect(publicKey.point.length).toBe(1 + 2 * FIELD_BYTES[curve]);
    expect(publicKey.spki.subarray(-publicKey.point.length)).toEqual(publicKey.point);
    for (const other of [suite, reference]) {
      for (const read of [other.importPublicKey(publicKey.spki), other.importPoint(curve, publicKey.point)]) {
        expect(read).toMatchObject({ type: "public", curve });
        expect(read.point).toEqual(publicKey.point);
        expect(read.spki).toEqual(publicKey.spki);
        expectPlain(read.point);
        expectPlain(read.spki);
      }
    }
  });

  test("two key pairs differ", () => {
    expect(suite.generateKeyPair(curve).publicKey.point).not.toEqual(pair.publicKey.point);
  });

  test("a private key is written alike by every suite and read by any", () => {
    const pkcs8 = suite.exportPrivateKey(pair.privateKey);
    expectPlain(pkcs8);
    for (const other of [suite, reference]) {
      const read = other.importPrivateKey(pkcs8);
      expect(read.publicKey.point).toEqual(pair.publicKey.point);
      expect(other.exportPrivateKey(read.privateKey)).toEqual(pkcs8);
    }
  });

  test("refuses points that are compressed, cut, padded, hybrid, off the curve, out of range, or infinite", () => {
    const { point } = pair.publicKey;
    const compressed = Uint8Array.of(0x02 + ((point.at(-1) ?? 0) & 1), ...point.subarray(1, 1 + FIELD_BYTES[curve]));
    const refused = [
      new Uint8Array(),
      Uint8Array.of(0),
      compressed,
      point.subarray(1),
      point.subarray(0, -1),
      Uint8Array.of(...point, 0),
      flipped(point, point.length - 1),
      flipped(point, 1),
      Uint8Array.of(0x06 + ((point.at(-1) ?? 0) & 1), ...point.subarray(1)), // hybrid form
      Uint8Array.of(4, ...new Uint8Array(point.length - 1)),
      Uint8Array.of(4, ...new Uint8Array(point.length - 1).fill(0xff)),
      new Uint8Array(point.length),
    ];
    for (const bad of refused) expectRefusal(() => suite.importPoint(curve, bad), "bad-point");
  });

  test("refuses an SPKI that is cut, padded, or not in its one encoding", () => {
    const { spki, point } = pair.publicKey;
    expectRefusal(() => suite.importPublicKey(new Uint8Array()), "malformed");
    expectRefusal(() => suite.importPublicKey(spki.subarray(0, -1)), "malformed");
    expectRefusal(() => suite.importPublicKey(Uint8Array.of(...spki, 0)), "not-canonical");
    expectRefusal(() => suite.importPublicKey(flipped(spki, spki.length - 1)), "bad-point");
    // The same content with a length in the long form.
    const longForm = Uint8Array.of(0x30, 0x82, 0x00, spki.length - 2, ...spki.subarray(2));
    expectRefusal(() => suite.importPublicKey(longForm), "not-canonical");
    const otherCurve = spki.slice();
    otherCurve[spki.length - point.length - 4] = 0x23; // the last byte of the curve's object identifier
    expectRefusal(() => suite.importPublicKey(otherCurve), "unsupported-curve");
  });

  test("refuses a private key that is cut, padded, zero, too large, or beside another public key", () => {
    const pkcs8 = suite.exportPrivateKey(pair.privateKey);
    const scalarAt = pkcs8.length - pair.publicKey.point.length - 5 - FIELD_BYTES[curve];
    const withScalar = (fill: number) => pkcs8.slice().fill(fill, scalarAt, scalarAt + FIELD_BYTES[curve]);
    expectRefusal(() => suite.importPrivateKey(new Uint8Array()), "malformed");
    expectRefusal(() => suite.importPrivateKey(pkcs8.subarray(0, -1)), "malformed");
    expectRefusal(() => suite.importPrivateKey(Uint8Array.of(...pkcs8, 0)), "not-canonical");
    expectRefusal(() => suite.importPrivateKey(withScalar(0)), "bad-scalar");
    expectRefusal(() => suite.importPrivateKey(withScalar(0xff)), "bad-scalar");
    expectRefusal(() => suite.importPrivateKey(flipped(pkcs8, scalarAt + FIELD_BYTES[curve] - 1)), "key-mismatch");
  });
}

export function signatures(suite: CryptoSuite, reference: CryptoSuite, curve: Curve): void {
  const pair = suite.generateKeyPair(curve);
  const message = ascii("a message");

  test("a signature is r and s at full length and verifies in either suite", () => {
    const signature = suite.sign(pair.privateKey, message);
    expect(signature.length).toBe(2 * FIELD_BYTES[curve]);
    expectPlain(signature);
    expect(suite.verify(pair.publicKey, message, signature)).toBe(true);
    expect(reference.verify(pair.publicKey, message, signature)).toBe(true);
  });

  test("a signature of the reference verifies here", () => {
    const other = reference.generateKeyPair(curve);
    const signature = reference.sign(other.privateKey, message);
    expect(suite.verify(other.publicKey, message, signature)).toBe(true);
    expect(suite.verify(suite.importPublicKey(other.publicKey.spki), message, signature)).toBe(true);
  });

  test.each(HASHES)("%s can be asked for, whatever the curve", (hash) => {
    const signature = suite.sign(pair.privateKey, message, hash);
    expect(suite.verify(pair.publicKey, message, signature, hash)).toBe(true);
    expect(reference.verify(pair.publicKey, message, signature, hash)).toBe(true);
    const isDefault = hash === (curve === "P-384" ? "SHA-384" : "SHA-256");
    expect(suite.verify(pair.publicKey, message, signature)).toBe(isDefault);
  });

  test("nothing else verifies: another message, key, byte, order or length", () => {
    const signature = suite.sign(pair.privateKey, message);
    const half = signature.length / 2;
    const swapped = Uint8Array.of(...signature.subarray(half), ...signature.subarray(0, half));
    const refused = [
      flipped(signature, 0),
      flipped(signature, signature.length - 1),
      swapped,
      new Uint8Array(signature.length),
      new Uint8Array(signature.length).fill(0xff),
      signature.subarray(1),
      Uint8Array.of(...signature, 0),
      new Uint8Array(),
    ];
    for (const bad of refused) expect(suite.verify(pair.publicKey, message, bad)).toBe(false);
    expect(suite.verify(pair.publicKey, ascii("another message"), signature)).toBe(false);
    expect(suite.verify(suite.generateKeyPair(curve).publicKey, message, signature)).toBe(false);
  });

  test("high and low s both verify", () => {
    const signature = suite.sign(pair.privateKey, message);
    expect(suite.verify(pair.publicKey, message, negatedS(signature, curve))).toBe(true);
  });

  if (curve === "P-384") {
    test("RFC 6979 §A.2.6: the signature of sample verifies", () => {
      const key = suite.importPoint(curve, bytes(`04${RFC_6979.x}${RFC_6979.y}`));
      expect(suite.verify(key, ascii("sample"), bytes(RFC_6979.r + RFC_6979.s))).toBe(true);
    });
  }
}

export function agreement(suite: CryptoSuite, reference: CryptoSuite, curve: Curve): void {
  test("both ends get the same X, whichever suite each uses", () => {
    const a = suite.generateKeyPair(curve);
    const b = reference.generateKeyPair(curve);
    const shared = suite.agree(a.privateKey, b.publicKey);
    expect(shared.length).toBe(FIELD_BYTES[curve]);
    expectPlain(shared);
    expect(reference.agree(b.privateKey, a.publicKey)).toEqual(shared);
    expect(suite.agree(a.privateKey, suite.generateKeyPair(curve).publicKey)).not.toEqual(shared);
  });

  test("refuses a peer on another curve", () => {
    const own = suite.generateKeyPair(curve);
    const peer = suite.generateKeyPair(curve === "P-384" ? "P-256" : "P-384");
    expect(() => suite.agree(own.privateKey, peer.publicKey)).toThrow(TypeError);
  });

  test("refuses a made-up public key that is not on the curve", () => {
    const own = suite.generateKeyPair(curve);
    const { point, spki } = own.publicKey;
    const forged = { type: "public", curve, point: flipped(point, point.length - 1), spki } as const;
    expect(() => suite.agree(own.privateKey, forged)).toThrow();
  });
}

/** FIPS 186-5 §6.4.2 holds for −s as well as for s: if (r, s) signs a message, so does (r, n − s). */
function negatedS(signature: Uint8Array, curve: Curve): Uint8Array {
  const half = signature.length / 2;
  const s = BigInt(`0x${hex(signature.subarray(half))}`);
  const negated = (BigInt(`0x${ORDER[curve]}`) - s).toString(16).padStart(2 * half, "0");
  return Uint8Array.of(...signature.subarray(0, half), ...bytes(negated));
}

const ORDER: Readonly<Record<Curve, string>> = {
  "P-384": "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  "P-256": "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
};
