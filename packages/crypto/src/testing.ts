/**
 * Entry point `@sealane/crypto/testing`: what every {@link CryptoSuite} must do, as vitest tests. Call it at the top level of a
 * test file. Known answers come from the RFCs and NIST papers named at each; the rest compares with a reference suite.
 */

import { describe, expect, test } from "vitest";
import { nobleSuite } from "./noble-suite.js";
import type { CryptoSuite, Curve, HashName } from "./suite.js";
import { ascii, bytes, flipped, hex } from "./testing-bytes.js";
import { GCM_SPEC, RFC_5869, RFC_6979 } from "./testing-vectors.js";

const CURVES: readonly Curve[] = ["P-384", "P-256"];
const FIELD_BYTES: Readonly<Record<Curve, number>> = { "P-384": 48, "P-256": 32 };
const HASHES: readonly HashName[] = ["SHA-256", "SHA-384"];

/**
 * Registers the tests.
 * @param suite - The suite under test.
 * @param reference - Another suite to interoperate with; the portable one unless given.
 * @example
 * cryptoSuiteConformance(mySuite);
 */
export function cryptoSuiteConformance(suite: CryptoSuite, reference: CryptoSuite = nobleSuite): void {
  describe(`${suite.name} suite, compared with ${reference.name}`, () => {
    describe("random bytes", () => randomness(suite));
    describe("hashes and key derivation", () => hashing(suite, reference));
    describe.each(CURVES)("%s keys", (curve) => keys(suite, reference, curve));
    describe.each(CURVES)("%s signatures", (curve) => signatures(suite, reference, curve));
    describe.each(CURVES)("%s agreement", (curve) => agreement(suite, reference, curve));
    describe("AES-256-GCM", () => aead(suite, reference));
    describe("secrets", () => secrets(suite));
  });
}

function randomness(suite: CryptoSuite): void {
  test("gives as many bytes as asked, fresh each time", () => {
    expect(suite.randomBytes(0)).toEqual(new Uint8Array());
    expect(suite.randomBytes(65_536).length).toBe(65_536);
    expect(suite.randomBytes(32)).not.toEqual(suite.randomBytes(32));
    expectPlain(suite.randomBytes(8));
  });

  test.each([-1, 1.5, Number.NaN, 65_537])("refuses to give %s bytes", (length) => {
    expect(() => suite.randomBytes(length)).toThrow(RangeError);
  });
}

