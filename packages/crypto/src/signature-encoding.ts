/** The two forms of an ECDSA signature: raw r ‖ s (IEEE P1363) and DER ECDSA-Sig-Value (RFC 3279 §2.2.3). */

import { CURVES, curveFacts } from "./curves.js";
import { CryptoError } from "./errors.js";
import type { Curve } from "./suite.js";

/**
 * @param raw - r ‖ s, 96 bytes (P-384) or 64 (P-256).
 * @returns Minimal DER.
 * @throws {CryptoError} "bad-signature" when the length is another, or r or s is not within 1 to n − 1.
 */
export function signatureToDer(raw: Uint8Array): Uint8Array {
  const facts = CURVES.find(({ fieldBytes }) => raw.length === 2 * fieldBytes);
  if (facts === undefined) throw new CryptoError("bad-signature", "signature");
  try {
    return facts.noble.Signature.fromBytes(raw, "compact").toBytes("der");
  } catch {
    throw new CryptoError("bad-signature", "signature");
  }
}

/**
 * @param der - ECDSA-Sig-Value, minimal DER without trailing bytes.
 * @returns r ‖ s, 96 bytes (P-384) or 64 (P-256).
 * @throws {CryptoError} "bad-signature" when it is not the one DER encoding, or r or s is not within 1 to n − 1.
 */
export function signatureFromDer(der: Uint8Array, curve: Curve): Uint8Array {
  const { noble } = curveFacts(curve);
  try {
    // noble reads minimal DER only; the tests here and the Wycheproof vectors hold it to that.
    return noble.Signature.fromBytes(der, "der").toBytes("compact");
  } catch {
    throw new CryptoError("bad-signature", "signature");
  }
}
