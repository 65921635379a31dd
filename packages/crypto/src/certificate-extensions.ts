/** The extensions of a certificate (RFC 5280 §4.2): those this package reads, and which others there are. */

import { type CertificateName, readByteString, readName } from "./certificate-name.js";
import { constructed, DerError, type DerReader, decodeDer, primitive, TAG } from "./der-reader.js";
import { CertificateError } from "./errors.js";
import { ipFromOctets } from "./ip-address.js";
import {
  ID_AUTHORITY_KEY_IDENTIFIER,
  ID_BASIC_CONSTRAINTS,
  ID_EXTENDED_KEY_USAGE,
  ID_KEY_USAGE,
  ID_SUBJECT_ALT_NAME,
  ID_SUBJECT_KEY_IDENTIFIER,
} from "./object-identifiers.js";

/** RFC 5280 §4.2.1.3, in the order of the bits. */
export const KEY_USAGE_NAMES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;
export type KeyUsageName = (typeof KEY_USAGE_NAMES)[number];

export interface CertificateExtension {
  /** Object identifier, dotted. */
  readonly oid: string;
  readonly critical: boolean;
  /** Whether this package reads it; a critical one it does not read makes the certificate unusable. */
  readonly known: boolean;
}

/** RFC 5280 §4.2.1.1: each part is optional. */
export interface AuthorityReference {
  readonly keyId: Uint8Array | undefined;
  /** DER names of the issuer's issuer; empty for a name of another kind. */
  readonly issuerDers: readonly Uint8Array[] | undefined;
  readonly serialNumber: Uint8Array | undefined;
}

