/**
 * A suite that protects nothing and costs next to nothing, so that a simulation can spend its time on protocols. It keeps the shapes, the
 * lengths and the equations (what was sealed opens, what was signed verifies, two ends agree on one secret, anything changed does not
 * verify), and every value is a function of the randomness it is given. Anybody could forge everything: never use it outside a simulation.
 */
import { concat } from "./bytes.js";
import { curveFacts, encodeSpki, hasPointShape, UNCOMPRESSED } from "./curves.js";
import { CryptoError } from "./errors.js";
import { decodePkcs8, decodeSpki, encodePkcs8 } from "./key-encoding.js";
import { checkSecretLength, type KeyWrapping } from "./key-wrapping.js";
import { pemDecode, pemEncode } from "./pem.js";
import {
  AEAD_KEY_BYTES,
  AEAD_TAG_BYTES,
  type AeadKey,
  type CryptoSuite,
  type Curve,
  checkNonce,
  checkRandomLength,
  type HashName,
  type KeyPair,
  type PrivateKey,
  type PublicKey,
} from "./suite.js";

interface SimulatedPrivateKey extends PrivateKey {
  readonly scalar: Uint8Array;
  readonly point: Uint8Array;
}

const HASH_BYTES: Readonly<Record<HashName, number>> = { "SHA-256": 32, "SHA-384": 48 };
const SIGNING = label("sign");
const AGREEING = label("agree");
const SEALING = label("seal");
const POINT = label("point");
const WRAPPING = label("wrap");

/** @param randomBytes - Must return exactly `length` bytes; the same ones give the same run. */
export function simulatedSuite(randomBytes: (length: number) => Uint8Array): CryptoSuite {
  return {
    name: "simulated",
    randomBytes: (length) => {
      checkRandomLength(length);
      return randomBytes(length);
    },
    sha256: (...parts) => digest(32, parts),
    sha384: (...parts) => digest(48, parts),
    hmacSha256: (key, message) => digest(32, [key, message]),
    hkdfExtract: (hash, salt, inputKeyMaterial) => digest(HASH_BYTES[hash], [salt, inputKeyMaterial]),
    hkdfExpand: (_hash, pseudorandomKey, info, length) => digest(length, [pseudorandomKey, info]),
    generateKeyPair: (curve) => keyPair(curve, scalarOf(randomBytes(curveFacts(curve).fieldBytes))),
    importPrivateKey: (pkcs8) => {
      const { curve, scalar } = decodePkcs8(pkcs8);
      return keyPair(curve, scalar);
    },
    exportPrivateKey: (key) => encodePkcs8(key.curve, own(key).scalar, own(key).point),
    importPublicKey: (spki) => {
      const { curve, point } = decodeSpki(spki);
      return publicKey(curve, point);
    },
    importPoint: (curve, point) => {
      if (!hasPointShape(curveFacts(curve), point)) throw new CryptoError("bad-point", "public key");
      return publicKey(curve, point.slice());
    },
    sign: (key, message) => signatureOf(key.curve, own(key).point, message),
    verify: (key, message, signature) => equal(signatureOf(key.curve, key.point, message), signature),
    agree: (key, peer) => {
      if (key.curve !== peer.curve) throw new TypeError("both keys of an agreement are on one curve");
      const points = [own(key).point, peer.point];
      return digest(curveFacts(key.curve).fieldBytes, [AGREEING, ...points.sort(compare)]);
    },
    aead: (key) => {
      if (key.length !== AEAD_KEY_BYTES) throw new RangeError(`a key has ${AEAD_KEY_BYTES} bytes, not ${key.length}`);
      return aeadKey(key.slice());
    },
    wipe: (secret) => {
      if (secret instanceof Uint8Array) secret.fill(0);
    },
    equal,
  };
}

function aeadKey(key: Uint8Array): AeadKey {
  const tagOf = (nonce: Uint8Array, aad: Uint8Array, text: Uint8Array): Uint8Array => {
    checkNonce(nonce);
    return digest(AEAD_TAG_BYTES, [SEALING, key, nonce, lengthOf(aad), aad, text]);
  };
  return {
    seal: (nonce, aad, plaintext) => ({ ciphertext: plaintext.slice(), tag: tagOf(nonce, aad, plaintext) }),
    open: (nonce, aad, ciphertext, tag) => (equal(tagOf(nonce, aad, ciphertext), tag) ? ciphertext.slice() : undefined),
  };
}

