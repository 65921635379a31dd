/** Well-formed DER that says what a node's certificate must not say: version, serial number, times, names, key. */

import { generateKeyPairSync } from "node:crypto";
import { leaf, suite } from "../forge.js";
import { at, contentOf, edit, elementsOf, integer, join, oid, sequence, TAG, text, tlv } from "./der.js";
import {
  AT,
  bitString,
  bitsOf,
  type CertificateCase,
  changed,
  type Departure,
  extension,
  isExtension,
  OID,
  signed,
  withExtension,
} from "./issue.js";

const VERSION_3_ONLY: Departure = { stricter: "version 3 alone: an endorsement says what it is for, in extensions" };
const SERIAL_RULES: Departure = { stricter: "RFC 5280 §4.1.2.2: positive, at most 20 bytes" };
const TIME_FORMS: Departure = {
  stricter: "RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after, whole seconds, Z",
};
const PLAIN_NAMES: Departure = { stricter: "names are plain: one attribute a step, each a string" };
const OUR_CURVES: Departure = { stricter: "keys are on P-384 unless the caller allows P-256" };
const ONE_POINT_FORM: Departure = { stricter: "points are uncompressed alone" };

export const CONTENT_CASES: readonly CertificateCase[] = [
  [
    "unsupported-version",
    "version 1, without extensions",
    () => signed(edit(leaf, AT.tbs, (tbs) => sequence(...elementsOf(tbs).slice(1, 7)))),
    VERSION_3_ONLY,
  ],
  [
    "unsupported-version",
    "version 1 with extensions",
    () => signed(edit(leaf, AT.tbs, (tbs) => sequence(...elementsOf(tbs).slice(1)))),
    VERSION_3_ONLY,
  ],
  ["unsupported-version", "version 2", () => changed([...AT.version, 0], () => integer(1)), VERSION_3_ONLY],
  ["unsupported-version", "version 4", () => changed([...AT.version, 0], () => integer(3)), VERSION_3_ONLY],
  ["unsupported-version", "version −1", () => changed([...AT.version, 0], () => integer(0xff)), VERSION_3_ONLY],

  ["accepted", "serial number 1", () => changed(AT.serial, () => integer(1))],
  [
    "accepted",
    "a serial number of 20 bytes",
    () => changed(AT.serial, () => tlv(TAG.integer, new Uint8Array(20).fill(0x7f))),
  ],
  ["malformed", "serial number 0", () => changed(AT.serial, () => integer(0)), SERIAL_RULES],
  ["malformed", "a negative serial number", () => changed(AT.serial, () => integer(0xff, 0x01)), SERIAL_RULES],
  [
    "malformed",
    "a serial number of 21 bytes",
    () => changed(AT.serial, () => tlv(TAG.integer, new Uint8Array(21).fill(0x7f))),
    SERIAL_RULES,
  ],
  [
    "malformed",
    "a serial number of a thousand bytes",
    () => changed(AT.serial, () => tlv(TAG.integer, new Uint8Array(1_000).fill(0x11))),
    SERIAL_RULES,
  ],
  ["not-canonical", "a serial number with a zero in front", () => changed(AT.serial, () => integer(0, 0x11))],
  ["malformed", "a negative serial number with ones in front", () => changed(AT.serial, () => integer(0xff, 0x81))],
  ["malformed", "a serial number of no bytes", () => changed(AT.serial, () => integer())],
  ["malformed", "a serial number that is a text", () => changed(AT.serial, () => text(TAG.utf8String, "1"))],

  ["expired", "the end of last year", () => changed(AT.notAfter, () => text(TAG.utcTime, "251231235959Z"))],
  [
    "not-yet-valid",
    "the beginning of next year",
    () => changed(AT.notBefore, () => text(TAG.utcTime, "270101000000Z")),
  ],
  [
    "bad-validity",
    "an end before its beginning",
    () => changed(AT.validity, (times) => sequence(...elementsOf(times).toReversed())),
  ],
  [
    "accepted",
    "an end that never comes",
    () => changed(AT.notAfter, () => text(TAG.generalizedTime, "99991231235959Z")),
  ],
  [
    "bad-validity",
    "a year of four digits before 2050",
    () => changed(AT.notAfter, () => text(TAG.generalizedTime, "20340101000000Z")),
    TIME_FORMS,
  ],
  ["not-canonical", "a time without seconds", () => changed(AT.notAfter, () => text(TAG.utcTime, "3401010000Z"))],
  ["not-canonical", "a time in another zone", () => changed(AT.notAfter, () => text(TAG.utcTime, "340101000000+0100"))],
  [
    "bad-validity",
    "a fraction of a second",
    () => changed(AT.notAfter, () => text(TAG.generalizedTime, "20510101000000.5Z")),
  ],
  ["not-canonical", "a thirteenth month", () => changed(AT.notAfter, () => text(TAG.utcTime, "341301000000Z"))],
  ["not-canonical", "the 30th of February", () => changed(AT.notAfter, () => text(TAG.utcTime, "340230000000Z"))],
  ["not-canonical", "letters for a time", () => changed(AT.notAfter, () => text(TAG.utcTime, "abcdefghijklZ"))],
  ["malformed", "no end", () => changed(AT.validity, (times) => sequence(...elementsOf(times).slice(0, 1)))],

  ["issuer-mismatch", "no issuer's name", () => changed(AT.issuer, () => sequence())],
  [
    "issuer-mismatch",
    "the issuer in capitals",
    () => changed([...AT.issuer, 0, 0, 1], () => text(TAG.utf8String, "TEST SERVICE")),
    { stricter: "names are compared byte by byte" },
  ],
  [
    "issuer-mismatch",
    "the issuer in another string type",
    () => changed([...AT.issuer, 0, 0, 1], () => text(TAG.printableString, "Test service")),
    { stricter: "names are compared byte by byte" },
  ],
  [
    "issuer-mismatch",
    "the issuer with a second step",
    () => changed(AT.issuer, (name) => sequence(...elementsOf(name), ...elementsOf(name))),
  ],
  ["accepted", "no subject, but alternative names that are critical", () => withoutSubject(true)],
  ["accepted", "no subject, and alternative names that are not critical", () => withoutSubject(false)],
  [
    "malformed",
    "a subject with two attributes in one step",
    () => changed([...AT.subject, 0], (step) => tlv(TAG.set, contentOf(step), commonName("b"))),
    PLAIN_NAMES,
  ],
  ["malformed", "a subject whose name is a number", () => changed([...AT.subject, 0, 0, 1], () => integer(1))],
  ["malformed", "a subject that is a text", () => changed(AT.subject, () => text(TAG.utf8String, "a node"))],

  ["unsupported-curve", "a key on P-256", () => withKey("P-256"), OUR_CURVES],
  ["unsupported-curve", "a key on P-521", () => withKey("P-521"), OUR_CURVES],
  ["unsupported-curve", "a key on secp256k1", () => withKey("secp256k1"), OUR_CURVES],
  ["unsupported-curve", "a key on brainpoolP384r1", () => withKey("brainpoolP384r1"), OUR_CURVES],
  ["unsupported-algorithm", "an RSA key", rsaKey, { stricter: "elliptic-curve keys alone" }],
  ["unsupported-algorithm", "an Ed25519 key", () => edwardsKey("ed25519"), { stricter: "elliptic-curve keys alone" }],
  ["unsupported-algorithm", "an X25519 key", () => edwardsKey("x25519"), { stricter: "elliptic-curve keys alone" }],
  ["unsupported-curve", "a key with its curve's parameters written out", () => withKey("P-384", "explicit")],
  [
    "unsupported-curve",
    "a key without a curve",
    () => changed(AT.keyAlgorithm, (algorithm) => sequence(...elementsOf(algorithm).slice(0, 1))),
  ],
  ["unsupported-curve", "a key with NULL for a curve", () => changed([...AT.keyAlgorithm, 1], () => tlv(TAG.null))],
  [
    "unsupported-curve",
    "a key on a curve nobody knows",
    () => changed([...AT.keyAlgorithm, 1], () => oid("1.3.132.0.99")),
  ],
  [
    "bad-public-key",
    "a point of P-384 that says P-256",
    () => changed([...AT.keyAlgorithm, 1], () => oid("1.2.840.10045.3.1.7")),
  ],
  [
    "unsupported-algorithm",
    "a key whose algorithm is agreement",
    () => changed([...AT.keyAlgorithm, 0], () => oid("1.3.132.1.12")),
  ],
  [
    "bad-public-key",
    "a compressed point",
    () => withPoint((point) => join(Uint8Array.of(2 + parity(point)), point.subarray(1, 49))),
    ONE_POINT_FORM,
  ],
  [
    "bad-public-key",
    "a point in the hybrid form",
    () => withPoint((point) => join(Uint8Array.of(6 + parity(point)), point.subarray(1))),
    ONE_POINT_FORM,
  ],
  [
    "bad-public-key",
    "the point at infinity",
    () => withPoint(() => Uint8Array.of(0)),
    { stricter: "the point at infinity is no public key" },
  ],
  [
    "bad-public-key",
    "a point off the curve",
    () => withPoint((point) => join(point.subarray(0, -1), Uint8Array.of((point.at(-1) ?? 0) ^ 1))),
  ],
  [
    "bad-public-key",
    "coordinates of all ones",
    () => withPoint((point) => join(Uint8Array.of(4), new Uint8Array(point.length - 1).fill(0xff))),
  ],
  [
    "bad-public-key",
    "the point (0, 0)",
    () => withPoint((point) => join(Uint8Array.of(4), new Uint8Array(point.length - 1))),
  ],
  ["bad-public-key", "a point with a byte too many", () => withPoint((point) => join(point, Uint8Array.of(0)))],
  ["bad-public-key", "a point with a byte too few", () => withPoint((point) => point.subarray(0, -1))],
  ["bad-public-key", "no point", () => withPoint(() => new Uint8Array())],
  ["not-canonical", "a point with unused bits", withUnusedBits, { stricter: "a key is whole bytes" }],
];

