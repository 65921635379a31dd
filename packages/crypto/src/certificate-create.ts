/**
 * Makes the three certificates of a Sealane service (X.509 v3, RFC 5280): the service's own, the one by which the service
 * endorses a node, and the self-signed one a node shows before it is trusted. OpenSSL and Node's TLS accept them.
 */

import { id_ecdsaWithSHA256, id_ecdsaWithSHA384 } from "@peculiar/asn1-ecc";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  Certificate as AsnCertificate,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { samePublicBytes } from "./bytes.js";
import { parseCertificate } from "./certificate.js";
import { curveFacts } from "./curves.js";
import { encodeDer, toArrayBuffer } from "./der.js";
import { CertificateError } from "./errors.js";
import { parseHost } from "./host.js";
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
  /** How many service identities before this one it may vouch for, one through the other (RFC 5280 §4.2.1.9). Default 0. */
  readonly pathLength?: number;
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
 * Draws a key pair and makes the service certificate: self-signed; unless `pathLength` says more, it may issue end-entity certificates only.
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
      ...authorityExtensions(options.pathLength ?? 0),
      ...keyIdentifiers(keyId(suite, keyPair.publicKey), keyId(suite, keyPair.publicKey)),
    ],
  });
  return { keyPair, certificate };
}

/**
 * A service vouches for the identity that it had before: what that one has endorsed and signed is believed by whoever trusts this one.
 * @param former - The certificate of the former identity, DER. The result has its name and key.
 * @param options.pathLength - As the former identity's.
 * @returns DER.
 * @throws {CertificateError} when a certificate cannot be read, or "anchor-not-ca" when one is not a service's. @throws {RangeError} for the times.
 */
export function endorseService(
  suite: CryptoSuite,
  service: ServiceIdentity,
  former: Uint8Array,
  options: CertificateTimes & { readonly pathLength: number },
): Uint8Array {
  const issuer = parseCertificate(suite, service.certificate);
  const { publicKey, subjectDer, isCa, subjectKeyId } = parseCertificate(suite, former);
  if (!issuer.isCa || !isCa) throw new CertificateError("anchor-not-ca");
  return signCertificate(suite, service.keyPair, {
    subject: AsnConvert.parse(subjectDer, Name),
    issuer: AsnConvert.parse(issuer.subjectDer, Name),
    publicKey,
    times: options,
    extensions: [
      ...authorityExtensions(options.pathLength),
      ...keyIdentifiers(subjectKeyId ?? keyId(suite, publicKey), issuer.subjectKeyId),
    ],
  });
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
    issuer: AsnConvert.parse(issuer.subjectDer, Name), // byte for byte, whoever made the service certificate
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

interface Content {
  readonly subject: Name;
  readonly issuer: Name;
  readonly publicKey: PublicKey;
  readonly times: CertificateTimes;
  readonly extensions: readonly Extension[];
}

function signCertificate(suite: CryptoSuite, issuer: KeyPair, content: Content): Uint8Array {
  const { curve } = issuer.publicKey;
  const algorithm = new AlgorithmIdentifier({
    algorithm: curveFacts(curve).defaultHash === "SHA-384" ? id_ecdsaWithSHA384 : id_ecdsaWithSHA256,
  });
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(suite),
    signature: algorithm,
    issuer: content.issuer,
    validity: validity(content.times),
    subject: content.subject,
    // Imported again, so that a key object of any origin ends up in the certificate only if it is on its curve.
    subjectPublicKeyInfo: AsnConvert.parse(
      suite.importPoint(content.publicKey.curve, content.publicKey.point).spki,
      SubjectPublicKeyInfo,
    ),
    extensions: new Extensions([...content.extensions]),
  });
  const signature = signatureToDer(suite.sign(issuer.privateKey, encodeDer(tbs)));
  return encodeDer(
    new AsnCertificate({
      tbsCertificate: tbs,
      signatureAlgorithm: algorithm,
      signatureValue: toArrayBuffer(signature),
    }),
  );
}

function authorityExtensions(pathLenConstraint: number): Extension[] {
  return [
    extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: true, pathLenConstraint })),
    // digitalSignature too: the service key also signs ledger roots.
    extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature)),
  ];
}

function endEntityExtensions(
  suite: CryptoSuite,
  publicKey: PublicKey,
  authorityKeyId: Uint8Array | undefined,
  hosts: readonly string[],
): Extension[] {
  if (hosts.length > HOSTS_MAX) throw new RangeError(`a certificate names at most ${HOSTS_MAX} hosts`);
  const names = hosts.map((host) => {
    const parsed = parseHost(host);
    return new GeneralName(parsed.type === "ip" ? { iPAddress: parsed.text } : { dNSName: parsed.text });
  });
  return [
    extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: false })),
    extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.digitalSignature)),
    extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth])),
    ...(names.length === 0 ? [] : [extension(id_ce_subjectAltName, false, new SubjectAlternativeName(names))]),
    ...keyIdentifiers(keyId(suite, publicKey), authorityKeyId),
  ];
}

function keyIdentifiers(own: Uint8Array, authority: Uint8Array | undefined): Extension[] {
  const subject = extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(toArrayBuffer(own)));
  if (authority === undefined) return [subject];
  const keyIdentifier = new KeyIdentifier(toArrayBuffer(authority));
  return [subject, extension(id_ce_authorityKeyIdentifier, false, new AuthorityKeyIdentifier({ keyIdentifier }))];
}

function keyId(suite: CryptoSuite, publicKey: PublicKey): Uint8Array {
  return suite.sha256(publicKey.point).slice(0, KEY_ID_BYTES);
}

function extension(extnID: string, critical: boolean, value: object): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(toArrayBuffer(encodeDer(value))) });
}

function commonName(text: string): Name {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be refused
  if (text.length < 1 || text.length > NAME_CHARACTERS_MAX || /[\u0000-\u001f\u007f]/.test(text)) {
    throw new RangeError(`a name has 1 to ${NAME_CHARACTERS_MAX} characters, none of them a control character`);
  }
  if (/\p{Surrogate}/u.test(text)) throw new RangeError("a name is well-formed Unicode");
  const value = new AttributeValue({ utf8String: text });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: "2.5.4.3", value })])]);
}

function validity({ notBefore, notAfter }: CertificateTimes): Validity {
  for (const time of [notBefore, notAfter]) {
    const year = time.getUTCFullYear();
    if (!(year >= 1950 && year <= 9999)) throw new RangeError("validity times lie in the years 1950 to 9999");
  }
  if (notBefore > notAfter) throw new RangeError("a certificate ends no earlier than it begins");
  return new Validity({ notBefore, notAfter });
}

/** Positive and of exactly 16 bytes: the top bit is cleared, the next one set, so the encoding is minimal too. */
function serialNumber(suite: CryptoSuite): ArrayBuffer {
  const bytes = suite.randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return toArrayBuffer(bytes);
}
