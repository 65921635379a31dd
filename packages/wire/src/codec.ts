/**
 * Reading and writing the fields all binary layouts are made of: little-endian unsigned integers without padding, and byte strings with a
 * length in front (channel-v1-wire §0, channel-v2 §1, ledger spec, conventions).
 *
 * A `Reader` looks at borrowed bytes and never allocates by a length it has not checked against what is there. u64 fields are numbers:
 * every one of this protocol counts something, and 2^53 − 1 of anything is centuries away, so a greater value is refused, not rounded.
 */
import { WireError } from "./errors.js";
import { checkUint, readU64, writeU64 } from "./fields.js";

/** Reads fields one after another; every method throws `WireError` "truncated" when the bytes end first. `field` is for the message. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #data: DataView;
  // Invariant: 0 <= #offset <= #bytes.length.
  #offset = 0;

  /** @param bytes - Borrowed: what `bytes`, `blob32`, `blob64` and `rest` return are views of it. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(field = "u8"): number {
    return this.#data.getUint8(this.#take(1, field));
  }

  u32(field = "u32"): number {
    return this.#data.getUint32(this.#take(4, field), true);
  }

  /** @throws {WireError} `out-of-range` above 2^53 − 1. */
  u64(field = "u64"): number {
    return readU64(this.#data, this.#take(8, field), field);
  }

  /** The next `count` bytes, as a view. */
  bytes(count: number, field = "bytes"): Uint8Array {
    const start = this.#take(count, field);
    return this.#bytes.subarray(start, start + count);
  }

  /** `u32 length ‖ bytes`, as a view. @throws {WireError} `too-large` when the length is above `bytesMax`. */
  blob32(bytesMax = Number.MAX_SAFE_INTEGER, field = "blob"): Uint8Array {
    return this.bytes(checkLength(this.u32(field), bytesMax, field), field);
  }

  /** `u64 length ‖ bytes`, as a view. @throws {WireError} `too-large` when the length is above `bytesMax`. */
  blob64(bytesMax = Number.MAX_SAFE_INTEGER, field = "blob"): Uint8Array {
    return this.bytes(checkLength(this.u64(field), bytesMax, field), field);
  }

  /** All that is left, as a view; may be empty. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** @throws {WireError} `trailing` unless everything has been read. */
  done(): void {
    if (this.remaining > 0)
      throw new WireError("trailing", `${this.remaining} bytes are left over after the last field`);
  }

  #take(count: number, field: string): number {
    if (count > this.remaining) {
      throw new WireError("truncated", `${field} needs ${count} bytes, but only ${this.remaining} are left`);
    }
    const start = this.#offset;
    this.#offset += count;
    return start;
  }
}

/** Writes fields one after another into memory that grows as needed. Methods return the writer, so that calls can be chained. */
export class Writer {
  #bytes: Uint8Array;
  #data: DataView;
  #length = 0;

  /** @param capacity - Bytes to reserve; when it is exact, `done()` needs no copy. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#data = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** @throws {RangeError} when `value` is no integer from 0 to 255. A bug of the caller, as in the methods below. */
  u8(value: number): this {
    checkUint(value, 0xff);
    const start = this.#grow(1); // first, here and below: growing replaces #bytes and #data
    this.#data.setUint8(start, value);
    return this;
  }

  u32(value: number): this {
    checkUint(value, 0xffff_ffff);
    const start = this.#grow(4);
    this.#data.setUint32(start, value, true);
    return this;
  }

  /** @throws {RangeError} when `value` is no integer from 0 to 2^53 − 1. */
  u64(value: number): this {
    const start = this.#grow(8);
    writeU64(this.#data, start, value);
    return this;
  }

  /** Copies `bytes` behind what was written. */
  bytes(bytes: Uint8Array): this {
    const start = this.#grow(bytes.length);
    this.#bytes.set(bytes, start);
    return this;
  }

  /** `u32 length ‖ bytes`. */
  blob32(bytes: Uint8Array): this {
    return this.u32(bytes.length).bytes(bytes);
  }

  /** `u64 length ‖ bytes`. */
  blob64(bytes: Uint8Array): this {
    return this.u64(bytes.length).bytes(bytes);
  }

  /** What was written. The writer must not be used afterwards: it may share the memory. */
  done(): Uint8Array {
    return this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
  }

  #grow(count: number): number {
    const start = this.#length;
    const end = start + count;
    if (end > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#data = new DataView(bytes.buffer);
    }
    this.#length = end;
    return start;
  }
}

function checkLength(length: number, bytesMax: number, field: string): number {
  if (length > bytesMax)
    throw new WireError("too-large", `${field} has ${length} bytes, more than the ${bytesMax} allowed`);
  return length;
}
