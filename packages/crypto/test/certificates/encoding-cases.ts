/** The good certificate written as nobody should write it: BER, padding, garbage, cut pieces, and signatures of another form. */

import { leaf, service } from "../forge.js";
import {
  at,
  contentOf,
  edit,
  elementsOf,
  inParts,
  integer,
  join,
  oid,
  sequence,
  TAG,
  tlv,
  withByte,
  withIndefiniteLength,
  withLongLength,
} from "./der.js";
import {
  AT,
  bitString,
  bitsOf,
  byService,
  type CertificateCase,
  changed,
  type Departure,
  extension,
  FALSE,
  OID,
  signed,
  withAlgorithm,
  withExtension,
  withExtensions,
} from "./issue.js";

const ONE_ENCODING: Departure = {
  stricter: "X.690 §10: one encoding alone, so that no two byte strings are the same certificate",
};
const NULL = tlv(TAG.null);

export const ENCODING_CASES: readonly CertificateCase[] = [
  ["malformed", "no bytes", () => new Uint8Array()],
  ["malformed", "one byte too few", () => leaf.subarray(0, -1)],
  ["not-canonical", "a byte behind it", () => join(leaf, Uint8Array.of(0)), ONE_ENCODING],
  ["not-canonical", "a whole certificate behind it", () => join(leaf, service.certificate), ONE_ENCODING],
  ["not-canonical", "an indefinite length", () => withIndefiniteLength(leaf), ONE_ENCODING],
  ["not-canonical", "a length in more bytes than it needs", () => withLongLength(leaf), ONE_ENCODING],
  ["not-canonical", "a fourth element", () => tlv(TAG.sequence, contentOf(leaf), NULL)],
  ["malformed", "a signed part of indefinite length", () => changed(AT.tbs, withIndefiniteLength)],
  ["not-canonical", "a signed part with a long length", () => changed(AT.tbs, withLongLength), ONE_ENCODING],
  ["not-canonical", "one element more in the signed part", () => changed(AT.tbs, withNull)],
  ["not-canonical", "a serial number with a long length", () => changed(AT.serial, withLongLength), ONE_ENCODING],
  ["not-canonical", "a version with a long length", () => changed(AT.version, withLongLength), ONE_ENCODING],
  ["not-canonical", "a subject of indefinite length", () => changed(AT.subject, withIndefiniteLength), ONE_ENCODING],
  ["malformed", "a common name in parts", () => changed([...AT.subject, 0, 0, 1], inParts), ONE_ENCODING],
  ["malformed", "a public key in parts", () => changed(AT.point, (bits) => tlv(0x23, bits)), ONE_ENCODING],
  ["malformed", "an extension's value in parts", () => changed([...AT.extensions, 0, 2], inParts), ONE_ENCODING],
  [
    "not-canonical",
    "extensions of indefinite length",
    () => changed(AT.extensions, withIndefiniteLength),
    ONE_ENCODING,
  ],
  [
    "not-canonical",
    "a critical flag of 1",
    () => changed([...AT.extensions, 0, 1], () => tlv(TAG.boolean, Uint8Array.of(1))),
    ONE_ENCODING,
  ],
  [
    "not-canonical",
    "a critical flag that says false",
    () => withExtensions((list) => list.map(sayingNotCritical)),
    ONE_ENCODING,
  ],
  [
    "bad-extension",
    "a basic constraint that says false",
    () => withExtension(OID.basicConstraints, extension(OID.basicConstraints, true, sequence(FALSE))),
    ONE_ENCODING,
  ],
  [
    "bad-extension",
    "a key usage with zero bits at its end",
    () => withExtension(OID.keyUsage, keyUsage(0, 0x80)),
    ONE_ENCODING,
  ],
  ["not-canonical", "a signature with a long length", () => edit(leaf, AT.signature, withLongLength), ONE_ENCODING],
  ["malformed", "a signature in parts", () => edit(leaf, AT.signature, (bits) => tlv(0x23, bits)), ONE_ENCODING],
  ["malformed", "a set for a sequence", () => join(Uint8Array.of(TAG.set), leaf.subarray(1))],
  ["not-canonical", "a tag in the long form", () => join(Uint8Array.of(0x3f, 0x10), leaf.subarray(1)), ONE_ENCODING],
  [
    "malformed",
    "a length of four gigabytes",
    () => join(Uint8Array.of(TAG.sequence, 0x84, 0xff, 0xff, 0xff, 0xff), contentOf(leaf)),
  ],
  ["malformed", "a signed part that ends behind the whole", () => withByte(leaf, 2, (byte) => byte ^ 0x7f)],
  ["malformed", "a signed part of nothing", () => signed(edit(leaf, AT.tbs, () => sequence()))],
  [
    "malformed",
    "a subject of nested garbage",
    () => changed([...AT.subject, 0, 0, 1], () => nested(64)),
    { stricter: "nothing here nests deeper than 16 levels" },
  ],
  [
    "accepted",
    "an unknown extension of nested garbage",
    () => withExtension("1.2.3.4", extension("1.2.3.4", false, nested(64))),
  ],
  [
    "too-large",
    "nine kilobytes",
    () => withExtension("1.2.3.4", extension("1.2.3.4", false, new Uint8Array(9_000))),
    { stricter: "certificates are bounded: 8,192 bytes" },
  ],
  [
    "not-canonical",
    "an object identifier with a zero in front",
    () => changed([...AT.extensions, 0, 0], (id) => tlv(TAG.oid, Uint8Array.of(0x80), contentOf(id))),
  ],

  ["bad-signature", "a signature of no bytes", () => edit(leaf, AT.signature, () => bitString(new Uint8Array()))],
  [
    "bad-signature",
    "a signature that is not even DER",
    () => edit(leaf, AT.signature, () => bitString(new Uint8Array(96).fill(7))),
  ],
  ["bad-signature", "a signature with a byte behind it", () => withSignature((value) => join(value, Uint8Array.of(0)))],
  [
    "bad-signature",
    "a signature with a third number",
    () => withSignature((value) => sequence(...elementsOf(value), integer(1))),
  ],
  ["bad-signature", "a signature whose length is long", () => withSignature(withLongLength)],
  [
    "bad-signature",
    "a signature with a zero in front of r",
    () => withSignature((value) => edit(value, [0], (r) => tlv(TAG.integer, Uint8Array.of(0, 0), contentOf(r)))),
  ],
  ["bad-signature", "a signature with r = 0", () => withSignature((value) => edit(value, [0], () => integer(0)))],
  ["bad-signature", "a signature with s = 0", () => withSignature((value) => edit(value, [1], () => integer(0)))],
  [
    "bad-signature",
    "a signature with a negative s",
    () => withSignature((value) => edit(value, [1], () => integer(0xff))),
  ],
  [
    "bad-signature",
    "a signature with r and s in the other order",
    () => withSignature((value) => sequence(at(value, [1]), at(value, [0]))),
  ],
  [
    "bad-signature",
    "a signature with r + n for r",
    () => withSignature((value) => edit(value, [0], (r) => plusOrder(r))),
  ],
  ["accepted", "a signature with n − s for s", () => withSignature((value) => edit(value, [1], (s) => minusOrder(s)))],
  [
    "not-canonical",
    "a signature with unused bits",
    () => edit(leaf, AT.signature, (bits) => bitString(bitsOf(bits), 3)),
  ],
  [
    "unsupported-algorithm",
    "algorithms with a NULL behind them",
    () => withAlgorithm(sequence(oid(OID.ecdsaSha384), NULL)),
    { stricter: "RFC 5758 §3.2: no parameters" },
  ],
];

