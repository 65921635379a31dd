/**
 * What verifying takes of the portable suite and no more: no private keys, no ciphers, no DER. With `@sealane/ledger/receipt` it makes a receipt
 * verifier small enough for a page that has no Web Crypto.
 */
import { sha256, sha384 } from "@noble/hashes/sha2.js";
import { curveFacts, encodeSpki, hasPointShape, spkiPoint } from "./curves.js";
import { CryptoError } from "./errors.js";
import type { CryptoSuite, Curve, HashName, PublicKey } from "./suite.js";

/** The part of a suite that checks what others have signed. */
export type Verifier = Pick<CryptoSuite, "sha256" | "importPublicKey" | "verify">;

export const NOBLE_HASHES = { "SHA-256": sha256, "SHA-384": sha384 } as const;

/** Differs from the suite in one thing: it does not tell why it refuses an SPKI, all of them are `malformed`. */
export const nobleVerifier: Verifier = {
  sha256: (...parts) => nobleHash("SHA-256", parts),
  importPublicKey: (spki) => {
    const known = spkiPoint(spki);
    if (known === undefined) throw new CryptoError("malformed", "public key");
    return importPoint(known.curve, known.point);
  },
  verify: (key, message, signature, name) => {
    const { noble, fieldBytes, defaultHash } = curveFacts(key.curve);
    if (signature.length !== 2 * fieldBytes) return false;
    const digest = nobleHash(name ?? defaultHash, [message]);
    return noble.verify(signature, digest, key.point, { prehash: false, lowS: false });
  },
};

export function nobleHash(name: HashName, parts: readonly Uint8Array[]): Uint8Array {
  const [only, second] = parts;
  if (only !== undefined && second === undefined) return NOBLE_HASHES[name](only);
  const state = NOBLE_HASHES[name].create();
  for (const part of parts) state.update(part);
  return state.digest();
}

/** @throws {CryptoError} `bad-point`. */
export function importPoint(curve: Curve, point: Uint8Array): PublicKey {
  const facts = curveFacts(curve);
  if (!hasPointShape(facts, point) || !facts.noble.utils.isValidPublicKey(point, false)) {
    throw new CryptoError("bad-point", "public key");
  }
  return publicKey(curve, point.slice());
}

/** @param point - Uncompressed and on the curve. Owned from here on. */
export function publicKey(curve: Curve, point: Uint8Array): PublicKey {
  return { type: "public", curve, spki: encodeSpki(curve, point), point };
}
