/**
 * The native suite, on OpenSSL through `node:crypto`: the default inside a Node process. Keys live in KeyObjects.
 * Signatures are randomised by OpenSSL, so two over one message differ; use the noble suite where bytes must repeat.
 */

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hash as hashOnce,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
  randomFillSync,
  timingSafeEqual,
} from "node:crypto";
import { concat } from "./bytes.js";
import { curveFacts, encodeSpki, hasPointShape } from "./curves.js";
import { CryptoError } from "./errors.js";
import { decodePkcs8, decodeSpki, encodePkcs8 } from "./key-encoding.js";
import {
  AEAD_TAG_BYTES,
  type AeadKey,
  type CryptoSuite,
  type Curve,
  checkExpand,
  checkNonce,
  checkRandomLength,
  type HashName,
  type KeyPair,
  type PublicKey,
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

const OPENSSL_HASH: Readonly<Record<HashName, string>> = { "SHA-256": "sha256", "SHA-384": "sha384" };
const HASH_BYTES: Readonly<Record<HashName, number>> = { "SHA-256": 32, "SHA-384": 48 };
const OPENSSL_CURVE: Readonly<Record<Curve, string>> = { "P-384": "P-384", "P-256": "P-256" };

const privateKeys = new PrivateKeys<KeyObject>("native");

/** The {@link CryptoSuite} on `node:crypto`. */
export const nativeSuite: CryptoSuite = {
  name: "native",
  randomBytes: (length) => {
    checkRandomLength(length);
    return randomFillSync(new Uint8Array(length));
  },
  sha256: (...parts) => hash("sha256", parts),
  sha384: (...parts) => hash("sha384", parts),
  hmacSha256: (key, message) => hmac("sha256", key, [message]),
  hkdfExtract: (name, salt, inputKeyMaterial) => hmac(OPENSSL_HASH[name], salt, [inputKeyMaterial]), // RFC 5869 §2.2
  hkdfExpand,
  generateKeyPair: (curve) => {
    curveFacts(curve);
    return keyPairFrom(curve, generateKeyPairSync("ec", { namedCurve: OPENSSL_CURVE[curve] }).privateKey);
  },
  importPrivateKey: (pkcs8) => {
    const { curve, scalar, point } = decodePkcs8(pkcs8);
    // OpenSSL believes the public key inside a file. So it is given the scalar alone, and its answer is compared.
    const derived = keyPairFrom(curve, privateObject(encodePkcs8(curve, scalar))).publicKey.point;
    checkOwnPoint(point, derived);
    // Read once more with the public key, because OpenSSL writes a key out in the form it was read.
    const key = privateObject(encodePkcs8(curve, scalar, derived));
    scalar.fill(0);
    return keyPairFrom(curve, key);
  },
  exportPrivateKey: (key) => plain(privateKeys.get(key).export({ format: "der", type: "pkcs8" })),
  importPublicKey: (spki) => {
    const { curve, point } = decodeSpki(spki);
    return importPoint(curve, point);
  },
  importPoint,
  sign: (key, message, name) => {
    const { defaultHash } = curveFacts(key.curve);
    const privateKey = privateKeys.get(key);
    return plain(nodeSign(OPENSSL_HASH[name ?? defaultHash], message, { key: privateKey, dsaEncoding: "ieee-p1363" }));
  },
  verify: (key, message, signature, name) => {
    const { fieldBytes, defaultHash } = curveFacts(key.curve);
    if (signature.length !== 2 * fieldBytes) return false;
    const options = { key: publicObjectOf(key), dsaEncoding: "ieee-p1363" } as const;
    return nodeVerify(OPENSSL_HASH[name ?? defaultHash], message, options, signature);
  },
  agree: (own, peer) => {
    checkSameCurve(own, peer);
    return plain(diffieHellman({ privateKey: privateKeys.get(own), publicKey: publicObjectOf(peer) }));
  },
  aead: (key) => new NativeAeadKey(key),
  wipe: (secret) => {
    if (secret instanceof Uint8Array) secret.fill(0);
    else if (secret instanceof NativeAeadKey) secret.wipe();
    // The key lets go of its KeyObject; OpenSSL clears the memory when the object is collected.
    else if (privateKeys.has(secret)) privateKeys.wipe(secret);
    else throw notASecretOf("native");
  },
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

/** Parts up to this length together are joined first: a hash object costs more than the copy. */
const JOINED_BYTES_MAX = 1_024;

function hash(algorithm: string, parts: readonly Uint8Array[]): Uint8Array {
  const [only, second] = parts;
  if (only !== undefined && second === undefined) return bytesOf(hashOnce(algorithm, only, "binary"));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length <= JOINED_BYTES_MAX) return bytesOf(hashOnce(algorithm, concat(parts), "binary"));
  const state = createHash(algorithm);
  for (const part of parts) state.update(part);
  return plain(state.digest());
}

/** A digest as text of one character a byte, which Node hands over in a third of the time that a buffer takes. */
function bytesOf(digest: string): Uint8Array {
  const bytes = new Uint8Array(digest.length);
  for (let index = 0; index < digest.length; index++) bytes[index] = digest.charCodeAt(index);
  return bytes;
}

function hmac(algorithm: string, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const state = createHmac(algorithm, key);
  for (const part of parts) state.update(part);
  return plain(state.digest());
}

/** RFC 5869 §2.3: T(n) = HMAC(PRK, T(n−1) ‖ info ‖ n), with T(0) empty and n one byte from 1. */
function hkdfExpand(name: HashName, pseudorandomKey: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  checkExpand(HASH_BYTES[name], pseudorandomKey, length);
  const output = new Uint8Array(length);
  let block = new Uint8Array();
  for (let offset = 0, n = 1; offset < length; offset += block.length, n++) {
    const next = hmac(OPENSSL_HASH[name], pseudorandomKey, [block, info, Uint8Array.of(n)]);
    block.fill(0);
    block = new Uint8Array(next);
    next.fill(0);
    output.set(block.subarray(0, Math.min(block.length, length - offset)), offset);
  }
  block.fill(0);
  return output;
}

/** @param pkcs8 - Owned: wiped once OpenSSL has read it. */
function privateObject(pkcs8: Uint8Array): KeyObject {
  const key = createPrivateKey({ key: asBuffer(pkcs8), format: "der", type: "pkcs8" });
  pkcs8.fill(0);
  return key;
}

function keyPairFrom(curve: Curve, key: KeyObject): KeyPair {
  const publicObject = createPublicKey(key);
  // Never as a JWK, though that takes 1 µs and not 100: Node 20 holds the key's lock while it makes the strings of a JWK, and a collection of
  // the job that generated the key, should it come just then, waits for the same lock, for ever.
  const spki = plain(publicObject.export({ format: "der", type: "spki" }));
  const point = spki.slice(spki.length - curveFacts(curve).pointBytes);
  return {
    privateKey: privateKeys.add(curve, key),
    publicKey: new NativePublicKey(curve, spki, point, publicObject),
  };
}

function importPoint(curve: Curve, point: Uint8Array): PublicKey {
  return NativePublicKey.fromPoint(curve, point);
}

/** A public key of another suite is data like any other: imported, and so checked, before use. */
function publicObjectOf(key: PublicKey): KeyObject {
  return (key instanceof NativePublicKey ? key : NativePublicKey.fromPoint(key.curve, key.point)).object;
}

/** The key readers take DER as a Buffer only; this is one over the same memory. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A Buffer is a Uint8Array with other methods; what leaves this file is a plain one over the same memory. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

class NativePublicKey implements PublicKey {
  readonly type = "public";
  readonly curve: Curve;
  readonly spki: Uint8Array;
  readonly point: Uint8Array;
  readonly #object: KeyObject;

  constructor(curve: Curve, spki: Uint8Array, point: Uint8Array, object: KeyObject) {
    this.curve = curve;
    this.spki = spki;
    this.point = point;
    this.#object = object;
  }

  static fromPoint(curve: Curve, point: Uint8Array): NativePublicKey {
    if (!hasPointShape(curveFacts(curve), point)) throw new CryptoError("bad-point", "public key");
    const spki = encodeSpki(curve, point);
    let object: KeyObject;
    try {
      // OpenSSL checks the curve equation while it decodes.
      object = createPublicKey({ key: asBuffer(spki), format: "der", type: "spki" });
    } catch {
      throw new CryptoError("bad-point", "public key");
    }
    return new NativePublicKey(curve, spki, point.slice(), object);
  }

  get object(): KeyObject {
    return this.#object;
  }
}

const CIPHER = "aes-256-gcm";
const CIPHER_OPTIONS = { authTagLength: AEAD_TAG_BYTES };
/** There is nothing in it that anyone could write into. */
const EMPTY = new Uint8Array(0);

class NativeAeadKey implements AeadKey {
  #key: KeyObject | undefined;

  constructor(key: Uint8Array) {
    checkAeadKey(key);
    this.#key = createSecretKey(key);
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): SealedBytes {
    checkNonce(nonce);
    const cipher = createCipheriv(CIPHER, liveAeadKey(this.#key), nonce, CIPHER_OPTIONS);
    if (aad.length > 0) cipher.setAAD(aad);
    // A call for nothing would be a quarter of what a header costs.
    const ciphertext = plaintext.length === 0 ? EMPTY : plain(cipher.update(plaintext));
    cipher.final(); // GCM holds nothing back: empty
    return { ciphertext, tag: plain(cipher.getAuthTag()) };
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array | undefined {
    checkNonce(nonce);
    const key = liveAeadKey(this.#key);
    if (tag.length !== AEAD_TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, key, nonce, CIPHER_OPTIONS);
    if (aad.length > 0) decipher.setAAD(aad);
    decipher.setAuthTag(tag);
    const plaintext = ciphertext.length === 0 ? EMPTY : plain(decipher.update(ciphertext));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0); // unauthenticated, so nobody may see it
      return undefined;
    }
    return plaintext;
  }

  wipe(): void {
    this.#key = undefined;
  }
}
