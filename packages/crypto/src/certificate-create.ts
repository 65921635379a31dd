/**
 * Makes the three certificates of a Sealane service (X.509 v3, RFC 5280): the service's own, the one by which the service
 * endorses a node, and the self-signed one a node shows before it is trusted. OpenSSL and Node's TLS accept them.
 */

import { samePublicBytes } from "./bytes.js";
import { parseCertificate } from "./certificate.js";
import { KEY_USAGE_NAMES, type KeyUsageName } from "./certificate-extensions.js";
import { writeTime } from "./certificate-time.js";
import { curveFacts } from "./curves.js";
import { primitive, TAG } from "./der-reader.js";
import { bitString, element, explicit, objectIdentifier, octetString, sequence, smallInteger } from "./der-writer.js";
import { CertificateError } from "./errors.js";
import { parseHost } from "./host.js";
import { ipToOctets } from "./ip-address.js";
import {
  ID_AUTHORITY_KEY_IDENTIFIER,
  ID_BASIC_CONSTRAINTS,
  ID_CLIENT_AUTH,
  ID_COMMON_NAME,
  ID_ECDSA_WITH_SHA256,
  ID_ECDSA_WITH_SHA384,
  ID_EXTENDED_KEY_USAGE,
  ID_KEY_USAGE,
  ID_SERVER_AUTH,
  ID_SUBJECT_ALT_NAME,
  ID_SUBJECT_KEY_IDENTIFIER,
} from "./object-identifiers.js";
import { signatureToDer } from "./signature-encoding.js";
import type { CryptoSuite, Curve, KeyPair, PublicKey } from "./suite.js";

/** RFC 5280 Appendix A.1, ub-common-name. A node id, 64 hex characters, just fits. */
const NAME_CHARACTERS_MAX = 64;
/** 127 random bits; RFC 5280 §4.1.2.2 allows 20 bytes. */
const SERIAL_BYTES = 16;
/** RFC 7093 §2 method 1: the leftmost 160 bits of SHA-256 over the key. */
const KEY_ID_BYTES = 20;
/** Bounds the certificate: with the longest names it stays below CERTIFICATE_BYTES_MAX. */
const HOSTS_MAX = 16;

/** The service S: its key pair, and the certificate every node and client pins. */
export interface ServiceIdentity {
  readonly keyPair: KeyPair;
  /** DER. */
  readonly certificate: Uint8Array;
}

export interface CertificateTimes {
  /** Whole seconds count; the rest is cut off. Years 1950 to 9999. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface ServiceOptions extends CertificateTimes {
  /** Common name, 1 to 64 characters. */
  readonly name: string;
  /** P-384 unless given. */
  readonly curve?: Curve;
}

export interface SubjectOptions extends CertificateTimes {
  /** Common name, 1 to 64 characters; a node uses its id. */
  readonly name: string;
  /** Subject alternative names, at most 16: DNS names, IPv4 or IPv6 addresses without brackets or port. May be empty. */
  readonly hosts: readonly string[];
}

export interface EndorseOptions extends SubjectOptions {
  readonly publicKey: PublicKey;
}

/**
 * Draws a key pair and makes the service certificate: self-signed, may issue end-entity certificates only (path length 0).
 * @throws {RangeError} when the name or the times are not as {@link ServiceOptions} says.
 */
export function createServiceIdentity(suite: CryptoSuite, options: ServiceOptions): ServiceIdentity {
  const keyPair = suite.generateKeyPair(options.curve ?? "P-384");
  const name = commonName(options.name);
  const certificate = signCertificate(suite, keyPair, {
    subject: name,
    issuer: name,
    publicKey: keyPair.publicKey,
    times: options,
    extensions: [
      extension(ID_BASIC_CONSTRAINTS, true, sequence(TRUE, smallInteger(0))), // an authority, with path length 0
      // digitalSignature too: the service key also signs ledger roots.
      extension(ID_KEY_USAGE, true, keyUsage("digitalSignature", "keyCertSign")),
      ...keyIdentifiers(keyId(suite, keyPair.publicKey), keyId(suite, keyPair.publicKey)),
    ],
  });
  return { keyPair, certificate };
}

/**
 * The service vouches for a node key: an end-entity certificate, for TLS server and client use.
 * @returns DER.
 * @throws {CertificateError} when the service certificate cannot be read, or "anchor-not-ca".
 * @throws {TypeError} when the service's key pair is not that of its certificate.
 * @throws {RangeError} when the name, hosts or times are not as {@link EndorseOptions} says.
 * @example
 * const certificate = endorse(suite, service, { publicKey, name: nodeId, hosts: ["127.0.0.1"], notBefore, notAfter });
 */
export function endorse(suite: CryptoSuite, service: ServiceIdentity, options: EndorseOptions): Uint8Array {
  const issuer = parseCertificate(suite, service.certificate);
  if (!issuer.isCa) throw new CertificateError("anchor-not-ca");
  if (!samePublicBytes(issuer.publicKey.spki, service.keyPair.publicKey.spki)) {
    throw new TypeError("the key pair is not that of the service certificate");
  }
  return signCertificate(suite, service.keyPair, {
    subject: commonName(options.name),
    issuer: issuer.subjectDer, // byte for byte, whoever made the service certificate
    publicKey: options.publicKey,
    times: options,
    extensions: endEntityExtensions(suite, options.publicKey, issuer.subjectKeyId, options.hosts),
  });
}

