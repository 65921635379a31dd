/**
 * Strict DER on top of `@peculiar/asn1-schema`. That library reads BER and forgives much (long lengths, trailing bytes,
 * unknown extra fields). So everything read is written again and compared with the input: what is not the one canonical
 * encoding of the value read is refused, and no two byte strings mean the same thing (X.690 §10, §11).
 */

import { AsnConvert } from "@peculiar/asn1-schema";
import { samePublicBytes } from "./bytes.js";

/** Deeper nesting than any structure here needs (a certificate's names and extensions reach 8), and bounded work. */
const BER_LIMITS = { maxDepth: 16, maxNodes: 2_000, maxContentLength: 65_536 };

export type DerResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: "malformed" | "not-canonical" };

/** Total: no input makes it throw. Which error a refusal becomes is the caller's to say. */
export function decodeDer<T>(type: new () => T, bytes: Uint8Array): DerResult<T> {
  let value: T;
  let again: Uint8Array;
  try {
    value = AsnConvert.parse(bytes, type, { berOptions: BER_LIMITS });
    again = encodeDer(value);
  } catch {
    return { ok: false, code: "malformed" };
  }
  return samePublicBytes(bytes, again) ? { ok: true, value } : { ok: false, code: "not-canonical" };
}

export function encodeDer(value: unknown): Uint8Array {
  return new Uint8Array(AsnConvert.serialize(value));
}

/** The library takes ArrayBuffer where we hold views; a copy keeps neighbours of the view out. */
export function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
