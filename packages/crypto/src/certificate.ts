/**
 * X.509 v3 certificates (RFC 5280), read strictly: ECDSA only, canonical DER only, names with one attribute per step, no
 * extension twice. What a certificate is allowed to do is judged by its reader: see `verifyEndorsement`.
 */

import { type ExtensionFields, readExtensionFields, readExtensionList } from "./certificate-extensions.js";
import { readName } from "./certificate-name.js";
import { readTime } from "./certificate-time.js";
import { constructed, DerError, DerReader, decodeDer, primitive, TAG } from "./der-reader.js";
import { CertificateError, type CertificateErrorCode, CryptoError } from "./errors.js";
import { ID_ECDSA_WITH_SHA256, ID_ECDSA_WITH_SHA384 } from "./object-identifiers.js";
import type { CryptoSuite, HashName, PublicKey } from "./suite.js";

/** Bound on a certificate. Ours have under 800 bytes; a public one seldom 2,000. */
export const CERTIFICATE_BYTES_MAX = 8_192;
/** RFC 5280 §4.1.2.1: what stands for version 3. */
const VERSION_3 = 2;
/** RFC 5280 §4.1.2.2. */
const SERIAL_BYTES_MAX = 20;

/** What a certificate says. Saying it proves nothing: nobody's signature has been checked yet. */
export interface Certificate extends ExtensionFields {
  readonly der: Uint8Array;
  /** The part that is signed, DER. */
  readonly tbs: Uint8Array;
  /** DER ECDSA-Sig-Value, as found. */
  readonly signature: Uint8Array;
  readonly signatureHash: HashName;
  /** Positive, big-endian, minimal; at most 20 bytes. */
  readonly serialNumber: Uint8Array;
  readonly publicKey: PublicKey;
  /** For people: the common name, or the whole name in DER as hex if it has none. */
  readonly subject: string;
  readonly issuer: string;
  /** For comparing: Name, DER. */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Reads one certificate without trusting it.
 * @param der - At most `CERTIFICATE_BYTES_MAX` bytes. Copied.
 * @throws {CertificateError} "too-large", "malformed", "not-canonical", "unsupported-version", "unsupported-algorithm",
 * "unsupported-curve", "bad-public-key", "bad-validity", "duplicate-extension", "bad-extension".
 * @example
 * const certificate = parseCertificate(suite, pemDecode("CERTIFICATE", text));
 */
export function parseCertificate(suite: CryptoSuite, der: Uint8Array): Certificate {
  if (der.length > CERTIFICATE_BYTES_MAX) throw new CertificateError("too-large");
  const copy = new Uint8Array(der);
  const decoded = decodeDer(copy, readParts);
  if (!decoded.ok) throw new CertificateError(decoded.code);
  const { version, spki, extensions, ...parts } = decoded.value;
  if (version?.length !== 1 || version[0] !== VERSION_3) throw new CertificateError("unsupported-version");
  return { der: copy, ...parts, publicKey: readPublicKey(suite, spki), ...readExtensionFields(extensions) };
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING } (RFC 5280 §4.1) */
function readParts(reader: DerReader) {
  return reader.within(TAG.sequence, (certificate) => {
    const tbs = certificate.element(TAG.sequence);
    const outerHash = readAlgorithm(certificate);
    const signature = certificate.octetBits();
    const signed = new DerReader(tbs).within(TAG.sequence, readSigned);
    if (signed.signatureHash === undefined) throw new CertificateError("unsupported-algorithm");
    // RFC 5280 §4.1.1.2: the algorithm outside the signed part must be the one inside.
    if (outerHash !== signed.signatureHash) {
      throw new CertificateError(outerHash === undefined ? "unsupported-algorithm" : "malformed");
    }
    return { ...signed, signatureHash: signed.signatureHash, tbs, signature };
  });
}

/** TBSCertificate, in the order of RFC 5280 §4.1. */
function readSigned(tbs: DerReader) {
  const version = tbs.has(constructed(0)) ? tbs.within(constructed(0), (inner) => inner.integer()) : undefined;
  const serialNumber = readSerial(tbs);
  const signatureHash = readAlgorithm(tbs);
  const issuer = readName(tbs);
  const [notBefore, notAfter] = tbs.within(TAG.sequence, (times) => [readTime(times), readTime(times)] as const);
  if (notBefore > notAfter) throw new CertificateError("bad-validity");
  const subject = readName(tbs);
  const spki = tbs.element(TAG.sequence);
  // issuerUniqueID [1] and subjectUniqueID [2], which RFC 5280 §4.1.2.8 tells nobody to write and everybody to read.
  for (const id of [primitive(1), primitive(2)]) if (tbs.has(id)) tbs.octetBits(id);
  const extensions = tbs.isEmpty ? [] : tbs.within(constructed(3), (list) => readExtensions(list));
  return {
    version,
    serialNumber,
    signatureHash,
    subject: subject.text,
    issuer: issuer.text,
    subjectDer: subject.der,
    issuerDer: issuer.der,
    notBefore,
    notAfter,
    spki,
    extensions,
  };
}

/** RFC 5280 §4.1: extensions, where there are any, are at least one. */
function readExtensions(reader: DerReader): ReturnType<typeof readExtensionList> {
  const extensions = reader.within(TAG.sequence, readExtensionList);
  if (extensions.length === 0) throw new DerError("malformed");
  return extensions;
}

/** RFC 5280 §4.1.2.2: a positive integer of at most 20 bytes; X.690 §8.3.2: in its shortest form. */
function readSerial(tbs: DerReader): Uint8Array {
  const bytes = tbs.content(TAG.integer);
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 0 || bytes.length > SERIAL_BYTES_MAX || first >= 0x80) throw new DerError("malformed");
  if (first === 0 && bytes.length === 1) throw new DerError("malformed");
  if (first === 0 && second < 0x80) throw new DerError("not-canonical");
  return bytes;
}

/** AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }; undefined for one that is not supported. */
function readAlgorithm(reader: DerReader): HashName | undefined {
  return reader.within(TAG.sequence, (fields) => {
    const algorithm = fields.objectIdentifier();
    // RFC 5758 §3.2: parameters are absent.
    if (!fields.isEmpty) {
      fields.any();
      return undefined;
    }
    if (algorithm === ID_ECDSA_WITH_SHA384) return "SHA-384";
    return algorithm === ID_ECDSA_WITH_SHA256 ? "SHA-256" : undefined;
  });
}

function readPublicKey(suite: CryptoSuite, spki: Uint8Array): PublicKey {
  try {
    return suite.importPublicKey(spki);
  } catch (cause) {
    throw new CertificateError(keyRefusal(cause), { cause });
  }
}

/** A key that is not there as a key should be is "bad-public-key"; what is wrong with its writing, or its kind, keeps its name. */
function keyRefusal(cause: unknown): CertificateErrorCode {
  if (!(cause instanceof CryptoError)) return "bad-public-key";
  switch (cause.code) {
    case "malformed":
    case "not-canonical":
    case "unsupported-algorithm":
    case "unsupported-curve":
      return cause.code;
    default:
      return "bad-public-key";
  }
}