/**
 * A node's certificate before the service knows it: an end-entity certificate signed by its own key.
 * @returns DER.
 * @throws {RangeError} when the name, hosts or times are not as {@link SubjectOptions} says.
 */
export function createSelfSigned(suite: CryptoSuite, keyPair: KeyPair, options: SubjectOptions): Uint8Array {
  const name = commonName(options.name);
  const { publicKey } = keyPair;
  return signCertificate(suite, keyPair, {
    subject: name,
    issuer: name,
    publicKey,
    times: options,
    extensions: endEntityExtensions(suite, publicKey, keyId(suite, publicKey), options.hosts),
  });
}

/** BOOLEAN true (X.690 §11.1). */
const TRUE = Uint8Array.of(TAG.boolean, 1, 0xff);
/** Version 3 (RFC 5280 §4.1.2.1). */
const VERSION_3 = 2;

interface Content {
  /** Name, DER; so is the issuer. */
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  readonly publicKey: PublicKey;
  readonly times: CertificateTimes;
  /** Each one DER. */
  readonly extensions: readonly Uint8Array[];
}

/** RFC 5280 §4.1. */
function signCertificate(suite: CryptoSuite, issuer: KeyPair, content: Content): Uint8Array {
  const { defaultHash } = curveFacts(issuer.publicKey.curve);
  const algorithm = sequence(objectIdentifier(defaultHash === "SHA-384" ? ID_ECDSA_WITH_SHA384 : ID_ECDSA_WITH_SHA256));
  const tbs = sequence(
    explicit(0, smallInteger(VERSION_3)),
    element(TAG.integer, serialNumber(suite)),
    algorithm,
    content.issuer,
    validity(content.times),
    content.subject,
    // Imported again, so that a key object of any origin ends up in the certificate only if it is on its curve.
    suite.importPoint(content.publicKey.curve, content.publicKey.point).spki,
    explicit(3, sequence(...content.extensions)),
  );
  return sequence(tbs, algorithm, bitString(signatureToDer(suite.sign(issuer.privateKey, tbs))));
}

function endEntityExtensions(
  suite: CryptoSuite,
  publicKey: PublicKey,
  authorityKeyId: Uint8Array | undefined,
  hosts: readonly string[],
): Uint8Array[] {
  if (hosts.length > HOSTS_MAX) throw new RangeError(`a certificate names at most ${HOSTS_MAX} hosts`);
  const names = hosts.map((host) => {
    const { type, text } = parseHost(host);
    return type === "ip" ? element(primitive(7), ipToOctets(text)) : element(primitive(2), ascii(text));
  });
  return [
    extension(ID_BASIC_CONSTRAINTS, true, sequence()), // no authority, which is the default
    extension(ID_KEY_USAGE, true, keyUsage("digitalSignature")),
    extension(ID_EXTENDED_KEY_USAGE, false, sequence(...[ID_SERVER_AUTH, ID_CLIENT_AUTH].map(objectIdentifier))),
    ...(names.length === 0 ? [] : [extension(ID_SUBJECT_ALT_NAME, false, sequence(...names))]),
    ...keyIdentifiers(keyId(suite, publicKey), authorityKeyId),
  ];
}

function keyIdentifiers(own: Uint8Array, authority: Uint8Array | undefined): Uint8Array[] {
  const subject = extension(ID_SUBJECT_KEY_IDENTIFIER, false, octetString(own));
  if (authority === undefined) return [subject];
  return [subject, extension(ID_AUTHORITY_KEY_IDENTIFIER, false, sequence(element(primitive(0), authority)))];
}

function keyId(suite: CryptoSuite, publicKey: PublicKey): Uint8Array {
  return suite.sha256(publicKey.point).slice(0, KEY_ID_BYTES);
}

/** Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(oid), ...(critical ? [TRUE] : []), octetString(value));
}

/** A named bit list, which ends with its last one bit (X.690 §11.2.2). @param names - Of the first eight, in any order. */
function keyUsage(...names: readonly KeyUsageName[]): Uint8Array {
  const bits = names.map((name) => KEY_USAGE_NAMES.indexOf(name));
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return bitString(Uint8Array.of(byte), 7 - Math.max(...bits));
}

/** Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }: one common name as a UTF8String. */
function commonName(text: string): Uint8Array {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be refused
  if (text.length < 1 || text.length > NAME_CHARACTERS_MAX || /[\u0000-\u001f\u007f]/.test(text)) {
    throw new RangeError(`a name has 1 to ${NAME_CHARACTERS_MAX} characters, none of them a control character`);
  }
  if (/\p{Surrogate}/u.test(text)) throw new RangeError("a name is well-formed Unicode");
  const value = element(TAG.utf8String, new TextEncoder().encode(text));
  return sequence(element(TAG.set, sequence(objectIdentifier(ID_COMMON_NAME), value)));
}

function validity({ notBefore, notAfter }: CertificateTimes): Uint8Array {
  for (const time of [notBefore, notAfter]) {
    const year = time.getUTCFullYear();
    if (!(year >= 1950 && year <= 9999)) throw new RangeError("validity times lie in the years 1950 to 9999");
  }
  if (notBefore > notAfter) throw new RangeError("a certificate ends no earlier than it begins");
  return sequence(writeTime(notBefore), writeTime(notAfter));
}

/** Positive and of exactly 16 bytes: the top bit is cleared, the next one set, so the encoding is minimal too. */
function serialNumber(suite: CryptoSuite): Uint8Array {
  const bytes = suite.randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