function commonName(value: string): Uint8Array {
  return sequence(oid(OID.commonName), text(TAG.utf8String, value));
}

/** RFC 5280 §4.1.2.6: a certificate without a subject marks its alternative names as critical. */
function withoutSubject(critical: boolean): Uint8Array {
  const names = elementsOf(at(leaf, AT.extensions)).find((each) => isExtension(each, OID.subjectAltName));
  if (names === undefined) throw new Error("the leaf names hosts");
  const replacement = extension(OID.subjectAltName, critical, contentOf(elementsOf(names).at(-1) ?? names));
  return signed(edit(withExtension(OID.subjectAltName, replacement), AT.subject, () => sequence()));
}

function withKey(namedCurve: string, paramEncoding: "named" | "explicit" = "named"): Uint8Array {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve, paramEncoding });
  return changed(AT.key, () => Uint8Array.from(publicKey.export({ type: "spki", format: "der" })));
}

function edwardsKey(type: "ed25519" | "x25519"): Uint8Array {
  const pair = type === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("x25519");
  return changed(AT.key, () => Uint8Array.from(pair.publicKey.export({ type: "spki", format: "der" })));
}

/** A number of 2,048 bits, which nobody factors to see whether it is a product of two primes. */
function rsaKey(): Uint8Array {
  const modulus = integer(0, ...new Uint8Array(256).fill(0xd5));
  const algorithm = sequence(oid(OID.rsa), tlv(TAG.null));
  return changed(AT.key, () => sequence(algorithm, bitString(sequence(modulus, integer(1, 0, 1)))));
}

function withPoint(change: (point: Uint8Array) => Uint8Array): Uint8Array {
  return changed(AT.point, (bits) => bitString(change(bitsOf(bits))));
}

/** Of a point whose last bit is 0, so that one who drops it still has a point of the curve. */
function withUnusedBits(): Uint8Array {
  let { publicKey } = suite.generateKeyPair("P-384");
  while (parity(publicKey.point) !== 0) ({ publicKey } = suite.generateKeyPair("P-384"));
  return changed(AT.point, () => bitString(publicKey.point, 1));
}

function parity(point: Uint8Array): number {
  return (point.at(-1) ?? 0) & 1;
}
