/**
 * The one cryptographic interface of Sealane. Everything above this package (channel, ledger, node) is written against
 * {@link CryptoSuite} and is given a suite; the conformance suite in `@sealane/crypto/testing` says what one must do.
 *
 * Lengths are in bytes. Inputs are borrowed for the call and never written to; results are freshly allocated and belong
 * to the caller. A suite draws randomness only in `randomBytes` and `generateKeyPair`, and in `sign` where its documentation says so.
 */

/** SEC 2 / FIPS 186-5 curves: P-384 is secp384r1 (the default everywhere), P-256 is secp256r1. */
export type Curve = "P-384" | "P-256";

export type HashName = "SHA-256" | "SHA-384";

/** A point on its curve, checked when it was imported. Plain data: a public key of one suite works in any other. */
export interface PublicKey {
  readonly type: "public";
  readonly curve: Curve;
  /** SubjectPublicKeyInfo, DER: 120 bytes for P-384, 91 for P-256. Do not write into it. */
  readonly spki: Uint8Array;
  /** Uncompressed SEC1 point, 0x04 ‖ X ‖ Y: 97 bytes for P-384, 65 for P-256. Do not write into it. */
  readonly point: Uint8Array;
}

/** Opaque handle on a private key. Works only in the suite that made it; nothing prints or serialises its value. */
export interface PrivateKey {
  readonly type: "private";
  readonly curve: Curve;
}

export interface KeyPair {
  readonly privateKey: PrivateKey;
  readonly publicKey: PublicKey;
}

export interface SealedBytes {
  /** As long as the plaintext. */
  readonly ciphertext: Uint8Array;
  /** 16 bytes. */
  readonly tag: Uint8Array;
}

/** AES-256-GCM under one key (NIST SP 800-38D). The caller owns the rule that matters: never one nonce twice under a key. */
export interface AeadKey {
  /**
   * @param nonce - 12 bytes; other lengths from 8 to 128 go through GHASH (SP 800-38D §7.1), as channel version 1 needs.
   * @param aad - Authenticated, not encrypted. May be empty.
   * @throws {RangeError} when the nonce is shorter than 8 or longer than 128 bytes.
   * @throws {TypeError} when the key was wiped.
   */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): SealedBytes;
  /**
   * @param tag - 16 bytes; any other length does not verify.
   * @returns The plaintext, or `undefined` when anything (key, nonce, AAD, ciphertext, tag) is not what was sealed.
   * @throws {RangeError} when the nonce is shorter than 8 or longer than 128 bytes.
   * @throws {TypeError} when the key was wiped.
   */
  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array | undefined;
}

export interface CryptoSuite {
  /** Short name for test titles and reports. */
  readonly name: string;

  /**
   * @param length - 0 to 65,536 bytes.
   * @throws {RangeError} beyond that.
   */
  randomBytes(length: number): Uint8Array;

