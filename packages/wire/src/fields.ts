/** Fields at known offsets of a DataView: for the layouts that every message passes through, which are read without a `Reader`. */
import { VIEW_MAX, type View } from "./brands.js";
import { WireError } from "./errors.js";

const TWO_POW_32 = 0x1_0000_0000;
/** The upper half of 2^53 − 1: a u64 whose upper half is greater cannot be a safe integer. */
const SAFE_HIGH_MAX = 0x1f_ffff;

/** The channel's protocol version decides the layout; it is configured, never read from the bytes. */
export interface LayoutOptions {
  /** Default 2. */
  readonly version?: 1 | 2;
}

/**
 * A little-endian u64 as a number.
 * @throws {WireError} `out-of-range` above 2^53 − 1.
 */
export function readU64(data: DataView, offset: number, field: string): number {
  const high = data.getUint32(offset + 4, true);
  if (high > SAFE_HIGH_MAX) throw new WireError("out-of-range", `${field} is above 2^53 - 1`);
  return high * TWO_POW_32 + data.getUint32(offset, true);
}

/**
 * Writes a number as a little-endian u64.
 * @throws {RangeError} when `value` is no integer from 0 to 2^53 − 1.
 */
export function writeU64(data: DataView, offset: number, value: number): void {
  checkUint(value, Number.MAX_SAFE_INTEGER);
  data.setUint32(offset, value % TWO_POW_32, true);
  data.setUint32(offset + 4, Math.floor(value / TWO_POW_32), true);
}

/** @throws {RangeError} when `value` is no integer from 0 to `max`. */
export function checkUint(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`expected an integer from 0 to ${max}, got ${value}`);
  }
}

/** @throws {RangeError} when `view` is above 2^31 − 1. */
export function writeView(data: DataView, offset: number, view: View): void {
  if (view > VIEW_MAX) throw new RangeError(`view ${view} is above 2^31 - 1`);
  writeU64(data, offset, view);
}

/** A view from the wire. @throws {WireError} `out-of-range` above 2^31 − 1. */
export function readView(data: DataView, offset: number, field: string): View {
  const value = readU64(data, offset, field);
  if (value > VIEW_MAX) throw new WireError("out-of-range", `${field} is above 2^31 - 1`);
  return value as View; // an integer from 0 to VIEW_MAX, as checked
}

/** A byte that is 0 or 1. @throws {WireError} `out-of-range`. */
export function readFlag(data: DataView, offset: number, field: string): boolean {
  const value = data.getUint8(offset);
  if (value > 1) throw new WireError("out-of-range", `${field} is neither 0 nor 1`);
  return value === 1;
}
