/**
 * Decides whether a service vouches for a node: a chain of exactly one, from an end-entity certificate to the pinned
 * service certificate (channel-v2 §3). This is the whole path validation of Sealane. It is far smaller than RFC 5280 §6 because
 * it has no intermediates, no policies, no revocation and no names to match: which node may act is the ledger's business.
 *
 * An attacker who holds an endorsed node key could try to issue certificates with it: refused, since the issuer must be the
 * anchor itself, byte for byte. One who has the service endorse odd requests could ask for a certificate authority
 * certificate: refused as not an end entity, so it could not pass as a node either.
 */

import { anyExtendedKeyUsage, id_kp_clientAuth, id_kp_serverAuth } from "@peculiar/asn1-x509";
import { samePublicBytes } from "./bytes.js";
import { type Certificate, parseCertificate } from "./certificate.js";
import type { EndorsementCache } from "./endorsement-cache.js";
import { CertificateError } from "./errors.js";
import { signatureFromDer } from "./signature-encoding.js";
import type { CryptoSuite, Curve } from "./suite.js";

export interface EndorsementOptions {
  /** Unix time in milliseconds. Validity times are checked if and only if this is given: nodes may have no trusted clock. */
  readonly nowMs?: number;
  /** Curves the node's key may be on. P-384 alone unless given. */
  readonly curves?: readonly Curve[];
  /** Remembers pairs that passed, so that the signature is verified once, and what the service certificate says. */
  readonly cache?: EndorsementCache;
}

const DEFAULT_CURVES: readonly Curve[] = ["P-384"];
const ACCEPTED_USAGES: readonly string[] = [id_kp_serverAuth, id_kp_clientAuth, anyExtendedKeyUsage];

/**
 * @param leafDer - The node's certificate. Any bytes.
 * @param serviceDer - The trust anchor: the service certificate as pinned. Its own signature is not checked, since being
 * pinned is all its authority.
 * @returns The node's certificate, now believed.
 * @throws {CertificateError} with the code of the first check that failed, for either certificate.
 * @example
 * const { publicKey } = verifyEndorsement(suite, certificate, serviceCertificate, { cache });
 */
export function verifyEndorsement(
  suite: CryptoSuite,
  leafDer: Uint8Array,
  serviceDer: Uint8Array,
  options: EndorsementOptions = {},
): Certificate {
  const { cache, nowMs, curves = DEFAULT_CURVES } = options;
  let pair = cache?.get(suite, leafDer, serviceDer);
  if (pair === undefined) {
    const service = cache?.anchor(suite, serviceDer) ?? parseCertificate(suite, serviceDer);
    pair = { leaf: parseCertificate(suite, leafDer), service };
    checkSignedBy(suite, pair.leaf, pair.service);
    cache?.add(suite, leafDer, serviceDer, pair);
  }
  // What depends on the options is checked every time; everything else above depends on the two byte strings alone.
  const { leaf, service } = pair;
  if (!curves.includes(leaf.publicKey.curve)) throw new CertificateError("unsupported-curve");
  if (nowMs !== undefined) {
    checkTime(leaf, nowMs);
    checkTime(service, nowMs);
  }
  return leaf;
}

function checkSignedBy(suite: CryptoSuite, leaf: Certificate, service: Certificate): void {
  for (const { extensions } of [leaf, service]) {
    if (extensions.some(({ critical, known }) => critical && !known)) {
      throw new CertificateError("unknown-critical-extension");
    }
  }
  if (!service.isCa || service.keyUsage?.includes("keyCertSign") === false) throw new CertificateError("anchor-not-ca");
  if (leaf.isCa || leaf.keyUsage?.includes("keyCertSign") === true) throw new CertificateError("not-end-entity");
  if (leaf.keyUsage?.includes("digitalSignature") === false) throw new CertificateError("wrong-usage");
  if (leaf.extendedKeyUsage?.some((usage) => ACCEPTED_USAGES.includes(usage)) === false) {
    throw new CertificateError("wrong-usage");
  }
  if (!samePublicBytes(leaf.issuerDer, service.subjectDer)) throw new CertificateError("issuer-mismatch");
  checkAuthority(leaf, service);
  if (!isSignedBy(suite, leaf, service)) throw new CertificateError("bad-signature");
}

/** RFC 5280 §4.2.1.1: what the leaf says about its issuer's key must be so; what it leaves out is no reason to refuse. */
function checkAuthority({ authority }: Certificate, service: Certificate): void {
  const { keyId, issuerDers, serialNumber } = authority;
  const matches =
    (keyId === undefined || (service.subjectKeyId !== undefined && samePublicBytes(keyId, service.subjectKeyId))) &&
    (issuerDers === undefined || issuerDers.some((der) => samePublicBytes(der, service.issuerDer))) &&
    (serialNumber === undefined || samePublicBytes(serialNumber, service.serialNumber));
  if (!matches) throw new CertificateError("authority-key-mismatch");
}

function isSignedBy(suite: CryptoSuite, leaf: Certificate, service: Certificate): boolean {
  let signature: Uint8Array;
  try {
    signature = signatureFromDer(leaf.signature, service.publicKey.curve);
  } catch {
    return false;
  }
  return suite.verify(service.publicKey, leaf.tbs, signature, leaf.signatureHash);
}

/** RFC 5280 §4.1.2.5: both ends belong to the period; the end is a whole second, so it lasts until the next. */
function checkTime({ notBefore, notAfter }: Certificate, nowMs: number): void {
  if (nowMs < notBefore.getTime()) throw new CertificateError("not-yet-valid");
  if (nowMs >= notAfter.getTime() + 1_000) throw new CertificateError("expired");
}
