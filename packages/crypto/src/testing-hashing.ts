/** Conformance of a suite: random bytes, hashes and key derivation. */

import { expect, test } from "vitest";
import type { CryptoSuite, HashName } from "./suite.js";
import { ascii, bytes, hex } from "./testing-bytes.js";
import { expectPlain } from "./testing-expect.js";
import { RFC_5869 } from "./testing-vectors.js";

const HASHES: readonly HashName[] = ["SHA-256", "SHA-384"];

export function randomness(suite: CryptoSuite): void {
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

export function hashing(suite: CryptoSuite, reference: CryptoSuite): void {
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
