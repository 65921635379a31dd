/** What both versions ask of a peer's certificate: that the service vouches for its key. Whose key it has to be, each version checks itself. */
import { CertificateError, type Curve, type PublicKey, verifyEndorsement } from "@sealane/crypto";
import { HandshakeError } from "./errors.js";
import type { Party } from "./party.js";

/**
 * Endorsed by the service directly, an end entity, on an allowed curve (channel-v2 §3, channel-v1-wire §3.4).
 * @param certificate - DER. Borrowed.
 * @param curves - Allowed unless the owner says otherwise.
 * @throws {HandshakeError} `certificate-…`
 */
export function endorsedKey(
  { suite, trust, cache }: Party,
  certificate: Uint8Array,
  curves: readonly Curve[],
): PublicKey {
  try {
    return verifyEndorsement(suite, certificate, trust.serviceCertificate, {
      cache,
      curves: trust.curves ?? curves,
      ...(trust.nowMs === undefined ? {} : { nowMs: trust.nowMs() }),
    }).publicKey;
  } catch (error) {
    if (error instanceof CertificateError) throw new HandshakeError(`certificate-${error.code}`, { cause: error });
    throw error;
  }
}
