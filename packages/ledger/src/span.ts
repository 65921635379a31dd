/**
 * Fields read where they lie: what wire's `Reader` does, for the checks every entry of a ledger goes through. Passing over a field makes no
 * object, and what is inside is looked at by its offset; the same errors as there.
 */
import { WireError } from "@sealane/wire";

const TWO_POW_32 = 0x1_0000_0000;
/** The upper half of 2^53 − 1: a u64 whose upper half is greater cannot be a safe integer. */
const SAFE_HIGH_MAX = 0x1f_ffff;

/** A stretch of borrowed bytes and a place in it. Every method throws `WireError` `truncated` when the stretch ends first. */
export class Span {
  readonly bytes: Uint8Array;
  // Invariant: 0 <= #offset <= #end <= bytes.length.
  #offset: number;
  #end: number;

  /** All of `bytes`. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#offset = 0;
    this.#end = bytes.length;
  }

  /** Of the next field in `bytes`. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** Ends the stretch after the next `count` bytes. */
  narrow(count: number, field: string): void {
    if (count > this.remaining) throw this.#truncated(count, field);
    this.#end = this.#offset + count;
  }

  u8(field: string): number {
    return this.#byte(this.skip(1, field));
  }

  u32(field: string): number {
    return this.#u32(this.skip(4, field));
  }

  /** @throws {WireError} `out-of-range` above 2^53 − 1. */
  u64(field: string): number {
    return this.u64At(this.skip(8, field), field);
  }

  /** A field that was passed over before. */
  u64At(offset: number, field: string): number {
    const high = this.#u32(offset + 4);
    if (high > SAFE_HIGH_MAX) throw new WireError("out-of-range", `${field} is above 2^53 - 1`);
    return high * TWO_POW_32 + this.#u32(offset);
  }

  /** Passes over `count` bytes. @returns where they start. */
  skip(count: number, field: string): number {
    if (count > this.remaining) throw this.#truncated(count, field);
    const start = this.#offset;
    this.#offset += count;
    return start;
  }

  /** Passes over `u64 length ‖ bytes`. @returns where the bytes start; they end at `offset`. @throws {WireError} `too-large` above `bytesMax`. */
  skipBlob(field: string, bytesMax = Number.MAX_SAFE_INTEGER): number {
    const length = this.u64(field);
    if (length > bytesMax) throw new WireError("too-large", `${field} has ${length} bytes, above ${bytesMax}`);
    return this.skip(length, field);
  }

  /** Byte by byte: to make a DataView takes as long as reading all of an entry. */
  #u32(offset: number): number {
    const low = this.#byte(offset) | (this.#byte(offset + 1) << 8) | (this.#byte(offset + 2) << 16);
    return low + this.#byte(offset + 3) * 0x100_0000;
  }

  /** One that is there. */
  #byte(offset: number): number {
    return this.bytes[offset] ?? 0;
  }

  #truncated(count: number, field: string): WireError {
    return new WireError("truncated", `${field} needs ${count} bytes, but only ${this.remaining} are left`);
  }
}
