/** Errors of this package. None carries a key, a secret, or bytes of the refused input. */

/**
 * - `malformed`: not the ASN.1 structure it should be, or not PEM.
 * - `not-canonical`: readable, but not the one DER encoding (long lengths, trailing bytes, explicit defaults).
 * - `unsupported-algorithm`: not an elliptic-curve key.
 * - `unsupported-curve`: not P-384 or P-256 as a named curve.
 * - `bad-point`: compressed, infinite, off the curve or of the wrong length.
 * - `bad-scalar`: a private value outside 1 to n − 1, or of the wrong length.
 * - `key-mismatch`: the public key inside a private key file is another one.
 * - `bad-signature`: a signature that has no other form: r or s is 0, negative, too large, or not minimally encoded.
 */
export type CryptoErrorCode =
  | "malformed"
  | "not-canonical"
  | "unsupported-algorithm"
  | "unsupported-curve"
  | "bad-point"
  | "bad-scalar"
  | "key-mismatch"
  | "bad-signature";

/** A key or an encoding was refused. Nothing changed; the same bytes will always be refused, so do not retry. */
export class CryptoError extends Error {
  override readonly name = "CryptoError";
  readonly code: CryptoErrorCode;
  constructor(code: CryptoErrorCode, what: string) {
    super(`${what} refused: ${code}`);
    this.code = code;
  }
}

/**
 * - `too-large`: more than `CERTIFICATE_BYTES_MAX`.
 * - `malformed`: not an X.509 certificate.
 * - `not-canonical`: not the one DER encoding of what it says, or bytes behind it.
 * - `unsupported-version`: not X.509 version 3.
 * - `unsupported-algorithm`: a key or signature algorithm other than ECDSA with SHA-256 or SHA-384.
 * - `unsupported-curve`: a key on a curve that is not allowed here.
 * - `bad-public-key`: the key is not a point of its curve.
 * - `bad-validity`: validity times that RFC 5280 §4.1.2.5 does not allow.
 * - `duplicate-extension`, `bad-extension`: an extension twice, or one that is known and malformed.
 * - `unknown-critical-extension`: a critical extension this package does not process.
 * - `anchor-not-ca`: the service certificate may not issue certificates.
 * - `not-end-entity`: the endorsed certificate is (or may sign as) a certificate authority.
 * - `wrong-usage`: its key usage does not allow signing, or its extended usage neither server nor client.
 * - `issuer-mismatch`: it names another issuer.
 * - `authority-key-mismatch`: it names another key of the issuer.
 * - `bad-signature`: the service did not sign it.
 * - `not-yet-valid`, `expired`: outside its or the service's validity times, where these are checked.
 */
export type CertificateErrorCode =
  | "too-large"
  | "malformed"
  | "not-canonical"
  | "unsupported-version"
  | "unsupported-algorithm"
  | "unsupported-curve"
  | "bad-public-key"
  | "bad-validity"
  | "duplicate-extension"
  | "bad-extension"
  | "unknown-critical-extension"
  | "anchor-not-ca"
  | "not-end-entity"
  | "wrong-usage"
  | "issuer-mismatch"
  | "authority-key-mismatch"
  | "bad-signature"
  | "not-yet-valid"
  | "expired";

/** A certificate was refused. Log the code; tell the peer nothing. Only `not-yet-valid` can turn right by waiting. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
  readonly code: CertificateErrorCode;
  constructor(code: CertificateErrorCode, options?: ErrorOptions) {
    super(`certificate refused: ${code}`, options);
    this.code = code;
  }
}