function keyPair(curve: Curve, scalar: Uint8Array): KeyPair {
  const point = concat([Uint8Array.of(UNCOMPRESSED), digest(2 * curveFacts(curve).fieldBytes, [POINT, scalar])]);
  const privateKey: SimulatedPrivateKey = { type: "private", curve, scalar, point };
  return { privateKey, publicKey: publicKey(curve, point) };
}

/** The same for wrapping secrets: the public key is the private one. @param randomBytes - As for the suite. */
export function simulatedKeyWrapping(randomBytes: (length: number) => Uint8Array): KeyWrapping {
  const mask = (key: Uint8Array, bytes: Uint8Array): Uint8Array => {
    const stream = digest(bytes.length, [WRAPPING, key]);
    return bytes.map((byte, index) => byte ^ (stream[index] ?? 0));
  };
  return {
    generateKeyPair: () => {
      const privateKey = randomBytes(16);
      return { publicKey: pemEncode("PUBLIC KEY", privateKey), privateKey };
    },
    wrap: (key, secret) => {
      checkSecretLength(secret);
      const own = pemDecode("PUBLIC KEY", key);
      return concat([digest(8, [own, secret]), mask(own, secret)]);
    },
    unwrap: (key, wrapped) => {
      const secret = mask(key, wrapped.subarray(8));
      return equal(digest(8, [key, secret]), wrapped.subarray(0, 8)) ? secret : undefined;
    },
  };
}

function publicKey(curve: Curve, point: Uint8Array): PublicKey {
  return { type: "public", curve, point, spki: encodeSpki(curve, point) };
}

function own(key: PrivateKey): SimulatedPrivateKey {
  if ("scalar" in key) return key as SimulatedPrivateKey; // only `keyPair` makes handles with a scalar
  throw new TypeError("this key is of another suite");
}

/** A scalar in range whatever was drawn: below the order of either curve, and not zero. */
function scalarOf(drawn: Uint8Array): Uint8Array {
  const scalar = drawn.slice();
  scalar[0] = (scalar[0] ?? 0) & 0x7f;
  scalar[scalar.length - 1] = (scalar.at(-1) ?? 0) | 1;
  return scalar;
}

/** r ‖ s, both in range. */
function signatureOf(curve: Curve, point: Uint8Array, message: Uint8Array): Uint8Array {
  const { fieldBytes } = curveFacts(curve);
  const r = scalarOf(digest(fieldBytes, [SIGNING, point, message]));
  const s = scalarOf(digest(fieldBytes, [point, r]));
  return concat([r, s]);
}

/**
 * `length` bytes that depend on every byte of the parts and their order, not on where one part ends: two 32-bit lanes of multiplication and
 * exclusive or (after Bryc's cyrb53), four bytes at a time, stretched by a finaliser. 64 bits of state are plenty against accidents;
 * against people it is nothing.
 */
function digest(length: number, parts: readonly Uint8Array[]): Uint8Array {
  let a = 0xdeadbeef ^ length;
  let b = 0x41c6ce57;
  let word = 0;
  let total = 0;
  const fold = (): void => {
    a = Math.imul(a ^ word, 2654435761);
    a ^= a >>> 15; // or the upper bits of a word would never reach the lower ones of the lane
    b = Math.imul(b ^ word, 1597334677);
    b ^= b >>> 13;
  };
  for (const part of parts) {
    const { length: bytes } = part;
    let at = 0;
    const single = (): void => {
      word |= (part[at++] ?? 0) << ((total & 3) * 8);
      total++;
      if ((total & 3) === 0) {
        fold();
        word = 0;
      }
    };
    while ((total & 3) !== 0 && at < bytes) single();
    const start = at;
    for (; at + 3 < bytes; at += 4) {
      const low = (part[at] ?? 0) | ((part[at + 1] ?? 0) << 8);
      word = low | ((part[at + 2] ?? 0) << 16) | ((part[at + 3] ?? 0) << 24);
      fold();
    }
    total += at - start;
    if (at > start) word = 0;
    while (at < bytes) single();
  }
  if ((total & 3) !== 0) fold();
  word = total;
  fold();
  const out = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += 4) {
    a = Math.imul(a ^ (a >>> 16) ^ offset, 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
    for (let index = offset; index < Math.min(offset + 4, length); index++)
      out[index] = (a >>> ((index & 3) * 8)) & 0xff;
  }
  return out;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (const [index, byte] of a.entries()) {
    const other = b[index] ?? -1;
    if (byte !== other) return byte - other;
  }
  return a.length - b.length;
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(bytes.length >>> 24, bytes.length >>> 16, bytes.length >>> 8, bytes.length);
}

function label(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
