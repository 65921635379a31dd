/** Extensions: twice, unknown, malformed, or saying that the certificate is for something else. */

import { leaf, service } from "../forge.js";
import { at, contentOf, edit, elementsOf, integer, join, oid, sequence, TAG, text, tlv } from "./der.js";
import {
  AT,
  type CertificateCase,
  changed,
  type Departure,
  extension,
  OID,
  signed,
  TRUE,
  withExtension,
  withExtensions,
} from "./issue.js";

const SIGNS: Departure = { stricter: "a node signs with its key: a usage that rules signing out makes no node" };
const NO_AUTHORITY: Departure = { stricter: "a node is never an authority, at whatever depth" };
const WELL_FORMED: Departure = {
  stricter: "an extension that is known has to be well-formed, whether or not it matters here",
};

export const EXTENSION_CASES: readonly CertificateCase[] = [
  ["accepted", "no extensions", () => signed(edit(leaf, AT.tbs, (tbs) => sequence(...elementsOf(tbs).slice(0, 7))))],
  ["malformed", "an empty list of extensions", () => withExtensions(() => []), WELL_FORMED],
  ["malformed", "extensions under another tag", () => signed(edit(leaf, [0, 7], (list) => tlv(0xa4, contentOf(list))))],
  [
    "not-canonical",
    "extensions twice",
    () => signed(edit(leaf, AT.tbs, (tbs) => sequence(...elementsOf(tbs), at(tbs, [7])))),
  ],
  ["duplicate-extension", "basic constraints twice", () => withExtensions((list) => [...list, ...list.slice(0, 1)])],
  [
    "duplicate-extension",
    "two basic constraints that disagree",
    () => withExtensions((list) => [...list, constraints(TRUE)]),
  ],
  ["duplicate-extension", "alternative names twice", () => withExtensions((list) => [...list, ...list.slice(3, 4)])],
  [
    "duplicate-extension",
    "an unknown extension twice",
    () => withExtensions((list) => [...list, unknown(false), unknown(false)]),
    { stricter: "RFC 5280 §4.2: no extension twice, known or not" },
  ],
  ["accepted", "an unknown extension", () => withExtension(UNKNOWN, unknown(false))],
  ["unknown-critical-extension", "an unknown critical extension", () => withExtension(UNKNOWN, unknown(true))],
  [
    "unknown-critical-extension",
    "critical name constraints",
    () => withExtension(OID.nameConstraints, nameConstraints()),
    { stricter: "name constraints are not processed here, so they cannot be honoured" },
  ],
  [
    "unknown-critical-extension",
    "critical policies",
    () => withExtension(OID.policies, extension(OID.policies, true, sequence(sequence(oid("2.5.29.32.0"))))),
    { stricter: "policies are not processed here, so they cannot be honoured" },
  ],
  [
    "unknown-critical-extension",
    "an extended key usage of its own kind, critical",
    () => withExtension("1.3.6.1.5.5.7.1.3", extension("1.3.6.1.5.5.7.1.3", true, sequence())),
  ],

  ["not-end-entity", "an authority", () => withExtension(OID.basicConstraints, constraints(TRUE)), NO_AUTHORITY],
  [
    "not-end-entity",
    "an authority with a path length",
    () => withExtension(OID.basicConstraints, constraints(TRUE, integer(0))),
    NO_AUTHORITY,
  ],
  [
    "bad-extension",
    "a path length without being an authority",
    () => withExtension(OID.basicConstraints, constraints(integer(0))),
    { stricter: "RFC 5280 §4.2.1.9: a path length belongs to an authority" },
  ],
  [
    "bad-extension",
    "a negative path length",
    () => withExtension(OID.basicConstraints, constraints(TRUE, integer(0xff))),
  ],
  [
    "bad-extension",
    "basic constraints with something behind them",
    () =>
      withExtension(OID.basicConstraints, extension(OID.basicConstraints, true, join(sequence(), Uint8Array.of(0)))),
    WELL_FORMED,
  ],
  [
    "bad-extension",
    "basic constraints of no bytes",
    () => withExtension(OID.basicConstraints, extension(OID.basicConstraints, true, new Uint8Array())),
  ],
  [
    "not-end-entity",
    "a key that may sign certificates",
    () => withExtension(OID.keyUsage, usage(2, 0x84)),
    NO_AUTHORITY,
  ],
  ["wrong-usage", "a key for agreement alone", () => withExtension(OID.keyUsage, usage(3, 0x08)), SIGNS],
  ["wrong-usage", "a key for encipherment alone", () => withExtension(OID.keyUsage, usage(5, 0x20)), SIGNS],
  ["bad-extension", "a key usage of no bits", () => withExtension(OID.keyUsage, usage(0))],
  ["bad-extension", "a key usage of 9 unused bits", () => withExtension(OID.keyUsage, usage(9, 0x80))],
  [
    "wrong-usage",
    "a certificate for signing code",
    () => withExtension(OID.extendedKeyUsage, purposes("1.3.6.1.5.5.7.3.3")),
  ],
  [
    "accepted",
    "a certificate for TLS clients",
    () => withExtension(OID.extendedKeyUsage, purposes("1.3.6.1.5.5.7.3.2")),
  ],
  [
    "accepted",
    "a certificate for any purpose",
    () => withExtension(OID.extendedKeyUsage, purposes("2.5.29.37.0")),
    { looser: "RFC 5280 §4.2.1.12: any purpose includes that of a node" },
  ],
  ["bad-extension", "an extended key usage of no purposes", () => withExtension(OID.extendedKeyUsage, purposes())],

  [
    "bad-extension",
    "alternative names of no bytes",
    () => withExtension(OID.subjectAltName, extension(OID.subjectAltName, false, new Uint8Array())),
  ],
  ["bad-extension", "an address of five bytes", () => withExtension(OID.subjectAltName, address(5)), WELL_FORMED],
  ["bad-extension", "an address that is a range", () => withExtension(OID.subjectAltName, address(8)), WELL_FORMED],
  [
    "bad-extension",
    "a key identifier that is a text",
    () => withExtension(OID.subjectKeyId, extension(OID.subjectKeyId, false, text(TAG.utf8String, "key"))),
  ],
  [
    "authority-key-mismatch",
    "another authority key identifier",
    () => withExtension(OID.authorityKeyId, authority(tlv(0x80, new Uint8Array(20)))),
  ],
  [
    "authority-key-mismatch",
    "another issuer's serial number",
    () =>
      withExtension(
        OID.authorityKeyId,
        authority(tlv(0xa1, tlv(0xa4, at(service.certificate, AT.issuer))), tlv(0x82, Uint8Array.of(1))),
      ),
  ],
  ["accepted", "an authority key identifier that says nothing", () => withExtension(OID.authorityKeyId, authority())],
  [
    "accepted",
    "no identifiers of keys",
    () => withExtension(OID.authorityKeyId, undefined, withExtension(OID.subjectKeyId, undefined)),
  ],
  [
    "malformed",
    "an extension without a value",
    () => changed([...AT.extensions, 0], (each) => sequence(...elementsOf(each).slice(0, 2))),
  ],
  [
    "malformed",
    "an extension that is a text",
    () => changed([...AT.extensions, 0], () => text(TAG.utf8String, "extension")),
  ],
];

const UNKNOWN = "1.2.3.4";

function unknown(critical: boolean): Uint8Array {
  return extension(UNKNOWN, critical, tlv(TAG.null));
}

function constraints(...fields: readonly Uint8Array[]): Uint8Array {
  return extension(OID.basicConstraints, true, sequence(...fields));
}

/** @param bits - First the count of unused ones. */
function usage(...bits: readonly number[]): Uint8Array {
  return extension(OID.keyUsage, true, tlv(TAG.bitString, Uint8Array.from(bits)));
}

function purposes(...ids: readonly string[]): Uint8Array {
  return extension(OID.extendedKeyUsage, false, sequence(...ids.map(oid)));
}

function address(bytes: number): Uint8Array {
  return extension(OID.subjectAltName, false, sequence(tlv(0x87, new Uint8Array(bytes).fill(127))));
}

function authority(...fields: readonly Uint8Array[]): Uint8Array {
  return extension(OID.authorityKeyId, false, sequence(...fields));
}

/** Permitted: the directory names below nothing in particular. */
function nameConstraints(): Uint8Array {
  return extension(OID.nameConstraints, true, sequence(tlv(0xa0, sequence(text(0x82, "example")))));
}
