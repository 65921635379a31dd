/**
 * How typed keys and values become bytes (ledger spec §3.4). A codec is total: what it cannot read or write exactly, it refuses. As a
 * key codec it must give equal keys equal bytes; all of these do.
 */
import { fromUtf8, utf8 } from "@sealane/wire";
import { KvError } from "./errors.js";
import { canonicalJson } from "./json.js";

/** Both directions throw `KvError` `malformed`. `encode` returns bytes nobody else holds; `decode` does not keep its argument. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

const LONE_SURROGATE = /\p{Surrogate}/u; // with the u flag a whole pair is one character of another category

/** Text as UTF-8: node, member and user ids, PEM, names. Half a surrogate pair is refused, as it has no bytes of its own. */
export const utf8Text: Codec<string> = {
  encode(text) {
    if (LONE_SURROGATE.test(text)) throw new KvError("malformed", "codec refused text with half a surrogate pair");
    return utf8(text);
  },
  decode: (bytes) => orMalformed("bytes that are not UTF-8", () => fromUtf8(bytes)),
};

/** Bytes as they are, copied both ways. */
export const rawBytes: Codec<Uint8Array> = {
  encode: (bytes) => new Uint8Array(bytes),
  decode: (bytes) => new Uint8Array(bytes),
};

const U64_BYTES = 8;

/**
 * A number as u64 little-endian: 0 to 2^53 − 1. Key 0 is the eight zero bytes of a single-valued table. As little-endian bytes do not
 * ascend with the number, `entries` of a map with such keys is in the order of the bytes.
 */
export const u64: Codec<number> = {
  encode(value) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new KvError("malformed", "expected an integer from 0 to 2^53 - 1");
    const bytes = new Uint8Array(U64_BYTES);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    return bytes;
  },
  decode(bytes) {
    if (bytes.length !== U64_BYTES) throw new KvError("malformed", `expected ${U64_BYTES} bytes, got ${bytes.length}`);
    const value = new DataView(bytes.buffer, bytes.byteOffset, U64_BYTES).getBigUint64(0, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new KvError("malformed", "a u64 above 2^53 - 1");
    return Number(value);
  },
};

/**
 * JSON text, compact and with sorted keys, so that equal values have equal bytes.
 * @param parse - Turns what `JSON.parse` gives into a T or throws; a zod schema's `parse` does.
 * @example
 * const ports = map("ports", { key: utf8Text, value: json((value) => z.array(z.string()).parse(value)) });
 */
export function json<T>(parse: (value: unknown) => T): Codec<T> {
  return {
    encode: (value) => utf8(canonicalJson(value)), // its text is well formed: JSON.stringify escapes a lone surrogate
    decode(bytes) {
      const value: unknown = orMalformed("bytes that are not JSON", () => JSON.parse(fromUtf8(bytes)));
      return orMalformed("JSON of another shape", () => parse(value));
    },
  };
}

function orMalformed<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new KvError("malformed", `codec refused ${what}`, { cause });
  }
}
