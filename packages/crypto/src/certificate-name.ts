/** Distinguished names and the strings in them (RFC 5280 §4.1.2.4), plain ones alone: one attribute a step, each a string. */

import { bytesToHex } from "@noble/hashes/utils.js";
import { DerError, DerReader, TAG } from "./der-reader.js";
import { ID_COMMON_NAME } from "./object-identifiers.js";

export interface CertificateName {
  /** For people: the common name, or the whole name in DER as hex if it has none. */
  readonly text: string;
  /** For comparing: Name, DER. A view of what is read. */
  readonly der: Uint8Array;
}

/** @throws {DerError} */
export function readName(reader: DerReader): CertificateName {
  const der = reader.element(TAG.sequence);
  let commonName: string | undefined;
  new DerReader(der).within(TAG.sequence, (steps) => {
    while (!steps.isEmpty) {
      const step = steps.enter(TAG.set);
      const { type, text } = step.within(TAG.sequence, readAttribute);
      // Several attributes in one step are a SET OF, whose order would have to be checked; nobody here needs them.
      if (!step.isEmpty) throw new DerError("malformed");
      if (type === ID_COMMON_NAME) commonName ??= text;
    }
  });
  return { text: commonName ?? bytesToHex(der), der };
}

function readAttribute(reader: DerReader): { readonly type: string; readonly text: string } {
  return { type: reader.objectIdentifier(), text: readString(reader) };
}

/** One byte a character: TeletexString as Latin-1, as everybody reads it; PrintableString and IA5String. */
const BYTE_STRINGS = [0x14, 0x13, 0x16];
const UNIVERSAL_STRING = 0x1c;
const BMP_STRING = 0x1e;

function readString(reader: DerReader): string {
  if (reader.has(TAG.utf8String)) return fromUtf8(reader.content(TAG.utf8String));
  for (const tag of BYTE_STRINGS) if (reader.has(tag)) return fromUnits(reader.content(tag), 1);
  if (reader.has(BMP_STRING)) return fromUnits(reader.content(BMP_STRING), 2);
  return fromUnits(reader.content(UNIVERSAL_STRING), 4);
}

function fromUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new DerError("malformed");
  }
}

/** Big-endian characters of a fixed width, of the Basic Multilingual Plane. */
function fromUnits(bytes: Uint8Array, width: 1 | 2 | 4): string {
  if (bytes.length % width !== 0) throw new DerError("malformed");
  let text = "";
  for (let at = 0; at < bytes.length; at += width) {
    let unit = 0;
    for (let n = 0; n < width; n++) unit = unit * 256 + (bytes[at + n] ?? 0);
    if (unit > 0xffff) throw new DerError("malformed");
    text += String.fromCharCode(unit);
  }
  return text;
}

/** IA5String and its implicit forms in alternative names: one byte a character. */
export function readByteString(reader: DerReader, tag: number): string {
  return fromUnits(reader.content(tag), 1);
}
