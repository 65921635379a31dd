/**
 * X.509 v3 certificates (RFC 5280), read strictly: ECDSA only, canonical DER only, names with one attribute per step, no
 * extension twice. What a certificate is allowed to do is judged by its reader: see `verifyEndorsement`.
 */

import { id_ecdsaWithSHA256, id_ecdsaWithSHA384 } from "@peculiar/asn1-ecc";
import type { OctetString } from "@peculiar/asn1-schema";
import {
  type AlgorithmIdentifier,
  Certificate as AsnCertificate,
  AuthorityKeyIdentifier,
  BasicConstraints,
  ExtendedKeyUsage,
  type Extension,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  type Name,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  type Time,
  Version,
} from "@peculiar/asn1-x509";
import { samePublicBytes } from "./bytes.js";
import { decodeDer, encodeDer } from "./der.js";
import { CertificateError, type CertificateErrorCode, CryptoError } from "./errors.js";
import type { CryptoSuite, HashName, PublicKey } from "./suite.js";

/** Bound on a certificate. Ours have under 800 bytes; a public one seldom 2,000. */
export const CERTIFICATE_BYTES_MAX = 8_192;
/** RFC 5280 §4.1.2.2. */
const SERIAL_BYTES_MAX = 20;
/** RFC 5280 §4.1.2.5: dates through 2049 are UTCTime, later ones GeneralizedTime. */
export const UTC_TIME_YEAR_MAX = 2049;

export type KeyUsageName = keyof typeof KeyUsageFlags;

export interface CertificateExtension {
  /** Object identifier, dotted. */
  readonly oid: string;
  readonly critical: boolean;
  /** Whether this package reads it; a critical one it does not read makes the certificate unusable. */
  readonly known: boolean;
}

/** What a certificate says. Saying it proves nothing: nobody's signature has been checked yet. */
export interface Certificate {
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
  /** Basic constraints say it is a certificate authority. Absent means no. */
  readonly isCa: boolean;
  /** `undefined` when there is no such extension: then nothing is ruled out. */
  readonly keyUsage: readonly KeyUsageName[] | undefined;
  /** Object identifiers; `undefined` when there is no such extension. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** DNS names and IP addresses of the subject alternative name. */
  readonly hosts: readonly string[];
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authority: AuthorityReference;
  readonly extensions: readonly CertificateExtension[];
}

/** RFC 5280 §4.2.1.1: each part is optional. */
export interface AuthorityReference {
  readonly keyId: Uint8Array | undefined;
  /** DER names of the issuer's issuer. */
  readonly issuerDers: readonly Uint8Array[] | undefined;
  readonly serialNumber: Uint8Array | undefined;
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
  const decoded = decodeDer(AsnCertificate, der);
  if (!decoded.ok) throw new CertificateError(decoded.code);
  const { tbsCertificate: tbs, tbsCertificateRaw, signatureAlgorithm, signatureValue } = decoded.value;
  if (tbs.version !== Version.v3) throw new CertificateError("unsupported-version");
  const signatureHash = hashOf(tbs.signature);
  // RFC 5280 §4.1.1.2: the algorithm outside the signed part must be the one inside.
  if (hashOf(signatureAlgorithm) !== signatureHash) throw new CertificateError("malformed");
  // RFC 5280 §4.1: extensions, where there are any, are at least one.
  if (tbs.extensions?.length === 0) throw new CertificateError("malformed");
  return {
    der: new Uint8Array(der), // a copy even of a Buffer, whose `slice` is none
    // The bytes of the input: decodeDer has shown that the whole encodes back to itself.
    tbs: tbsCertificateRaw === undefined ? encodeDer(tbs) : new Uint8Array(tbsCertificateRaw),
    signature: new Uint8Array(signatureValue),
    signatureHash,
    serialNumber: readSerial(tbs.serialNumber),
    publicKey: readPublicKey(suite, encodeDer(tbs.subjectPublicKeyInfo)),
    ...readName("subject", tbs.subject),
    ...readName("issuer", tbs.issuer),
    ...readValidity(tbs.validity.notBefore, tbs.validity.notAfter),
    ...readExtensions(tbs.extensions ?? []),
  };
}

function hashOf({ algorithm, parameters }: AlgorithmIdentifier): HashName {
  // RFC 5758 §3.2: parameters are absent.
  if (parameters !== undefined) throw new CertificateError("unsupported-algorithm");
  if (algorithm === id_ecdsaWithSHA384) return "SHA-384";
  if (algorithm === id_ecdsaWithSHA256) return "SHA-256";
  throw new CertificateError("unsupported-algorithm");
}

/** RFC 5280 §4.1.2.2: a positive integer of at most 20 bytes; X.690 §8.3.2: in its shortest form. */
function readSerial(value: ArrayBuffer): Uint8Array {
  const bytes = new Uint8Array(value);
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 0 || bytes.length > SERIAL_BYTES_MAX || first >= 0x80) throw new CertificateError("malformed");
  if (first === 0 && bytes.length === 1) throw new CertificateError("malformed");
  if (first === 0 && second < 0x80) throw new CertificateError("not-canonical");
  return bytes;
}

function readPublicKey(suite: CryptoSuite, spki: Uint8Array): PublicKey {
  try {
    return suite.importPublicKey(spki);
  } catch (cause) {
    throw new CertificateError(keyRefusal(cause), { cause });
  }
}

function keyRefusal(cause: unknown): CertificateErrorCode {
  const code = cause instanceof CryptoError ? cause.code : undefined;
  if (code === "unsupported-algorithm" || code === "unsupported-curve" || code === "not-canonical") return code;
  return "bad-public-key";
}

const ID_COMMON_NAME = "2.5.4.3";

