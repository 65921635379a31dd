/**
 * Encrypting a short secret to the holder of a key: how a new ledger secret reaches each trusted node through the ledger (ledger spec §11.1).
 * CCF's way, RSA-OAEP with SHA-256 and no label under a key of 2,048 bits (RFC 8017 §7.1). It stands beside `CryptoSuite`, not in it: the
 * portable suite has no RSA, which in plain JavaScript would be neither fast nor constant in time.
 */

export interface WrappingKeyPair {
  /** SubjectPublicKeyInfo in PEM, as CCF's `encryption_pub_key`. */
  readonly publicKey: string;
  /** PKCS#8, DER. A secret. */
  readonly privateKey: Uint8Array;
}

export interface KeyWrapping {
  generateKeyPair(): WrappingKeyPair;
  /**
   * @param publicKey - PEM. @param secret - At most 190 bytes.
   * @throws {CryptoError} "malformed" or "unsupported-algorithm" for what is no RSA key of 2,048 bits. @throws {RangeError} for a longer secret.
   */
  wrap(publicKey: string, secret: Uint8Array): Uint8Array;
  /** @returns `undefined` for whatever was not made with `wrap` for this very key: one answer for every failure. */
  unwrap(privateKey: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined;
}

/** RFC 8017 §7.1.1: 256 bytes of modulus less two hashes and two bytes. */
export const WRAPPED_SECRET_BYTES_MAX = 256 - 2 * 32 - 2;

export function checkSecretLength(secret: Uint8Array): void {
  if (secret.length > WRAPPED_SECRET_BYTES_MAX) {
    throw new RangeError(`a secret of ${secret.length} bytes is longer than ${WRAPPED_SECRET_BYTES_MAX}`);
  }
}
