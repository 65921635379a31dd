import { describe, expect, it } from "vitest";
import { createServiceIdentity, endorse } from "./certificate-create.js";
import { verifyEndorsement } from "./endorsement.js";
import { signatureFromDer, signatureToDer } from "./signature-encoding.js";
import { simulatedSuite } from "./simulated-suite.js";

/** A source that repeats: bytes of a counter. */
function source(): (length: number) => Uint8Array {
  let next = 1;
  const byte = (): number => {
    next = (next * 73 + 41) % 65_521;
    return next & 0xff;
  };
  return (length) => Uint8Array.from({ length }, byte);
}

const suite = simulatedSuite(source());
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** Every copy of `original` with one bit flipped. */
function* flips(original: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < original.length * 8; bit++) {
    const copy = original.slice();
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield copy;
  }
}

describe("the simulated suite", () => {
  it("repeats with its randomness", () => {
    const one = simulatedSuite(source()).generateKeyPair("P-384").publicKey.spki;
    expect(simulatedSuite(source()).generateKeyPair("P-384").publicKey.spki).toEqual(one);
  });

  it("opens what was sealed and nothing that was changed", () => {
    const key = suite.aead(suite.randomBytes(32));
    const nonce = suite.randomBytes(12);
    const { ciphertext, tag } = key.seal(nonce, bytes(1, 2), bytes(3, 4));
    expect(key.open(nonce, bytes(1, 2), ciphertext, tag)).toEqual(bytes(3, 4));
    for (const changed of flips(ciphertext)) expect(key.open(nonce, bytes(1, 2), changed, tag)).toBeUndefined();
    for (const changed of flips(tag)) expect(key.open(nonce, bytes(1, 2), ciphertext, changed)).toBeUndefined();
    for (const changed of flips(nonce)) expect(key.open(changed, bytes(1, 2), ciphertext, tag)).toBeUndefined();
    expect(key.open(nonce, bytes(1, 2, 3), bytes(4), tag)).toBeUndefined();
    expect(suite.aead(suite.randomBytes(32)).open(nonce, bytes(1, 2), ciphertext, tag)).toBeUndefined();
  });

  it("verifies what was signed and nothing that was changed, in either encoding", () => {
    const { privateKey, publicKey } = suite.generateKeyPair("P-384");
    const signature = suite.sign(privateKey, bytes(1, 2, 3));
    expect(suite.verify(publicKey, bytes(1, 2, 3), signature)).toBe(true);
    expect(signatureFromDer(signatureToDer(signature), "P-384")).toEqual(signature);
    for (const changed of flips(bytes(1, 2, 3))) expect(suite.verify(publicKey, changed, signature)).toBe(false);
    for (const changed of flips(signature)) expect(suite.verify(publicKey, bytes(1, 2, 3), changed)).toBe(false);
    expect(suite.verify(suite.generateKeyPair("P-384").publicKey, bytes(1, 2, 3), signature)).toBe(false);
  });

  it("agrees on one secret at both ends", () => {
    const [a, b, c] = [1, 2, 3].map(() => suite.generateKeyPair("P-384"));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three key pairs");
    expect(suite.agree(a.privateKey, b.publicKey)).toEqual(suite.agree(b.privateKey, a.publicKey));
    expect(suite.agree(a.privateKey, b.publicKey)).not.toEqual(suite.agree(a.privateKey, c.publicKey));
  });

  it("keeps keys through their encodings", () => {
    const { privateKey, publicKey } = suite.generateKeyPair("P-256");
    const back = suite.importPrivateKey(suite.exportPrivateKey(privateKey));
    expect(back.publicKey).toEqual(publicKey);
    expect(suite.importPublicKey(publicKey.spki)).toEqual(publicKey);
    expect(suite.importPoint("P-256", publicKey.point)).toEqual(publicKey);
  });

  it("makes certificates that verify under their service alone", () => {
    const times = { notBefore: new Date(0), notAfter: new Date(1e12) };
    const [service, other] = [1, 2].map(() => createServiceIdentity(suite, { name: "s", ...times }));
    if (service === undefined || other === undefined) throw new Error("two services");
    const { publicKey } = suite.generateKeyPair("P-384");
    const leaf = endorse(suite, service, { publicKey, name: "n", hosts: [], ...times });
    expect(verifyEndorsement(suite, leaf, service.certificate).publicKey).toEqual(publicKey);
    expect(() => verifyEndorsement(suite, leaf, other.certificate)).toThrow();
  });
});