function withNull(element: Uint8Array): Uint8Array {
  return tlv(element[0] ?? 0, contentOf(element), NULL);
}

function sayingNotCritical(element: Uint8Array): Uint8Array {
  const inner = elementsOf(element);
  return inner.length === 3 ? element : sequence(...inner.slice(0, 1), FALSE, ...inner.slice(1));
}

/** @param bits - First the count of unused ones. */
function keyUsage(...bits: readonly number[]): Uint8Array {
  return extension(OID.keyUsage, true, tlv(TAG.bitString, Uint8Array.from(bits)));
}

/** Sequences in sequences. */
function nested(depth: number): Uint8Array {
  return depth === 0 ? NULL : sequence(nested(depth - 1));
}

function withSignature(change: (value: Uint8Array) => Uint8Array): Uint8Array {
  return signed(leaf, (tbs) => change(byService(tbs)));
}

const ORDER = BigInt(
  "0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
);

function plusOrder(number: Uint8Array): Uint8Array {
  return positive(numberOf(number) + ORDER);
}

/** FIPS 186-5 §6.4.2 holds for −s as well as for s. */
function minusOrder(number: Uint8Array): Uint8Array {
  return positive(ORDER - numberOf(number));
}

function numberOf(number: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(contentOf(number)).toString("hex")}`);
}

/** A positive INTEGER in its shortest form. */
function positive(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const bytes = Uint8Array.from(Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex"));
  return (bytes[0] ?? 0) < 0x80 ? tlv(TAG.integer, bytes) : tlv(TAG.integer, Uint8Array.of(0), bytes);
}
