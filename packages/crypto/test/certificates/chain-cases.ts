/** Certificates of the wrong issuer, for the wrong anchor, or signed in the wrong way. */

import { generateKeyPairSync, sign as nodeSign } from "node:crypto";
import { createSelfSigned, createServiceIdentity, endorse, type KeyPair, signatureToDer } from "../../src/index.js";
import { leaf, node, service, suite, times } from "../forge.js";
import { at, edit, elementsOf, integer, join, oid, sequence, TAG, text, tlv, withByte } from "./der.js";
import {
  AT,
  byServiceWith,
  type CertificateCase,
  changedAnchor,
  type Departure,
  extension,
  OID,
  type Shown,
  type Signer,
  signed,
  TRUE,
  withAlgorithm,
  withExtension,
} from "./issue.js";

const OUR_HASHES: Departure = { stricter: "ECDSA with SHA-384 or SHA-256 alone" };
const PINNED: Departure = { looser: "the anchor is pinned, whoever issued it" };
const NOT_A_NODE: Departure = { stricter: "the service is no node, and its certificate is none of a node" };

const good = { publicKey: node.publicKey, name: "a node", hosts: ["127.0.0.1"], ...times };
const stranger = createServiceIdentity(suite, { name: "Another service", ...times });
const namesake = createServiceIdentity(suite, { name: "Test service", ...times });
const onP256 = createServiceIdentity(suite, { name: "Test service", curve: "P-256", ...times });
const middle = authorityBelow("Middle");
const middleNamesake = authorityBelow("Test service");

