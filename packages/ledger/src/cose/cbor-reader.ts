/**
 * Reading CBOR (RFC 8949) whose shape is known beforehand, front to back. Strict: heads in their shortest form (§4.2.1), no indefinite lengths,
 * nothing left over. No recursion and no allocation by a length that was read, so hostile bytes cost no more than their own length.
 */
import { fromUtf8 } from "@sealane/wire";

/** The bytes are not the CBOR they should be. Never leaves this folder. */
export class CborError extends Error {
  override readonly name = "CborError";
}

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

export class CborReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** −2^53 to 2^53 − 1. */
  integer(): number {
    const negative = this.#peek() >> 5 === NEGATIVE;
    const value = this.#head(negative ? NEGATIVE : UNSIGNED);
    return negative ? -1 - value : value;
  }

  /** A view. */
  bytes(length?: number): Uint8Array {
    const found = this.#head(BYTES);
    if (length !== undefined && found !== length) throw new CborError(`expected ${length} bytes, found ${found}`);
    return this.#take(found);
  }

  text(): string {
    const bytes = this.#take(this.#head(TEXT));
    try {
      return fromUtf8(bytes);
    } catch {
      throw new CborError("a text is not well-formed UTF-8");
    }
  }

  /** @returns the number of items that follow. */
  array(): number {
    return this.#head(ARRAY);
  }

  boolean(): boolean {
    const byte = this.#peek();
    if (byte !== FALSE && byte !== TRUE) throw new CborError("expected a boolean");
    this.#offset++;
    return byte === TRUE;
  }

  null(): void {
    if (this.#peek() !== NULL) throw new CborError("expected null");
    this.#offset++;
  }

  /** The start of an array, a map or a tag whose number of items, or number, must be this one. */
  expect(what: "array" | "map" | "tag", count: number): void {
    const found = this.#head(what === "array" ? ARRAY : what === "map" ? MAP : TAG);
    if (found !== count) throw new CborError(`expected ${what} ${count}, found ${found}`);
  }

  /** A key of a map, or another item that must be this one. */
  expectItem(item: number | string): void {
    const found = typeof item === "number" ? this.integer() : this.text();
    if (found !== item) throw new CborError(`expected ${item}`);
  }

  /** Whether the map that starts here has no members; if so, it is passed over. */
  skipEmptyMap(): boolean {
    const empty = this.#peek() === MAP << 5;
    if (empty) this.#offset++;
    return empty;
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) throw new CborError("bytes are left over");
  }

  /** RFC 8949 §3: major type and argument. */
  #head(major: number): number {
    const byte = this.#peek();
    if (byte >> 5 !== major) throw new CborError(`expected major type ${major}`);
    this.#offset++;
    const info = byte & 31;
    if (info < 24) return info;
    if (info > 27) throw new CborError("an indefinite length");
    const width = 1 << (info - 24);
    let value = 0;
    for (const part of this.#take(width)) value = value * 256 + part;
    // §4.2.1: the least that needs this width. Above 2^53 a number would not be exact.
    if (value < (width === 1 ? 24 : 256 ** (width / 2)) || !Number.isSafeInteger(value)) {
      throw new CborError("a number longer than it need be, or too large");
    }
    return value;
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#offset) throw new CborError("an item is cut short");
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  #peek(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw new CborError("an item is missing");
    return byte;
  }
}
