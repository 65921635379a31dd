/** A good certificate taken apart, changed byte by byte, and signed again by whoever should or should not. */

import { sign as nodeSign } from "node:crypto";
import { type CertificateErrorCode, pemEncode, signatureToDer } from "../../src/index.js";
import { leaf, service, suite } from "../forge.js";
import { at, contentOf, edit, elementsOf, oid, sequence, TAG, tlv } from "./der.js";

/** What somebody might show, and who it is checked against: the service's certificate unless another is given. */
export interface Shown {
  readonly leaf: Uint8Array;
  readonly anchor?: Uint8Array;
}

/** Where our rules and OpenSSL's part on purpose, and why. */
export type Departure = { readonly stricter: string } | { readonly looser: string };

/** Our verdict, what is shown, how to make it, and the reason where OpenSSL's verdict is the other one. */
export type CertificateCase = readonly [
  verdict: CertificateErrorCode | "accepted",
  name: string,
  make: () => Uint8Array | Shown,
  departure?: Departure,
];

/** Where things stand in a certificate as this package makes it (RFC 5280 §4.1). */
export const AT = {
  tbs: [0],
  version: [0, 0],
  serial: [0, 1],
  algorithm: [0, 2],
  issuer: [0, 3],
  validity: [0, 4],
  notBefore: [0, 4, 0],
  notAfter: [0, 4, 1],
  subject: [0, 5],
  key: [0, 6],
  keyAlgorithm: [0, 6, 0],
  point: [0, 6, 1],
  extensions: [0, 7, 0],
  outerAlgorithm: [1],
  signature: [2],
} as const;

export const OID = {
  basicConstraints: "2.5.29.19",
  keyUsage: "2.5.29.15",
  extendedKeyUsage: "2.5.29.37",
  subjectAltName: "2.5.29.17",
  subjectKeyId: "2.5.29.14",
  authorityKeyId: "2.5.29.35",
  nameConstraints: "2.5.29.30",
  policies: "2.5.29.32",
  commonName: "2.5.4.3",
  ecdsaSha1: "1.2.840.10045.4.1",
  ecdsaSha256: "1.2.840.10045.4.3.2",
  ecdsaSha384: "1.2.840.10045.4.3.3",
  ecdsaSha512: "1.2.840.10045.4.3.4",
  rsa: "1.2.840.113549.1.1.1",
  rsaSha256: "1.2.840.113549.1.1.11",
  ed25519: "1.3.101.112",
} as const;

/** @returns The signature's bytes over the signed part. */
export type Signer = (tbs: Uint8Array) => Uint8Array;

/** The service's, as it should be. */
export const byService: Signer = (tbs) => signatureToDer(suite.sign(service.keyPair.privateKey, tbs));

/** The service's key with a hash of OpenSSL's choice. */
export function byServiceWith(hash: string): Signer {
  const key = pemEncode("PRIVATE KEY", suite.exportPrivateKey(service.keyPair.privateKey));
  return (tbs) => Uint8Array.from(nodeSign(hash, tbs, key));
}

/** Replaces the signature by one over the signed part as it stands. */
export function signed(certificate: Uint8Array, signer: Signer = byService): Uint8Array {
  return edit(certificate, AT.signature, () => bitString(signer(at(certificate, AT.tbs))));
}

/** The good leaf with one element changed, and signed again by the service. */
export function changed(path: readonly number[], change: (element: Uint8Array) => Uint8Array): Uint8Array {
  return signed(edit(leaf, path, change));
}

/** The service's own certificate with one element changed, and signed again. */
export function changedAnchor(path: readonly number[], change: (element: Uint8Array) => Uint8Array): Uint8Array {
  return signed(edit(service.certificate, path, change));
}

/** Both algorithm fields replaced. */
export function withAlgorithm(algorithm: Uint8Array, signer: Signer = byService, certificate = leaf): Uint8Array {
  return signed(
    edit(
      edit(certificate, AT.algorithm, () => algorithm),
      AT.outerAlgorithm,
      () => algorithm,
    ),
    signer,
  );
}

/** @param change - What the list of extensions becomes. */
export function withExtensions(
  change: (extensions: readonly Uint8Array[]) => readonly Uint8Array[],
  certificate = leaf,
): Uint8Array {
  return signed(edit(certificate, AT.extensions, (list) => sequence(...change(elementsOf(list)))));
}

/** One extension replaced, or added at the end when there was none; `undefined` takes it away. */
export function withExtension(id: string, replacement: Uint8Array | undefined, certificate = leaf): Uint8Array {
  return withExtensions((extensions) => {
    const others = extensions.filter((each) => !isExtension(each, id));
    return replacement === undefined ? others : [...others, replacement];
  }, certificate);
}

export function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(oid(id), ...(critical ? [TRUE] : []), tlv(TAG.octetString, value));
}

export function isExtension(element: Uint8Array, id: string): boolean {
  return Buffer.from(at(element, [0])).equals(oid(id));
}

export function bitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return tlv(TAG.bitString, Uint8Array.of(unusedBits), content);
}

/** The bytes of a bit string without the count of unused bits. */
export function bitsOf(element: Uint8Array): Uint8Array {
  return contentOf(element).subarray(1);
}

export const TRUE = tlv(TAG.boolean, Uint8Array.of(0xff));
export const FALSE = tlv(TAG.boolean, Uint8Array.of(0));
