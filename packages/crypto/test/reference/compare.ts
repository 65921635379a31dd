/**
 * The reader of certificates against a slow one on a general ASN.1 library, which decodes every structure, encodes it again and compares: both
 * accept the same bytes and find the same in them. Only what is accepted counts; of what is refused they may say something else.
 */

import fc from "fast-check";
import { expect } from "vitest";
import { type Certificate, CertificateError, parseCertificate } from "../../src/index.js";
import { at, contentOf, edit, elementsOf, join, oid, sequence, TAG, text, tlv } from "../certificates/der.js";
import { AT, extension, OID, withExtension } from "../certificates/issue.js";
import { leaf, service, suite } from "../forge.js";
import { parseReference } from "./certificate.js";

/** Every kind of alternative name. */
const NAMES = sequence(
  tlv(0xa0, oid("1.3.6.1.4.1.311.20.2.3"), tlv(0xa0, text(TAG.utf8String, "user@example.org"))),
  text(0x81, "a@example.org"),
  text(0x82, "node.example"),
  tlv(0xa4, sequence(tlv(TAG.set, sequence(oid("2.5.4.10"), text(TAG.printableString, "Example"))))),
  text(0x86, "https://example.org/"),
  tlv(0x87, Uint8Array.of(10, 0, 0, 1)),
  tlv(0x87, Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1])),
  tlv(0x88, contentOf(oid("1.2.3.4"))),
);
const AUTHORITY = sequence(
  tlv(0x80, new Uint8Array(20).fill(7)),
  tlv(0xa1, tlv(0xa4, sequence(tlv(TAG.set, sequence(oid("2.5.4.3"), text(TAG.utf8String, "issuer")))))),
  tlv(0x82, Uint8Array.of(0x12, 0x34)),
);
export const BASES: readonly Uint8Array[] = [
  leaf,
  service.certificate,
  withExtension(OID.subjectAltName, extension(OID.subjectAltName, false, NAMES)),
  withExtension(OID.authorityKeyId, extension(OID.authorityKeyId, false, AUTHORITY)),
  edit(leaf, AT.subject, () =>
    sequence(
      ...[TAG.utf8String, TAG.printableString, 0x14, 0x16, 0x1e, 0x1c].map((tag) =>
        tlv(TAG.set, sequence(oid("2.5.4.10"), tlv(tag, Uint8Array.of(0, 0, 0, 0x41)))),
      ),
      tlv(TAG.set, sequence(oid("2.5.4.3"), text(TAG.utf8String, "größer"))),
    ),
  ),
];

const CONTENTS = [
  new Uint8Array(),
  Uint8Array.of(0),
  Uint8Array.of(0xff),
  Uint8Array.of(3, 0x48),
  Uint8Array.of(7, 1, 0x80),
  Uint8Array.of(0x80, 1),
  Uint8Array.of(0, 0x80),
  oid("2.999.4294967296"),
  NAMES,
  AUTHORITY,
  new TextEncoder().encode("491231235959Z"),
  new TextEncoder().encode("500229000000Z"),
  new TextEncoder().encode("20500101000000Z"),
];
/** OBJECT IDENTIFIER of no bytes. */
const EMPTY_ID = Buffer.from([TAG.oid, 0]);
const TAGS = [1, 2, 3, 4, 5, 6, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0x82, 0xa0, 0xa1, 0xa3, 0xa4];

/** A change at one place: of a byte, or of an element, whose surrounding lengths are then set right. */
const change: fc.Arbitrary<(element: Uint8Array) => Uint8Array> = fc.oneof(
  fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 255 })).map(([place, mask]) => (element: Uint8Array) => {
    const changed = element.slice();
    const index = place % changed.length;
    changed[index] = (changed[index] ?? 0) ^ mask;
    return changed;
  }),
  fc.constantFrom(...CONTENTS).map((content) => (element: Uint8Array) => tlv(element[0] ?? 0, content)),
  fc.constantFrom(...TAGS).map((tag) => (element: Uint8Array) => tlv(tag, contentOf(element))),
  fc.uint8Array({ maxLength: 9 }).map((content) => (element: Uint8Array) => tlv(element[0] ?? 0, content)),
  fc.constant((element: Uint8Array) => join(element, element)),
  fc.constant(() => new Uint8Array()),
);

/**
 * Tries changes until `runs` of them were made.
 * @returns How many both readers accepted.
 */
export function compareReaders(runs: number, seed: number): number {
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...BASES),
      fc.infiniteStream(fc.nat(20)),
      fc.nat(12),
      change,
      (base, steps, depth, edited) => {
        const path = pathInto(base, steps, depth);
        const changed = edit(base, path, edited);
        // The library takes an object identifier of no bytes; X.690 §8.19.2 and OpenSSL do not.
        if (EMPTY_ID.equals(edited(at(base, path)))) return;
        const fast = outcome(() => parseCertificate(suite, changed));
        expect(fast).toEqual(outcome(() => parseReference(suite, changed)));
        if (fast !== "refused") accepted++;
      },
    ),
    { numRuns: runs, seed },
  );
  return accepted;
}

/** A way down into the certificate, through extension values as well, which hold DER. */
function pathInto(element: Uint8Array, steps: Iterator<number>, depth: number): readonly number[] {
  const tag = element[0] ?? 0;
  if (depth === 0 || ((tag & 0x20) === 0 && tag !== TAG.octetString)) return [];
  const inner = elementsOf(element);
  if (inner.length === 0) return [];
  const index = Number(steps.next().value) % inner.length;
  return [index, ...pathInto(inner[index] ?? element, steps, depth - 1)];
}

function outcome(read: () => Certificate): Certificate | "refused" {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) return "refused";
    throw error;
  }
}
