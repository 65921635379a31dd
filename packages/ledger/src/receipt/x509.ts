/**
 * As much of X.509 (RFC 5280) as a chain from a node to its service needs, in a hundred lines, so that the receipt verifier fits a web page.
 * `@sealane/crypto` reads the whole of a certificate and is what nodes use; the tests hold both to the same verdicts.
 *
 * Times are not checked: a receipt is meant to be read years after the certificates in it have expired, and proves what was so when it was
 * signed. Neither are names of hosts, which are the business of TLS.
 */
import { equalBytes, fromHex } from "@sealane/wire";
import {
  BIT_STRING,
  BOOLEAN,
  DerError,
  DerReader,
  EXPLICIT_0,
  EXPLICIT_3,
  INTEGER,
  OBJECT_ID,
  OCTET_STRING,
  rawSignature,
  SEQUENCE,
} from "./der.js";
import type { ReceiptCrypto, VerifyingKey } from "./receipt-crypto.js";

/** The same bound as `@sealane/crypto` has. */
const CERTIFICATE_BYTES_MAX = 8_192;

/** RFC 5480 §2: everything before the point is constant for a named curve and an uncompressed point. */
const CURVES = [
  {
    curve: "P-384",
    fieldBytes: 48,
    hash: "SHA-384",
    prefix: fromHex("3076301006072a8648ce3d020106052b8104002203620004"),
  },
  {
    curve: "P-256",
    fieldBytes: 32,
    hash: "SHA-256",
    prefix: fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
  },
] as const;

/** RFC 5758 §3.2: algorithm identifiers without parameters. */
const SIGNATURE_HASHES = [
  { hash: "SHA-384", algorithm: fromHex("300a06082a8648ce3d040303") },
  { hash: "SHA-256", algorithm: fromHex("300a06082a8648ce3d040302") },
] as const;

/** The last byte of 2.5.29.x: the extensions that are known here, critical or not. */
const KEY_USAGE = 0x0f;
const BASIC_CONSTRAINTS = 0x13;
/** Key ids, alternative names and extended usage: they narrow nothing that a receipt depends on. */
const PASSED_OVER: readonly number[] = [0x0e, 0x11, 0x23, 0x25];
/** Bits of the first byte of a key usage (RFC 5280 §4.2.1.3). */
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;

export interface ReceiptCertificate {
  /** What the issuer signed. */
  readonly tbs: Uint8Array;
  /** DER. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly key: VerifyingKey;
  readonly signature: Uint8Array;
  readonly signatureHash: "SHA-256" | "SHA-384";
  /** May sign certificates, and nothing in it says otherwise. */
  readonly isAuthority: boolean;
  /** Is no authority, and may sign. */
  readonly isEndEntity: boolean;
}

