/** The two operations a receipt needs, so that it can be checked with Web Crypto, with a suite of `@sealane/crypto`, or with anything else. */
import type { CryptoSuite } from "@sealane/crypto";

/** A public key as a certificate has it. */
export interface VerifyingKey {
  readonly curve: "P-384" | "P-256";
  /** Length of r and of s: 48 or 32. */
  readonly fieldBytes: number;
  /** The hash that goes with the curve where nothing names another. */
  readonly hash: "SHA-384" | "SHA-256";
  /** SubjectPublicKeyInfo, DER, of an uncompressed point that nobody has checked against the curve yet. */
  readonly spki: Uint8Array;
}

export interface ReceiptCrypto {
  /** 32 bytes. */
  sha256(bytes: Uint8Array): Promise<Uint8Array> | Uint8Array;
  /**
   * ECDSA (FIPS 186-5 §6.4).
   * @param signature - Raw r ‖ s.
   * @returns false also for a key that is not on its curve.
   */
  verify(
    key: VerifyingKey,
    hash: "SHA-256" | "SHA-384",
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> | boolean;
}

/**
 * @param suite - Or the three operations of one.
 * @example
 * const facts = await verifyReceipt(bytes, { crypto: suiteCrypto(nobleSuite), serviceCertificate });
 */
export function suiteCrypto(suite: Pick<CryptoSuite, "sha256" | "importPublicKey" | "verify">): ReceiptCrypto {
  return {
    sha256: (bytes) => suite.sha256(bytes),
    verify: ({ spki }, hash, message, signature) => {
      try {
        return suite.verify(suite.importPublicKey(spki), message, signature, hash);
      } catch {
        return false; // importing refuses what is no point of the curve; verifying does not throw on bytes
      }
    },
  };
}

/** What is used of `SubtleCrypto` (Web Cryptography API §14). A page's `crypto.subtle` is one. */
export interface SubtleLike<Key = unknown> {
  digest(algorithm: string, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  importKey(
    format: "spki",
    data: Uint8Array<ArrayBuffer>,
    algorithm: { name: string; namedCurve: string },
    extractable: boolean,
    usages: "verify"[],
  ): Promise<Key>;
  verify(
    algorithm: { name: string; hash: string },
    key: Key,
    signature: Uint8Array<ArrayBuffer>,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}

/**
 * @param subtle - `crypto.subtle` of a page (secure contexts only), a worker or Node.
 * @example
 * const facts = await verifyReceipt(bytes, { crypto: webCrypto(crypto.subtle), serviceCertificate });
 */
export function webCrypto<Key>(subtle: SubtleLike<Key>): ReceiptCrypto {
  return {
    sha256: async (bytes) => new Uint8Array(await subtle.digest("SHA-256", bytes.slice())),
    verify: async ({ curve, spki }, hash, message, signature) => {
      let key: Key;
      try {
        key = await subtle.importKey("spki", spki.slice(), { name: "ECDSA", namedCurve: curve }, false, ["verify"]);
      } catch {
        return false; // no point of the curve
      }
      return subtle.verify({ name: "ECDSA", hash }, key, signature.slice(), message.slice());
    },
  };
}
