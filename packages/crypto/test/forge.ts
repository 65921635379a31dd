/** Certificates as nobody should make them: a good one, taken apart, changed, and signed again. */

import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { Certificate as AsnCertificate, Extension, type TBSCertificate } from "@peculiar/asn1-x509";
import {
  type CryptoSuite,
  createServiceIdentity,
  endorse,
  type KeyPair,
  type ServiceIdentity,
  signatureToDer,
} from "../src/index.js";
import { nativeSuite } from "../src/native.js";

export const suite: CryptoSuite = nativeSuite;
export const times = { notBefore: new Date("2024-01-01T00:00:00Z"), notAfter: new Date("2034-01-01T00:00:00Z") };
export const service: ServiceIdentity = createServiceIdentity(suite, { name: "Test service", ...times });
export const node: KeyPair = suite.generateKeyPair("P-384");
export const leaf: Uint8Array = endorse(suite, service, {
  publicKey: node.publicKey,
  name: "a node",
  hosts: ["127.0.0.1", "::1", "localhost"],
  ...times,
});

/** @returns `der` with its signed part changed by `change` and signed by `issuer`. */
export function forge(
  change: (tbs: TBSCertificate, certificate: AsnCertificate) => void,
  { der = leaf, issuer = service.keyPair }: { der?: Uint8Array; issuer?: KeyPair } = {},
): Uint8Array {
  const certificate = AsnConvert.parse(der, AsnCertificate);
  change(certificate.tbsCertificate, certificate);
  const tbs = new Uint8Array(AsnConvert.serialize(certificate.tbsCertificate));
  certificate.signatureValue = new Uint8Array(signatureToDer(suite.sign(issuer.privateKey, tbs))).buffer;
  return new Uint8Array(AsnConvert.serialize(certificate));
}

/** @returns A change that replaces one extension, or adds it when there was none; `undefined` removes it. */
export function withExtension(id: string, value: object | undefined, critical = false): (tbs: TBSCertificate) => void {
  return ({ extensions }) => {
    if (extensions === undefined) throw new Error("the certificate has extensions");
    const at = extensions.findIndex(({ extnID }) => extnID === id);
    const bytes =
      value instanceof Uint8Array ? value : new Uint8Array(AsnConvert.serialize(value ?? new OctetString()));
    const extnValue = new OctetString(bytes.slice());
    const added = value === undefined ? [] : [new Extension({ extnID: id, critical, extnValue })];
    extensions.splice(at < 0 ? extensions.length : at, at < 0 ? 0 : 1, ...added);
  };
}
