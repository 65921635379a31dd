/** Conformance of a suite: AES-256-GCM, and what becomes of secrets. */

import { expect, test } from "vitest";
import type { CryptoSuite } from "./suite.js";
import { ascii, bytes, flipped, hex } from "./testing-bytes.js";
import { expectPlain } from "./testing-expect.js";
import { GCM_SPEC } from "./testing-vectors.js";

export function aead(suite: CryptoSuite, reference: CryptoSuite): void {
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

export function secrets(suite: CryptoSuite): void {
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