export const CHAIN_CASES: readonly CertificateCase[] = [
  ["accepted", "the good certificate", () => leaf],
  ["accepted", "one of a service on P-256", () => ({ leaf: endorse(suite, onP256, good), anchor: onP256.certificate })],
  ["issuer-mismatch", "one of another service", () => endorse(suite, stranger, good)],
  ["authority-key-mismatch", "one of a service of the same name", () => endorse(suite, namesake, good)],
  [
    "bad-signature",
    "one of a service of the same name, which claims our key",
    () => signed(leaf, by(namesake.keyPair)),
  ],
  ["bad-signature", "one signed by the node itself, in the service's name", () => signed(leaf, by(node))],
  ["bad-signature", "another's signature", () => edit(leaf, AT.signature, () => at(service.certificate, AT.signature))],
  ["bad-signature", "one changed after it was signed", () => edit(leaf, AT.serial, () => integer(1))],
  ["issuer-mismatch", "a self-signed certificate", () => createSelfSigned(suite, node, good)],
  [
    "authority-key-mismatch",
    "a self-signed certificate in the service's name",
    () => createSelfSigned(suite, node, { ...good, name: "Test service" }),
  ],
  [
    "issuer-mismatch",
    "one issued by an endorsed node",
    () =>
      signed(
        edit(leaf, AT.issuer, () => at(leaf, AT.subject)),
        by(node),
      ),
  ],
  ["issuer-mismatch", "a chain of two", () => endorse(suite, middle, good)],
  [
    "authority-key-mismatch",
    "a chain of two, with the service's name in the middle",
    () => endorse(suite, middleNamesake, good),
  ],
  [
    "not-end-entity",
    "the authority in the middle itself",
    () => middle.certificate,
    { stricter: "an authority is no node" },
  ],
  [
    "accepted",
    "a chain of two, with the middle pinned",
    () => ({ leaf: endorse(suite, middle, good), anchor: middle.certificate }),
    PINNED,
  ],
  ["not-end-entity", "the service certificate itself", () => service.certificate, NOT_A_NODE],
  ["not-end-entity", "the service of the same name", () => namesake.certificate],

  ["unsupported-algorithm", "SHA-1", () => withAlgorithm(sequence(oid(OID.ecdsaSha1)), byServiceWith("sha1"))],
  [
    "unsupported-algorithm",
    "SHA-512",
    () => withAlgorithm(sequence(oid(OID.ecdsaSha512)), byServiceWith("sha512")),
    OUR_HASHES,
  ],
  ["accepted", "SHA-256", () => withAlgorithm(sequence(oid(OID.ecdsaSha256)), byServiceWith("sha256"))],
  ["bad-signature", "SHA-384 that says SHA-256", () => withAlgorithm(sequence(oid(OID.ecdsaSha256)))],
  [
    "malformed",
    "one algorithm inside and another outside",
    () => edit(leaf, AT.outerAlgorithm, () => sequence(oid(OID.ecdsaSha256))),
  ],
  ["unsupported-algorithm", "an algorithm nobody knows", () => withAlgorithm(sequence(oid("1.2.3.4")))],
  [
    "unsupported-algorithm",
    "an ECDSA signature that says RSA",
    () => withAlgorithm(sequence(oid(OID.rsaSha256), tlv(TAG.null))),
  ],
  ["unsupported-algorithm", "an ECDSA signature that says Ed25519", () => withAlgorithm(sequence(oid(OID.ed25519)))],
  ["unsupported-algorithm", "a service with an Ed25519 key", ofEdwardsService, { stricter: "ECDSA alone" }],

  ["anchor-not-ca", "the node's own certificate for the anchor", () => ({ leaf, anchor: leaf })],
  [
    "anchor-not-ca",
    "an anchor that is no authority",
    () =>
      anchored(
        withExtension(OID.basicConstraints, extension(OID.basicConstraints, true, sequence()), service.certificate),
      ),
  ],
  [
    "anchor-not-ca",
    "an anchor without basic constraints",
    () => anchored(withExtension(OID.basicConstraints, undefined, service.certificate)),
    { stricter: "an anchor says that it is an authority" },
  ],
  [
    "anchor-not-ca",
    "an anchor that may not sign certificates",
    () =>
      anchored(
        withExtension(
          OID.keyUsage,
          extension(OID.keyUsage, true, tlv(TAG.bitString, Uint8Array.of(7, 0x80))),
          service.certificate,
        ),
      ),
  ],
  [
    "accepted",
    "an anchor whose constraints are not critical",
    () =>
      anchored(
        withExtension(
          OID.basicConstraints,
          extension(OID.basicConstraints, false, sequence(TRUE)),
          service.certificate,
        ),
      ),
  ],
  [
    "accepted",
    "an anchor without a path length",
    () =>
      anchored(
        withExtension(OID.basicConstraints, extension(OID.basicConstraints, true, sequence(TRUE)), service.certificate),
      ),
  ],
  [
    "unknown-critical-extension",
    "an anchor with an unknown critical extension",
    () => anchored(withExtension("1.2.3.4", extension("1.2.3.4", true, tlv(TAG.null)), service.certificate)),
  ],
  [
    "unsupported-version",
    "an anchor of version 1",
    () => anchored(signed(edit(service.certificate, AT.tbs, (tbs) => sequence(...elementsOf(tbs).slice(1, 7))))),
    { stricter: "an anchor says that it is an authority" },
  ],
  [
    "expired",
    "an anchor that has expired",
    () => anchored(changedAnchor(AT.notAfter, () => text(TAG.utcTime, "251231235959Z"))),
  ],
  [
    "not-yet-valid",
    "an anchor of next year",
    () => anchored(changedAnchor(AT.notBefore, () => text(TAG.utcTime, "270101000000Z"))),
  ],
  [
    "accepted",
    "an anchor whose own signature is wrong",
    () => anchored(edit(service.certificate, AT.signature, (bits) => withByte(bits, -1, (byte) => byte ^ 1))),
  ],
  [
    "not-canonical",
    "an anchor with a byte behind it",
    () => anchored(join(service.certificate, Uint8Array.of(0))),
    { stricter: "X.690 §10: one encoding alone" },
  ],
  ["malformed", "an anchor of no bytes", () => ({ leaf, anchor: new Uint8Array() })],
  [
    "bad-public-key",
    "an anchor whose key is off the curve",
    () => anchored(changedAnchor(AT.point, (bits) => withByte(bits, -1, (byte) => byte ^ 1))),
  ],
  [
    "authority-key-mismatch",
    "an anchor without the identifier that the certificate names",
    () => anchored(withExtension(OID.subjectKeyId, undefined, service.certificate)),
    { stricter: "what a certificate says of its issuer's key has to be seen to be so" },
  ],
];

function by({ privateKey }: KeyPair): Signer {
  return (tbs) => signatureToDer(suite.sign(privateKey, tbs));
}

function anchored(anchor: Uint8Array): Shown {
  return { leaf, anchor };
}

/** An authority endorsed by the service, whose path length of 0 forbids it. */
function authorityBelow(name: string): { readonly keyPair: KeyPair; readonly certificate: Uint8Array } {
  const keyPair = suite.generateKeyPair("P-384");
  const endEntity = endorse(suite, service, { ...good, publicKey: keyPair.publicKey, name });
  const usage = extension(OID.keyUsage, true, tlv(TAG.bitString, Uint8Array.of(2, 0x84)));
  const constraints = extension(OID.basicConstraints, true, sequence(TRUE));
  const certificate = withExtension(OID.keyUsage, usage, withExtension(OID.basicConstraints, constraints, endEntity));
  return { keyPair, certificate };
}

/** A whole service on another algorithm, under which everything else is right. */
function ofEdwardsService(): Shown {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const spki = Uint8Array.from(publicKey.export({ type: "spki", format: "der" }));
  const sign: Signer = (tbs) => Uint8Array.from(nodeSign(null, tbs, privateKey));
  const algorithm = sequence(oid(OID.ed25519));
  const anchor = withAlgorithm(
    algorithm,
    sign,
    edit(service.certificate, AT.key, () => spki),
  );
  return { leaf: withAlgorithm(algorithm, sign), anchor };
}
