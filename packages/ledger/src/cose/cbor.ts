/**
 * CBOR (RFC 8949), as much of it as COSE needs here. Strict: no indefinite lengths, no number in a longer form than it needs, no repeated
 * map key, no trailing bytes. Map keys stay in the order in which they stand, since CCF writes its headers in an order of its own
 * (ledger spec §7.3); the readers built on this encode what they read again and compare, so that each value has one spelling.
 */
import { decode, encode, Tagged, Tokenizer } from "cborg";

/** A receipt with the longest path there can be has under 200 tokens. Bounds both the work and the depth of the recursion in the library. */
const TOKENS_MAX = 512;

const DECODE_OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
  useMaps: true,
} as const;

/**
 * The value of exactly one CBOR item. Maps come as `Map`, tag 18 as `Tagged`; other tags are refused.
 * @param bytes - Borrowed; byte strings in the result may be views of it.
 * @returns `undefined` when the bytes are not one item in strict form. Never throws.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  try {
    const tokenizer = new BoundedTokenizer(bytes, DECODE_OPTIONS);
    return decode(bytes, { ...DECODE_OPTIONS, tags: Tagged.preserve(COSE_SIGN1_TAG), tokenizer });
  } catch {
    return undefined; // the library throws plain errors only, all of them about the bytes
  }
}

/** RFC 9052 §2. */
export const COSE_SIGN1_TAG = 18;

/** One item, numbers and lengths in their shortest form, map keys in the order of the `Map`. */
export function encodeCbor(value: unknown): Uint8Array {
  return new Uint8Array(encode(value, { mapSorter: () => 0 })); // in Node the library gives a Buffer, out of a shared pool
}

class BoundedTokenizer extends Tokenizer {
  #tokens = 0;

  override next(): ReturnType<Tokenizer["next"]> {
    this.#tokens++;
    if (this.#tokens > TOKENS_MAX) throw new RangeError("too many CBOR tokens");
    return super.next();
  }
}
