/** What every suite does alike with secrets: which handles are its own, what a wiped one refuses, and which arguments are a caller's mistake. */

import { samePublicBytes } from "./bytes.js";
import { CryptoError } from "./errors.js";
import { AEAD_KEY_BYTES, type Curve, type PrivateKey, type PublicKey } from "./suite.js";

/**
 * The private keys of one suite, apart from their handles: a handle holds nothing, so nothing can be read from it, and one of another suite is
 * known for what it is.
 */
export class PrivateKeys<Secret> {
  readonly #suite: string;
  /** Undefined once wiped. */
  readonly #secrets = new WeakMap<PrivateKey, Secret | undefined>();

  /** @param suite - Its name, for the message of a refusal. */
  constructor(suite: string) {
    this.#suite = suite;
  }

  /** @param secret - Owned from here on. @returns The handle of a new private key. */
  add(curve: Curve, secret: Secret): PrivateKey {
    const key: PrivateKey = { type: "private", curve };
    this.#secrets.set(key, secret);
    return key;
  }

  /** @throws {TypeError} when the handle is of another suite, or was wiped. */
  get(key: PrivateKey): Secret {
    if (!this.#secrets.has(key)) throw new TypeError(`not a private key of the ${this.#suite} suite`);
    const secret = this.#secrets.get(key);
    if (secret === undefined) throw new TypeError("the private key was wiped");
    return secret;
  }

  has(key: object): key is PrivateKey {
    // Any object may be asked for; the ones in here are private keys.
    return this.#secrets.has(key as PrivateKey);
  }

  /** @returns What the key held, for the suite to erase; undefined when that was done before. */
  wipe(key: PrivateKey): Secret | undefined {
    const secret = this.#secrets.get(key);
    this.#secrets.set(key, undefined);
    return secret;
  }
}

/** @throws {TypeError} when an agreement is asked for between two curves. */
export function checkSameCurve(own: PrivateKey, peer: PublicKey): void {
  if (own.curve !== peer.curve) throw new TypeError("the two keys are on different curves");
}

/** @throws {RangeError} unless the key has the length of AES-256. */
export function checkAeadKey(key: Uint8Array): void {
  if (key.length !== AEAD_KEY_BYTES) throw new RangeError(`an AES-256 key has ${AEAD_KEY_BYTES} bytes`);
}

/**
 * @param point - The public key that a private key file holds, if any.
 * @param derived - The one that belongs to its scalar.
 * @throws {CryptoError} "key-mismatch"
 */
export function checkOwnPoint(point: Uint8Array | undefined, derived: Uint8Array): void {
  if (point !== undefined && !samePublicBytes(point, derived)) throw new CryptoError("key-mismatch", "private key");
}

/** An AEAD key's material. @throws {TypeError} when it was wiped. */
export function liveAeadKey<Key>(key: Key | undefined): Key {
  if (key === undefined) throw new TypeError("the AEAD key was wiped");
  return key;
}

/** For whatever is handed to `wipe` and is no secret of the suite. */
export function notASecretOf(suite: string): TypeError {
  return new TypeError(`not a secret of the ${suite} suite`);
}
