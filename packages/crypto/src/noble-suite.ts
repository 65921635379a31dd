/**
 * The portable suite, on the audited `@noble` packages: runs wherever JavaScript runs. Signatures are deterministic
 * (RFC 6979), so a run with seeded randomness repeats bit for bit. JavaScript gives no hard constant-time guarantee
 * (`bigint` arithmetic, JIT); inside a server prefer the native suite.
 */

import { gcm } from "@noble/ciphers/aes.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { concat, equalConstantTime } from "./bytes.js";
import { curveFacts } from "./curves.js";
import { decodePkcs8, decodeSpki, encodePkcs8 } from "./key-encoding.js";
import { importPoint, NOBLE_HASHES, nobleHash, nobleVerifier, publicKey } from "./noble-verifier.js";
import {
  AEAD_TAG_BYTES,
  type AeadKey,
  type CryptoSuite,
  type Curve,
  checkExpand,
  checkNonce,
  checkRandomLength,
  type KeyPair,
  type SealedBytes,
} from "./suite.js";
import {
  checkAeadKey,
  checkOwnPoint,
  checkSameCurve,
  liveAeadKey,
  notASecretOf,
  PrivateKeys,
} from "./suite-secrets.js";

const privateKeys = new PrivateKeys<Uint8Array>("noble");

/** The portable {@link CryptoSuite}. */
export const nobleSuite: CryptoSuite = {
  name: "noble",
  randomBytes: (length) => {
    checkRandomLength(length);
    return randomBytes(length);
  },
  ...nobleVerifier,
  sha384: (...parts) => nobleHash("SHA-384", parts),
  hmacSha256: (key, message) => hmac(sha256, key, message),
  hkdfExtract: (name, salt, inputKeyMaterial) => extract(NOBLE_HASHES[name], inputKeyMaterial, salt),
  hkdfExpand: (name, pseudorandomKey, info, length) => {
    checkExpand(NOBLE_HASHES[name].outputLen, pseudorandomKey, length);
    return expand(NOBLE_HASHES[name], pseudorandomKey, info, length);
  },
  generateKeyPair: (curve) => {
    const { noble } = curveFacts(curve);
    return keyPairFromScalar(curve, noble.utils.randomSecretKey());
  },
  importPrivateKey: (pkcs8) => {
    const { curve, scalar, point } = decodePkcs8(pkcs8);
    const keyPair = keyPairFromScalar(curve, scalar);
    checkOwnPoint(point, keyPair.publicKey.point);
    return keyPair;
  },
  exportPrivateKey: (key) => {
    const { noble } = curveFacts(key.curve);
    const scalar = privateKeys.get(key);
    return encodePkcs8(key.curve, scalar, noble.getPublicKey(scalar, false));
  },
  importPublicKey: (spki) => {
    const { curve, point } = decodeSpki(spki);
    return importPoint(curve, point);
  },
  importPoint,
  sign: (key, message, name) => {
    const { noble, defaultHash } = curveFacts(key.curve);
    const digest = nobleHash(name ?? defaultHash, [message]);
    return noble.sign(digest, privateKeys.get(key), { prehash: false, lowS: false });
  },
  agree: (own, peer) => {
    const { noble, fieldBytes } = curveFacts(own.curve);
    checkSameCurve(own, peer);
    // Checks the peer's point again; cofactor 1 and a scalar below n leave no way to the point at infinity.
    const shared = noble.getSharedSecret(privateKeys.get(own), peer.point, false);
    const x = shared.slice(1, 1 + fieldBytes);
    shared.fill(0);
    return x;
  },
  aead: (key) => new NobleAeadKey(key),
  wipe: (secret) => {
    if (secret instanceof Uint8Array) secret.fill(0);
    else if (secret instanceof NobleAeadKey) secret.wipe();
    else if (privateKeys.has(secret)) privateKeys.wipe(secret)?.fill(0);
    else throw notASecretOf("noble");
  },
  equal: equalConstantTime,
};

/** @param scalar - Valid (1 to n − 1) and of the field's length. Owned from here on. */
function keyPairFromScalar(curve: Curve, scalar: Uint8Array): KeyPair {
  const point = curveFacts(curve).noble.getPublicKey(scalar, false);
  return { privateKey: privateKeys.add(curve, scalar), publicKey: publicKey(curve, point) };
}

class NobleAeadKey implements AeadKey {
  #key: Uint8Array | undefined;

  constructor(key: Uint8Array) {
    checkAeadKey(key);
    this.#key = key.slice();
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): SealedBytes {
    checkNonce(nonce);
    const sealed = gcm(liveAeadKey(this.#key), nonce, aad).encrypt(plaintext);
    return { ciphertext: sealed.slice(0, plaintext.length), tag: sealed.slice(plaintext.length) };
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array | undefined {
    checkNonce(nonce);
    const key = liveAeadKey(this.#key);
    if (tag.length !== AEAD_TAG_BYTES) return undefined;
    try {
      return gcm(key, nonce, aad).decrypt(concat([ciphertext, tag]));
    } catch {
      return undefined; // lengths are checked above, so all that is left to throw is the tag
    }
  }

  wipe(): void {
    this.#key?.fill(0);
    this.#key = undefined;
  }
}
