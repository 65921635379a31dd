/**
 * SubjectPublicKeyInfo (RFC 5480 §2) and PKCS#8 (RFC 5958, with the ECPrivateKey of RFC 5915 inside) for named curves.
 * Only one encoding of each key exists here: uncompressed points, canonical DER. Checks that need curve arithmetic
 * (is the point on the curve, does the public key fit the private one) are the suites'.
 */

import { concat, samePublicBytes } from "./bytes.js";
import { CURVES, type CurveFacts, curveFacts, hasPointShape } from "./curves.js";
import { constructed, type DerReader, decodeDer, TAG } from "./der-reader.js";
import { bitString, explicit, objectIdentifier, octetString, sequence, smallInteger } from "./der-writer.js";
import { CryptoError } from "./errors.js";
import { ID_EC_PUBLIC_KEY } from "./object-identifiers.js";
import type { Curve } from "./suite.js";

/**
 * The encoding of a key's SPKI is a constant per curve, `CurveFacts.spkiPrefix`, followed by the point.
 * @param point - Uncompressed, of the curve's length.
 */
export function encodeSpki(curve: Curve, point: Uint8Array): Uint8Array {
  return concat([curveFacts(curve).spkiPrefix, point]);
}

/** @throws {CryptoError} see `CryptoSuite.importPublicKey`; the point is not yet checked against the curve. */
export function decodeSpki(spki: Uint8Array): { curve: Curve; point: Uint8Array } {
  for (const { curve, pointBytes, spkiPrefix: prefix } of CURVES) {
    if (spki.length === prefix.length + pointBytes && samePublicBytes(spki.subarray(0, prefix.length), prefix)) {
      return { curve, point: spki.slice(prefix.length) };
    }
  }
  // Not one of the encodings there are: read it all the same to say why.
  const decoded = decodeDer(spki, (reader) => reader.within(TAG.sequence, readSpki));
  if (!decoded.ok) throw new CryptoError(decoded.code, "public key");
  curveOf(decoded.value, "public key");
  throw new CryptoError("bad-point", "public key"); // compressed or of the wrong length
}

/**
 * @param scalar - Of the field's length. Borrowed.
 * @param point - The public key, uncompressed; without it only the private half is written (RFC 5915 §3 allows both).
 */
export function encodePkcs8(curve: Curve, scalar: Uint8Array, point?: Uint8Array): Uint8Array {
  const facts = curveFacts(curve);
  const secret = octetString(scalar);
  const inner = sequence(smallInteger(1), secret, ...(point === undefined ? [] : [explicit(1, bitString(point))]));
  const wrapped = octetString(inner);
  const pkcs8 = sequence(
    smallInteger(0),
    sequence(objectIdentifier(ID_EC_PUBLIC_KEY), objectIdentifier(facts.oid)),
    wrapped,
  );
  for (const copy of [secret, inner, wrapped]) copy.fill(0);
  return pkcs8;
}

/** @throws {CryptoError} see `CryptoSuite.importPrivateKey`; `point`, if any, is not yet checked against the scalar. */
export function decodePkcs8(pkcs8: Uint8Array): { curve: Curve; scalar: Uint8Array; point: Uint8Array | undefined } {
  const outer = decodeDer(pkcs8, (reader) => reader.within(TAG.sequence, readPrivateKeyInfo));
  if (!outer.ok) throw new CryptoError(outer.code, "private key");
  if (!isSmallInteger(outer.value.version, 0)) throw new CryptoError("malformed", "private key");
  const facts = curveOf(outer.value.algorithm, "private key");
  const inner = decodeDer(outer.value.privateKey, (reader) => reader.within(TAG.sequence, readEcPrivateKey));
  if (!inner.ok) throw new CryptoError(inner.code, "private key");
  const { version, scalar, parameters, point } = inner.value;
  if (!isSmallInteger(version, 1)) throw new CryptoError("malformed", "private key");
  if (parameters !== undefined && !samePublicBytes(parameters, objectIdentifier(facts.oid))) {
    throw new CryptoError("unsupported-curve", "private key");
  }
  // noble's check is 0 < scalar < n at exactly the field's length (RFC 5915 §3 fixes that length).
  if (!facts.noble.utils.isValidSecretKey(scalar)) throw new CryptoError("bad-scalar", "private key");
  if (point !== undefined && !hasPointShape(facts, point)) throw new CryptoError("bad-point", "private key");
  return { curve: facts.curve, scalar: new Uint8Array(scalar), point: point && new Uint8Array(point) };
}

interface Algorithm {
  /** Dotted. */
  readonly algorithm: string;
  /** One element, DER. */
  readonly parameters: Uint8Array | undefined;
}

/** AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL } */
function readAlgorithm(fields: DerReader): Algorithm {
  return { algorithm: fields.objectIdentifier(), parameters: fields.isEmpty ? undefined : fields.any() };
}

/** SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING } */
function readSpki(fields: DerReader): Algorithm {
  const algorithm = fields.within(TAG.sequence, readAlgorithm);
  fields.octetBits();
  return algorithm;
}

/** PrivateKeyInfo ::= SEQUENCE { version INTEGER, privateKeyAlgorithm AlgorithmIdentifier, privateKey OCTET STRING } */
function readPrivateKeyInfo(fields: DerReader) {
  return {
    version: fields.integer(),
    algorithm: fields.within(TAG.sequence, readAlgorithm),
    privateKey: fields.content(TAG.octetString),
  };
}

/** ECPrivateKey ::= SEQUENCE { version INTEGER, privateKey OCTET STRING, parameters [0] OPTIONAL, publicKey [1] BIT STRING OPTIONAL } */
function readEcPrivateKey(fields: DerReader) {
  return {
    version: fields.integer(),
    scalar: fields.content(TAG.octetString),
    parameters: fields.has(constructed(0)) ? fields.within(constructed(0), (inner) => inner.any()) : undefined,
    point: fields.has(constructed(1)) ? fields.within(constructed(1), (inner) => inner.octetBits()) : undefined,
  };
}

function isSmallInteger(bytes: Uint8Array, value: number): boolean {
  return bytes.length === 1 && bytes[0] === value;
}

function curveOf({ algorithm, parameters }: Algorithm, what: string): CurveFacts {
  if (algorithm !== ID_EC_PUBLIC_KEY) throw new CryptoError("unsupported-algorithm", what);
  const facts = CURVES.find(
    ({ oid }) => parameters !== undefined && samePublicBytes(parameters, objectIdentifier(oid)),
  );
  if (facts === undefined) throw new CryptoError("unsupported-curve", what);
  return facts;
}