/** What the extensions say; see `Certificate`, which has all of this. */
export interface ExtensionFields {
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

const KNOWN_EXTENSIONS: readonly string[] = [
  ID_BASIC_CONSTRAINTS,
  ID_KEY_USAGE,
  ID_EXTENDED_KEY_USAGE,
  ID_SUBJECT_ALT_NAME,
  ID_SUBJECT_KEY_IDENTIFIER,
  ID_AUTHORITY_KEY_IDENTIFIER,
];

interface RawExtension extends CertificateExtension {
  /** DER, if it is a known one. Not read yet. */
  readonly value: Uint8Array;
}

/**
 * Reads a SEQUENCE OF Extension, or what a certificate without any says.
 * @throws {DerError} for the list itself, {CertificateError} "duplicate-extension" or "bad-extension" for what is in it.
 */
export function readExtensionList(list: DerReader | undefined): readonly RawExtension[] {
  const extensions: RawExtension[] = [];
  while (list !== undefined && !list.isEmpty) extensions.push(list.within(TAG.sequence, readExtension));
  return extensions;
}

function readExtension(reader: DerReader): RawExtension {
  const oid = reader.objectIdentifier();
  return {
    oid,
    critical: reader.flag(),
    known: KNOWN_EXTENSIONS.includes(oid),
    value: reader.content(TAG.octetString),
  };
}

/** @throws {CertificateError} "duplicate-extension" or "bad-extension". */
export function readExtensionFields(extensions: readonly RawExtension[]): ExtensionFields {
  const values = new Map<string, Uint8Array>();
  for (const { oid, value } of extensions) {
    // RFC 5280 §4.2: at most one of each.
    if (values.has(oid)) throw new CertificateError("duplicate-extension");
    values.set(oid, value);
  }
  const read = <T>(oid: string, readValue: (reader: DerReader) => T): T | undefined => {
    const value = values.get(oid);
    if (value === undefined) return undefined;
    const decoded = decodeDer(value, readValue);
    if (!decoded.ok) throw new CertificateError("bad-extension");
    return decoded.value;
  };
  return {
    isCa: read(ID_BASIC_CONSTRAINTS, readIsCa) ?? false,
    keyUsage: read(ID_KEY_USAGE, readKeyUsage),
    extendedKeyUsage: read(ID_EXTENDED_KEY_USAGE, readExtendedKeyUsage),
    hosts: read(ID_SUBJECT_ALT_NAME, readHosts) ?? [],
    subjectKeyId: read(ID_SUBJECT_KEY_IDENTIFIER, (reader) => reader.content(TAG.octetString)),
    authority: read(ID_AUTHORITY_KEY_IDENTIFIER, readAuthority) ?? NO_REFERENCE,
    extensions: extensions.map(({ oid, critical, known }) => ({ oid, critical, known })),
  };
}

const NO_REFERENCE: AuthorityReference = { keyId: undefined, issuerDers: undefined, serialNumber: undefined };

/** BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL } */
function readIsCa(reader: DerReader): boolean {
  return reader.within(TAG.sequence, (fields) => {
    const isCa = fields.flag();
    if (fields.isEmpty) return isCa;
    const [first = 0] = fields.integer();
    // RFC 5280 §4.2.1.9: a path length without cA means nothing and must not be there.
    if (!isCa || first >= 0x80) throw new DerError("malformed");
    return isCa;
  });
}

/** RFC 5280 §4.2.1.3. Bits beyond those with a name are passed over, as everybody does; more than 32 are no key usage. */
function readKeyUsage(reader: DerReader): readonly KeyUsageName[] {
  const [unusedBits = 8, ...bytes] = reader.content(TAG.bitString);
  const last = bytes.at(-1) ?? 0;
  if (unusedBits > 7 || last === 0 || bytes.length > 4) throw new DerError("malformed");
  // X.690 §11.2.2: a named bit list ends with its last one bit.
  if ((last & (2 ** (unusedBits + 1) - 1)) !== 2 ** unusedBits) throw new DerError("not-canonical");
  return KEY_USAGE_NAMES.filter((_, bit) => (((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0);
}

/** ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF OBJECT IDENTIFIER */
function readExtendedKeyUsage(reader: DerReader): readonly string[] {
  return reader.within(TAG.sequence, (list) => {
    const purposes: string[] = [];
    do purposes.push(list.objectIdentifier());
    while (!list.isEmpty);
    return purposes;
  });
}

/** GeneralNames ::= SEQUENCE OF GeneralName (RFC 5280 §4.2.1.6). */
function readHosts(reader: DerReader): readonly string[] {
  return reader.within(TAG.sequence, (names) => {
    const hosts: string[] = [];
    while (!names.isEmpty) {
      const { host } = readGeneralName(names);
      if (host !== undefined) hosts.push(host);
    }
    return hosts;
  });
}

interface GeneralName {
  /** Of a DNS name or an IP address. */
  readonly host?: string;
  readonly directoryName?: CertificateName;
}

/** One of the nine kinds of RFC 5280 §4.2.1.6. Those nobody here uses only have to be well-formed. */
function readGeneralName(reader: DerReader): GeneralName {
  if (reader.has(primitive(2))) return { host: readByteString(reader, primitive(2)) };
  if (reader.has(primitive(7))) {
    // 8 and 32 octets are an address range, which only name constraints may hold.
    const host = ipFromOctets(reader.content(primitive(7)));
    if (host === undefined) throw new DerError("malformed");
    return { host };
  }
  if (reader.has(constructed(4))) return { directoryName: reader.within(constructed(4), readName) };
  if (reader.has(primitive(8))) {
    reader.objectIdentifier(primitive(8));
    return {};
  }
  if (reader.has(constructed(0))) {
    reader.within(constructed(0), readOtherName);
    return {};
  }
  const isKnown = [primitive(1), primitive(6), constructed(3), constructed(5)].some((tag) => reader.has(tag));
  if (!isKnown) throw new DerError("malformed");
  reader.any();
  return {};
}

/** OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY } */
function readOtherName(reader: DerReader): void {
  reader.objectIdentifier();
  reader.within(constructed(0), (value) => value.any());
}

/** AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0], authorityCertIssuer [1], authorityCertSerialNumber [2] }, all optional. */
function readAuthority(reader: DerReader): AuthorityReference {
  return reader.within(TAG.sequence, (fields) => ({
    keyId: fields.has(primitive(0)) ? fields.content(primitive(0)) : undefined,
    issuerDers: fields.has(constructed(1)) ? fields.within(constructed(1), readIssuers) : undefined,
    serialNumber: fields.has(primitive(2)) ? fields.integer(primitive(2)) : undefined,
  }));
}

function readIssuers(names: DerReader): readonly Uint8Array[] {
  const ders: Uint8Array[] = [];
  while (!names.isEmpty) ders.push(readGeneralName(names).directoryName?.der ?? new Uint8Array());
  return ders;
}