type NameFields<Field extends string> = { readonly [F in Field]: string } & {
  readonly [F in `${Field}Der`]: Uint8Array;
};

function readName<Field extends "subject" | "issuer">(field: Field, name: Name): NameFields<Field> {
  let commonName: string | undefined;
  for (const step of name) {
    // Several attributes in one step are a SET OF, whose order the library does not check; nobody here needs them.
    const [attribute] = step;
    if (attribute === undefined || step.length !== 1) throw new CertificateError("malformed");
    // Values that are not strings pass through the library unread, so they could hide a second encoding.
    if (attribute.value.anyValue !== undefined) throw new CertificateError("malformed");
    if (attribute.type === ID_COMMON_NAME) commonName ??= attribute.value.toString();
  }
  const der = encodeDer(name);
  // The two keys are computed from `field`, which TypeScript does not follow through an object literal.
  return { [field]: commonName ?? hex(der), [`${field}Der`]: der } as NameFields<Field>;
}

function readValidity(from: Time, to: Time): { notBefore: Date; notAfter: Date } {
  for (const time of [from, to]) {
    const year = time.getTime().getUTCFullYear();
    const inUtcRange = year <= UTC_TIME_YEAR_MAX;
    if (Number.isNaN(year) || (time.utcTime !== undefined) !== inUtcRange) throw new CertificateError("bad-validity");
    // RFC 5280 §4.1.2.5.2: no fractions of seconds.
    if (time.getTime().getUTCMilliseconds() !== 0) throw new CertificateError("bad-validity");
  }
  const validity = { notBefore: from.getTime(), notAfter: to.getTime() };
  if (validity.notBefore > validity.notAfter) throw new CertificateError("bad-validity");
  return validity;
}

type ExtensionFields = Pick<
  Certificate,
  "isCa" | "keyUsage" | "extendedKeyUsage" | "hosts" | "subjectKeyId" | "authority" | "extensions"
>;

function readExtensions(extensions: readonly Extension[]): ExtensionFields {
  const byId = new Map<string, OctetString>();
  for (const { extnID, extnValue } of extensions) {
    // RFC 5280 §4.2: at most one of each.
    if (byId.has(extnID)) throw new CertificateError("duplicate-extension");
    byId.set(extnID, extnValue);
  }
  const read = <T>(id: string, type: new () => T): T | undefined => {
    const value = byId.get(id);
    if (value === undefined) return undefined;
    const decoded = decodeDer(type, new Uint8Array(value.buffer));
    if (!decoded.ok) throw new CertificateError("bad-extension");
    return decoded.value;
  };
  const constraints = read(id_ce_basicConstraints, BasicConstraints);
  // RFC 5280 §4.2.1.9: a path length without cA means nothing and must not be there.
  if (constraints?.pathLenConstraint !== undefined && !(constraints.cA && constraints.pathLenConstraint >= 0)) {
    throw new CertificateError("bad-extension");
  }
  const usage = read(id_ce_keyUsage, KeyUsage);
  const extendedUsage = read(id_ce_extKeyUsage, ExtendedKeyUsage);
  if (extendedUsage?.length === 0) throw new CertificateError("bad-extension");
  const subjectKeyId = read(id_ce_subjectKeyIdentifier, SubjectKeyIdentifier);
  return {
    isCa: constraints?.cA ?? false,
    keyUsage: usage === undefined ? undefined : readKeyUsage(usage),
    extendedKeyUsage: extendedUsage === undefined ? undefined : [...extendedUsage],
    hosts: readHosts(read(id_ce_subjectAltName, SubjectAlternativeName)),
    subjectKeyId: subjectKeyId === undefined ? undefined : new Uint8Array(subjectKeyId.buffer),
    authority: readAuthority(read(id_ce_authorityKeyIdentifier, AuthorityKeyIdentifier)),
    extensions: extensions.map(({ extnID: oid, critical }) => ({ oid, critical, known: KNOWN_EXTENSIONS.has(oid) })),
  };
}

const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_extKeyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_ce_authorityKeyIdentifier,
]);

const KEY_USAGE_NAMES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const satisfies readonly KeyUsageName[];

function readKeyUsage(usage: KeyUsage): readonly KeyUsageName[] {
  const flags = usage.toNumber();
  // RFC 5280 §4.2.1.3: at least one bit; X.690 §11.2.2: a named bit list ends with its last one bit.
  if (!(flags > 0) || !samePublicBytes(encodeDer(usage), encodeDer(new KeyUsage(flags)))) {
    throw new CertificateError("bad-extension");
  }
  return KEY_USAGE_NAMES.filter((name) => (flags & KeyUsageFlags[name]) !== 0);
}

function readHosts(names: SubjectAlternativeName | undefined): readonly string[] {
  const hosts: string[] = [];
  for (const { dNSName, iPAddress } of names ?? []) {
    // The library reads 8 and 32 octets as an address range, which only name constraints may hold.
    if (iPAddress?.includes("/") === true) throw new CertificateError("bad-extension");
    const host = dNSName ?? iPAddress;
    if (host !== undefined) hosts.push(host);
  }
  return hosts;
}

function readAuthority(authority: AuthorityKeyIdentifier | undefined): AuthorityReference {
  const { keyIdentifier, authorityCertIssuer, authorityCertSerialNumber } = authority ?? {};
  return {
    keyId: keyIdentifier === undefined ? undefined : new Uint8Array(keyIdentifier.buffer),
    issuerDers: authorityCertIssuer?.map(({ directoryName }) =>
      directoryName === undefined ? new Uint8Array() : encodeDer(directoryName),
    ),
    serialNumber: authorityCertSerialNumber === undefined ? undefined : new Uint8Array(authorityCertSerialNumber),
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
