/**
 * SubjectPublicKeyInfo (RFC 5480 §2) and PKCS#8 (RFC 5958, with the ECPrivateKey of RFC 5915 inside) for named curves.
 * Only one encoding of each key exists here: uncompressed points, canonical DER. Checks that need curve arithmetic
 * (is the point on the curve, does the public key fit the private one) are the suites'.
 */

import { ECParameters, ECPrivateKey, id_ecPublicKey } from "@peculiar/asn1-ecc";
import { AsnProp, AsnPropTypes, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, SubjectPublicKeyInfo } from "@peculiar/asn1-x509";
import { samePublicBytes } from "./bytes.js";
import { CURVES, type CurveFacts, curveFacts, hasPointShape, spkiPoint } from "./curves.js";
import { decodeDer, encodeDer, toArrayBuffer } from "./der.js";
import { CryptoError } from "./errors.js";
import type { Curve } from "./suite.js";

/** @throws {CryptoError} see `CryptoSuite.importPublicKey`; the point is not yet checked against the curve. */
export function decodeSpki(spki: Uint8Array): { curve: Curve; point: Uint8Array } {
  const known = spkiPoint(spki);
  if (known !== undefined) return known;
  // Not one of the encodings there are: read it all the same to say why.
  const decoded = decodeDer(SubjectPublicKeyInfo, spki);
  if (!decoded.ok) throw new CryptoError(decoded.code, "public key");
  curveOf(decoded.value.algorithm, "public key");
  throw new CryptoError("bad-point", "public key"); // compressed or of the wrong length
}

/**
 * @param scalar - Of the field's length. Borrowed.
 * @param point - The public key, uncompressed; without it only the private half is written (RFC 5915 §3 allows both).
 */
export function encodePkcs8(curve: Curve, scalar: Uint8Array, point?: Uint8Array): Uint8Array {
  const inner = new ECPrivateKey({
    version: 1,
    privateKey: new OctetString(toArrayBuffer(scalar)),
    ...(point === undefined ? {} : { publicKey: toArrayBuffer(point) }),
  });
  const info = new PrivateKeyInfo();
  info.privateKeyAlgorithm = ecAlgorithm(curveFacts(curve));
  info.privateKey = new OctetString(toArrayBuffer(encodeDer(inner)));
  return encodeDer(info);
}

/** @throws {CryptoError} see `CryptoSuite.importPrivateKey`; `point`, if any, is not yet checked against the scalar. */
export function decodePkcs8(pkcs8: Uint8Array): { curve: Curve; scalar: Uint8Array; point: Uint8Array | undefined } {
  const outer = decodeDer(PrivateKeyInfo, pkcs8);
  if (!outer.ok) throw new CryptoError(outer.code, "private key");
  if (outer.value.version !== 0) throw new CryptoError("malformed", "private key");
  const facts = curveOf(outer.value.privateKeyAlgorithm, "private key");
  const inner = decodeDer(ECPrivateKey, new Uint8Array(outer.value.privateKey.buffer));
  if (!inner.ok) throw new CryptoError(inner.code, "private key");
  const { version, privateKey, parameters, publicKey } = inner.value;
  if (version !== 1) throw new CryptoError("malformed", "private key");
  if (parameters !== undefined && parameters.namedCurve !== facts.oid) {
    throw new CryptoError("unsupported-curve", "private key");
  }
  const scalar = new Uint8Array(privateKey.buffer);
  // noble's check is 0 < scalar < n at exactly the field's length (RFC 5915 §3 fixes that length).
  if (!facts.noble.utils.isValidSecretKey(scalar)) throw new CryptoError("bad-scalar", "private key");
  const point = publicKey === undefined ? undefined : new Uint8Array(publicKey);
  if (point !== undefined && !hasPointShape(facts, point)) throw new CryptoError("bad-point", "private key");
  return { curve: facts.curve, scalar, point };
}

function ecAlgorithm(facts: CurveFacts): AlgorithmIdentifier {
  const parameters = toArrayBuffer(encodeDer(new ECParameters({ namedCurve: facts.oid })));
  return new AlgorithmIdentifier({ algorithm: id_ecPublicKey, parameters });
}

function curveOf(algorithm: AlgorithmIdentifier, what: string): CurveFacts {
  if (algorithm.algorithm !== id_ecPublicKey) throw new CryptoError("unsupported-algorithm", what);
  const parameters = new Uint8Array(algorithm.parameters ?? new ArrayBuffer(0));
  const facts = CURVES.find(({ oid }) => samePublicBytes(parameters, encodeDer(new ECParameters({ namedCurve: oid }))));
  if (facts === undefined) throw new CryptoError("unsupported-curve", what);
  return facts;
}

/** PrivateKeyInfo ::= SEQUENCE { version INTEGER, privateKeyAlgorithm AlgorithmIdentifier, privateKey OCTET STRING } */
class PrivateKeyInfo {
  version = 0;
  privateKeyAlgorithm = new AlgorithmIdentifier();
  privateKey = new OctetString();
}
// The schema, in field order; written as calls because decorators are not part of the language level used here.
AsnProp({ type: AsnPropTypes.Integer })(PrivateKeyInfo.prototype, "version");
AsnProp({ type: AlgorithmIdentifier })(PrivateKeyInfo.prototype, "privateKeyAlgorithm");
AsnProp({ type: OctetString })(PrivateKeyInfo.prototype, "privateKey");