/** @returns `undefined` when it cannot be read or has a critical extension that is not known here. */
export function readCertificate(der: Uint8Array): ReceiptCertificate | undefined {
  try {
    return der.length > CERTIFICATE_BYTES_MAX ? undefined : read(der);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** Whether `issuer` signed `certificate`, by name and by key. */
export async function isSignedBy(
  crypto: ReceiptCrypto,
  certificate: ReceiptCertificate,
  issuer: ReceiptCertificate,
): Promise<boolean> {
  if (!equalBytes(certificate.issuer, issuer.subject)) return false;
  const signature = readSignature(certificate.signature, issuer.key);
  if (signature === undefined) return false;
  return crypto.verify(issuer.key, certificate.signatureHash, certificate.tbs, signature);
}

/** A DER ECDSA signature as raw r ‖ s, or `undefined`. */
export function readSignature(der: Uint8Array, { fieldBytes }: VerifyingKey): Uint8Array | undefined {
  try {
    return rawSignature(der, fieldBytes);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function read(der: Uint8Array): ReceiptCertificate {
  const whole = new DerReader(der);
  const certificate = whole.enter(SEQUENCE);
  whole.end();
  const tbs = certificate.element(SEQUENCE);
  const algorithm = certificate.element(SEQUENCE);
  const signature = bits(certificate.contents(BIT_STRING));
  certificate.end();

  const fields = new DerReader(tbs).enter(SEQUENCE);
  const version = fields.enter(EXPLICIT_0);
  if (!equalBytes(version.contents(INTEGER), Uint8Array.of(2))) throw new DerError("not version 3");
  version.end();
  fields.contents(INTEGER); // serial number
  // RFC 5280 §4.1.1.2: the algorithm outside the signed part must be the one inside.
  if (!equalBytes(fields.element(SEQUENCE), algorithm)) throw new DerError("two signature algorithms");
  const issuer = fields.element(SEQUENCE);
  fields.contents(SEQUENCE); // validity
  const subject = fields.element(SEQUENCE);
  const key = readKey(fields.element(SEQUENCE));
  const extensions = fields.has(EXPLICIT_3) ? readExtensions(fields.enter(EXPLICIT_3)) : {};
  fields.end();

  const { isCa = false, keyUsage = DIGITAL_SIGNATURE | (isCa ? KEY_CERT_SIGN : 0) } = extensions;
  return {
    tbs,
    issuer,
    subject,
    key,
    signature,
    signatureHash: hashOf(algorithm),
    isAuthority: isCa && (keyUsage & KEY_CERT_SIGN) !== 0,
    isEndEntity: !isCa && (keyUsage & KEY_CERT_SIGN) === 0 && (keyUsage & DIGITAL_SIGNATURE) !== 0,
  };
}

function readKey(spki: Uint8Array): VerifyingKey {
  for (const { curve, fieldBytes, hash, prefix } of CURVES) {
    const start = spki.subarray(0, prefix.length);
    if (equalBytes(start, prefix) && spki.length === prefix.length + 2 * fieldBytes) {
      return { curve, fieldBytes, hash, spki };
    }
  }
  throw new DerError("not an uncompressed point of P-384 or P-256");
}

function hashOf(identifier: Uint8Array): "SHA-256" | "SHA-384" {
  const known = SIGNATURE_HASHES.find(({ algorithm }) => equalBytes(algorithm, identifier));
  if (known === undefined) throw new DerError("not ECDSA with SHA-256 or SHA-384");
  return known.hash;
}

function readExtensions(explicit: DerReader): { isCa?: boolean; keyUsage?: number } {
  const list = explicit.enter(SEQUENCE);
  explicit.end();
  const seen = new Set<string>();
  const found: { isCa?: boolean; keyUsage?: number } = {};
  while (list.has(SEQUENCE)) {
    const extension = list.enter(SEQUENCE);
    const id = extension.contents(OBJECT_ID);
    if (seen.has(id.join())) throw new DerError("an extension twice");
    seen.add(id.join());
    const critical = extension.has(BOOLEAN) && isTrue(extension.contents(BOOLEAN));
    const value = new DerReader(extension.contents(OCTET_STRING));
    extension.end();
    const known = id.length === 3 && id[0] === 0x55 && id[1] === 0x1d ? id[2] : undefined;
    if (known === BASIC_CONSTRAINTS) {
      const constraints = value.enter(SEQUENCE);
      value.end();
      found.isCa = constraints.has(BOOLEAN) && isTrue(constraints.contents(BOOLEAN));
      if (found.isCa && constraints.has(INTEGER)) constraints.contents(INTEGER); // path length: chains here are checked link by link
      constraints.end();
    } else if (known === KEY_USAGE) {
      const usage = value.contents(BIT_STRING);
      value.end();
      found.keyUsage = usage[1] ?? 0;
    } else if (critical && !(known !== undefined && PASSED_OVER.includes(known))) {
      throw new DerError("a critical extension that is not known here");
    }
  }
  list.end();
  return found;
}

/** X.690 §11.1; FALSE is the default and must be left out. */
function isTrue(contents: Uint8Array): true {
  if (contents.length !== 1 || contents[0] !== 0xff) throw new DerError("a boolean of another form");
  return true;
}

/** Whole bytes: no unused bits in the last one. */
function bits(contents: Uint8Array): Uint8Array {
  if (contents[0] !== 0) throw new DerError("a bit string with unused bits");
  return contents.subarray(1);
}