function hashing(suite: CryptoSuite, reference: CryptoSuite): void {
  test("FIPS 180-4: the digests of abc", () => {
    expect(hex(suite.sha256(ascii("abc")))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(hex(suite.sha384(ascii("abc")))).toBe(
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    );
  });

  test("parts are hashed as their concatenation", () => {
    for (const name of ["sha256", "sha384"] as const) {
      const whole = suite[name](ascii("abc"));
      expect(suite[name](ascii("a"), ascii(""), ascii("bc"))).toEqual(whole);
      expect(suite[name]()).toEqual(suite[name](ascii("")));
      expectPlain(whole);
      expectPlain(suite[name](ascii("a"), ascii("b")));
    }
  });

  test("RFC 4231 §4.3: HMAC-SHA-256 with a short key", () => {
    const mac = suite.hmacSha256(ascii("Jefe"), ascii("what do ya want for nothing?"));
    expect(hex(mac)).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    expectPlain(mac);
  });

  test.each(RFC_5869)("RFC 5869 $section: HKDF-SHA-256", ({ ikm, salt, info, prk, okm }) => {
    const extracted = suite.hkdfExtract("SHA-256", bytes(salt), bytes(ikm));
    expect(hex(extracted)).toBe(prk);
    expect(hex(suite.hkdfExpand("SHA-256", extracted, bytes(info), okm.length / 2))).toBe(okm);
    expectPlain(extracted);
  });

  test.each(HASHES)("HKDF with %s agrees with the reference at every boundary of a block", (hash) => {
    const hashBytes = hash === "SHA-256" ? 32 : 48;
    const prk = suite.hkdfExtract(hash, ascii("salt"), ascii("key"));
    expect(prk).toEqual(reference.hkdfExtract(hash, ascii("salt"), ascii("key")));
    for (const length of [0, 1, hashBytes - 1, hashBytes, hashBytes + 1, 3 * hashBytes, 255 * hashBytes]) {
      const okm = suite.hkdfExpand(hash, prk, ascii("info"), length);
      expect(okm.length).toBe(length);
      expect(okm).toEqual(reference.hkdfExpand(hash, prk, ascii("info"), length));
    }
    expect(prk).toEqual(reference.hkdfExtract(hash, ascii("salt"), ascii("key"))); // borrowed, not changed
  });

  test.each(HASHES)("HKDF-Expand with %s refuses lengths outside RFC 5869 §2.3", (hash) => {
    const hashBytes = hash === "SHA-256" ? 32 : 48;
    const prk = new Uint8Array(hashBytes);
    for (const length of [-1, 0.5, 255 * hashBytes + 1]) {
      expect(() => suite.hkdfExpand(hash, prk, ascii(""), length)).toThrow(RangeError);
    }
    expect(() => suite.hkdfExpand(hash, prk.subarray(1), ascii(""), 1)).toThrow(RangeError);
  });
}

function keys(suite: CryptoSuite, reference: CryptoSuite, curve: Curve): void {
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

function signatures(suite: CryptoSuite, reference: CryptoSuite, curve: Curve): void {
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

function agreement(suite: CryptoSuite, reference: CryptoSuite, curve: Curve): void {
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

function aead(suite: CryptoSuite, reference: CryptoSuite): void {
  test.each(GCM_SPEC)("GCM specification, $name", ({ key, nonce, aad, plaintext, ciphertext, tag }) => {
    const aeadKey = suite.aead(bytes(key));
    const sealed = aeadKey.seal(bytes(nonce), bytes(aad), bytes(plaintext));
    expect(hex(sealed.ciphertext)).toBe(ciphertext);
    expect(hex(sealed.tag)).toBe(tag);
    expect(hex(aeadKey.open(bytes(nonce), bytes(aad), bytes(ciphertext), bytes(tag)))).toBe(plaintext);
  });

  test("what one suite seals the other opens, for nonces of 8, 12, 16 and 128 bytes", () => {
    const key = suite.randomBytes(32);
    for (const nonceBytes of [8, 12, 16, 128]) {
      for (const length of [0, 1, 16, 1_000]) {
        const nonce = suite.randomBytes(nonceBytes);
        const aad = suite.randomBytes(length);
        const plaintext = suite.randomBytes(length);
        const sealed = suite.aead(key).seal(nonce, aad, plaintext);
        expect(sealed).toEqual(reference.aead(key).seal(nonce, aad, plaintext));
        const opened = reference.aead(key).open(nonce, aad, sealed.ciphertext, sealed.tag);
        expect(opened).toEqual(plaintext);
        for (const part of [sealed.ciphertext, sealed.tag]) expectPlain(part);
        expectPlain(suite.aead(key).open(nonce, aad, sealed.ciphertext, sealed.tag));
      }
    }
  });

  test("opens views at any offset, and changes none of its inputs", () => {
    const key = suite.aead(new Uint8Array(32).fill(1));
    const memory = suite.randomBytes(64);
    const before = memory.slice();
    const nonce = memory.subarray(1, 13);
    const aad = memory.subarray(13, 20);
    const plaintext = memory.subarray(21, 60);
    const { ciphertext, tag } = key.seal(nonce, aad, plaintext);
    const shifted = Uint8Array.of(9, 9, 9, ...ciphertext, ...tag);
    const view = shifted.subarray(3, 3 + ciphertext.length);
    expect(key.open(nonce, aad, view, shifted.subarray(3 + ciphertext.length))).toEqual(plaintext);
    expect(memory).toEqual(before);
    expect(view).toEqual(ciphertext);
  });

  test("a change anywhere does not open", () => {
    const key = suite.aead(suite.randomBytes(32));
    const nonce = suite.randomBytes(12);
    const aad = ascii("header");
    const plaintext = ascii("text");
    const { ciphertext, tag } = key.seal(nonce, aad, plaintext);
    expect(key.open(nonce, aad, ciphertext, tag)).toEqual(plaintext);
    expect(key.open(flipped(nonce, 0), aad, ciphertext, tag)).toBeUndefined();
    expect(key.open(nonce, flipped(aad, 0), ciphertext, tag)).toBeUndefined();
    expect(key.open(nonce, ascii(""), ciphertext, tag)).toBeUndefined();
    expect(key.open(nonce, aad, flipped(ciphertext, 0), tag)).toBeUndefined();
    expect(key.open(nonce, aad, ciphertext.subarray(1), tag)).toBeUndefined();
    expect(key.open(nonce, aad, ciphertext, flipped(tag, 15))).toBeUndefined();
    expect(suite.aead(suite.randomBytes(32)).open(nonce, aad, ciphertext, tag)).toBeUndefined();
  });

  test("a shortened or lengthened tag does not open", () => {
    const key = suite.aead(suite.randomBytes(32));
    const nonce = suite.randomBytes(12);
    const { ciphertext, tag } = key.seal(nonce, ascii(""), ascii("text"));
    for (const other of [new Uint8Array(), tag.subarray(0, 4), tag.subarray(0, 12), Uint8Array.of(...tag, 0)]) {
      expect(key.open(nonce, ascii(""), ciphertext, other)).toBeUndefined();
    }
  });

  test("refuses keys and nonces of other lengths", () => {
    for (const length of [0, 16, 24, 31, 33]) expect(() => suite.aead(new Uint8Array(length))).toThrow(RangeError);
    const key = suite.aead(new Uint8Array(32));
    const none = new Uint8Array();
    for (const length of [0, 7, 129]) {
      expect(() => key.seal(new Uint8Array(length), none, none)).toThrow(RangeError);
      expect(() => key.open(new Uint8Array(length), none, none, new Uint8Array(16))).toThrow(RangeError);
    }
  });

  test("keeps its own copy of the key", () => {
    const raw = suite.randomBytes(32);
    const nonce = suite.randomBytes(12);
    const [key, same] = [suite.aead(raw), suite.aead(raw.slice())];
    suite.wipe(raw);
    expect(key.seal(nonce, ascii(""), ascii("text"))).toEqual(same.seal(nonce, ascii(""), ascii("text")));
  });
}

function secrets(suite: CryptoSuite): void {
  test("wiped bytes are zero", () => {
    const secret = suite.randomBytes(32);
    suite.wipe(secret);
    expect(secret).toEqual(new Uint8Array(32));
  });

  test("a wiped private key refuses every use, and its public key goes on", () => {
    const { privateKey, publicKey } = suite.generateKeyPair("P-256");
    const signature = suite.sign(privateKey, ascii("before"));
    suite.wipe(privateKey);
    suite.wipe(privateKey); // twice is harmless
    expect(() => suite.sign(privateKey, ascii("after"))).toThrow(TypeError);
    expect(() => suite.agree(privateKey, publicKey)).toThrow(TypeError);
    expect(() => suite.exportPrivateKey(privateKey)).toThrow(TypeError);
    expect(suite.verify(publicKey, ascii("before"), signature)).toBe(true);
  });

  test("a wiped AEAD key neither seals nor opens", () => {
    const key = suite.aead(suite.randomBytes(32));
    const nonce = suite.randomBytes(12);
    const { ciphertext, tag } = key.seal(nonce, ascii(""), ascii("text"));
    suite.wipe(key);
    expect(() => key.seal(nonce, ascii(""), ascii("text"))).toThrow(TypeError);
    expect(() => key.open(nonce, ascii(""), ciphertext, tag)).toThrow(TypeError);
  });

  test("a private key of another suite is refused", () => {
    const stranger = { type: "private", curve: "P-384" } as const;
    expect(() => suite.sign(stranger, ascii(""))).toThrow(TypeError);
    expect(() => suite.exportPrivateKey(stranger)).toThrow(TypeError);
    expect(() => suite.agree(stranger, suite.generateKeyPair("P-384").publicKey)).toThrow(TypeError);
    expect(() => suite.wipe(stranger)).toThrow(TypeError);
  });

  test("key handles show nothing but their type and curve", () => {
    const { privateKey } = suite.generateKeyPair("P-384");
    expect(JSON.parse(JSON.stringify(privateKey))).toEqual({ type: "private", curve: "P-384" });
    expect(JSON.stringify(suite.aead(new Uint8Array(32).fill(0x41)))).toBe("{}");
  });

  test("equality is of length and every byte", () => {
    const bytes = suite.randomBytes(48);
    expect(suite.equal(bytes, bytes.slice())).toBe(true);
    expect(suite.equal(new Uint8Array(), new Uint8Array())).toBe(true);
    for (const at of [0, 23, 47]) expect(suite.equal(bytes, flipped(bytes, at))).toBe(false);
    expect(suite.equal(bytes, bytes.subarray(1))).toBe(false);
    expect(suite.equal(bytes, new Uint8Array())).toBe(false);
  });
}

/** A plain Uint8Array, not a Buffer: its methods differ, `slice` above all. */
function expectPlain(value: unknown): void {
  expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
}

function expectRefusal(attempt: () => unknown, code: string): void {
  expect(attempt).toThrow(expect.objectContaining({ name: "CryptoError", code }));
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