  /** SHA-256 (FIPS 180-4) of the concatenation of `parts`; 32 bytes. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  /** SHA-384 (FIPS 180-4) of the concatenation of `parts`; 48 bytes. */
  sha384(...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-SHA-256 (RFC 2104); 32 bytes. */
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array;
  /** HKDF-Extract (RFC 5869 §2.2); 32 or 48 bytes. An empty salt counts as zeros. */
  hkdfExtract(hash: HashName, salt: Uint8Array, inputKeyMaterial: Uint8Array): Uint8Array;
  /**
   * HKDF-Expand (RFC 5869 §2.3).
   * @param pseudorandomKey - At least as long as the hash (32 or 48 bytes).
   * @param length - 0 to 255 times the hash length.
   * @throws {RangeError} when a length is outside those bounds.
   */
  hkdfExpand(hash: HashName, pseudorandomKey: Uint8Array, info: Uint8Array, length: number): Uint8Array;

  generateKeyPair(curve: Curve): KeyPair;
  /**
   * Reads a PKCS#8 private key (RFC 5958 version 0, RFC 5915 inside), canonical DER. A public key inside must match.
   * @throws {CryptoError} "malformed", "not-canonical", "unsupported-algorithm", "unsupported-curve", "bad-scalar",
   * "key-mismatch". The error holds nothing of the key.
   */
  importPrivateKey(pkcs8: Uint8Array): KeyPair;
  /**
   * PKCS#8 DER with the public key inside; the same bytes in every suite. The result is a secret: wipe it after use.
   * @throws {TypeError} when the key was wiped or is of another suite.
   */
  exportPrivateKey(key: PrivateKey): Uint8Array;
  /**
   * Reads a SubjectPublicKeyInfo (RFC 5480) of an uncompressed point on a named curve, canonical DER.
   * @throws {CryptoError} "malformed", "not-canonical", "unsupported-algorithm", "unsupported-curve", "bad-point".
   */
  importPublicKey(spki: Uint8Array): PublicKey;
  /**
   * Reads an uncompressed SEC1 point.
   * @throws {CryptoError} "bad-point" when it is compressed, of another length, off the curve or the point at infinity.
   */
  importPoint(curve: Curve, point: Uint8Array): PublicKey;

  /**
   * ECDSA (FIPS 186-5 §6.4).
   * @param hash - SHA-384 for P-384 and SHA-256 for P-256 unless given.
   * @returns r ‖ s, each as long as the field: 96 bytes for P-384, 64 for P-256. `s` may be high or low.
   * @throws {TypeError} when the key was wiped or is of another suite.
   */
  sign(key: PrivateKey, message: Uint8Array, hash?: HashName): Uint8Array;
  /** Whether `signature` (r ‖ s) is `key`'s over `message`. High and low `s` hold; any other length does not. Never throws on bytes. */
  verify(key: PublicKey, message: Uint8Array, signature: Uint8Array, hash?: HashName): boolean;
  /**
   * ECDH (SP 800-56A §5.7.1.2).
   * @returns The X coordinate: 48 bytes for P-384, 32 for P-256. A secret: wipe it after use.
   * @throws {TypeError} when the curves differ, or the key was wiped or is of another suite.
   */
  agree(own: PrivateKey, peer: PublicKey): Uint8Array;

  /**
   * @param key - 32 bytes. Copied: the caller may wipe it at once.
   * @throws {RangeError} when it is of another length.
   */
  aead(key: Uint8Array): AeadKey;

  /**
   * Ends the life of a secret: bytes are overwritten with zeros, a key handle refuses every later use. A garbage-collected
   * runtime may hold older copies elsewhere; this shortens the time a secret is readable and does not promise erasure.
   */
  wipe(secret: Uint8Array | PrivateKey | AeadKey): void;
  /** Compares in time that depends on the lengths only. Different lengths are unequal. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}

/** AES-256-GCM key length. */
export const AEAD_KEY_BYTES = 32;
/** AES-GCM tag length used throughout; never truncated. */
export const AEAD_TAG_BYTES = 16;
/** Shortest nonce accepted: channel version 1 uses 8 bytes. */
export const AEAD_NONCE_BYTES_MIN = 8;
/** Longest nonce accepted: what OpenSSL 3 takes. */
export const AEAD_NONCE_BYTES_MAX = 128;
/** Most random bytes in one call: the quota of Web Crypto's `getRandomValues`. */
export const RANDOM_BYTES_MAX = 65_536;

/** Throws a RangeError unless the nonce has an accepted length. Shared by the suites, so that they refuse alike. */
export function checkNonce(nonce: Uint8Array): void {
  if (nonce.length < AEAD_NONCE_BYTES_MIN || nonce.length > AEAD_NONCE_BYTES_MAX) {
    throw new RangeError(`a nonce has ${AEAD_NONCE_BYTES_MIN} to ${AEAD_NONCE_BYTES_MAX} bytes, not ${nonce.length}`);
  }
}

/** Throws a RangeError unless `length` can be asked of `randomBytes`. */
export function checkRandomLength(length: number): void {
  if (!Number.isInteger(length) || length < 0 || length > RANDOM_BYTES_MAX) {
    throw new RangeError(`randomBytes gives 0 to ${RANDOM_BYTES_MAX} bytes, not ${length}`);
  }
}

/** Throws a RangeError unless the arguments are within RFC 5869 §2.3: PRK at least one hash, output at most 255 hashes. */
export function checkExpand(hashBytes: number, pseudorandomKey: Uint8Array, length: number): void {
  if (pseudorandomKey.length < hashBytes) {
    throw new RangeError(`a pseudorandom key has at least ${hashBytes} bytes, not ${pseudorandomKey.length}`);
  }
  if (!Number.isInteger(length) || length < 0 || length > 255 * hashBytes) {
    throw new RangeError(`HKDF-Expand gives 0 to ${255 * hashBytes} bytes, not ${length}`);
  }
}
