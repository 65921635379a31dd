import fc from "fast-check";
import { expect, test } from "vitest";
import { Reader, Writer } from "./codec.js";
import { WireError } from "./errors.js";

const bytes = fc.uint8Array({ maxLength: 20 });
const u64 = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER));

test("fields are little-endian and packed", () => {
  const written = new Writer()
    .u8(1)
    .u32(0x0302_0104)
    .u64(0x1_0000_0002)
    .blob32(Uint8Array.of(9))
    .blob64(Uint8Array.of(8))
    .done();
  expect(Array.from(written)).toEqual([
    ...[1, 4, 1, 2, 3, 2, 0, 0, 0, 1, 0, 0, 0],
    ...[1, 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 8],
  ]);
});

test("decode ∘ encode is the identity, whatever the reserved capacity", () => {
  fc.assert(
    fc.property(fc.nat(40), u64, bytes, bytes, bytes, (capacity, number, first, second, third) => {
      const writer = new Writer(capacity)
        .u64(number)
        .bytes(first)
        .blob32(second)
        .u8(255)
        .blob64(third)
        .u32(2 ** 32 - 1);
      const reader = new Reader(writer.done());
      expect(reader.u64()).toBe(number);
      expect(reader.bytes(first.length)).toEqual(first);
      expect(reader.blob32()).toEqual(second);
      expect(reader.u8()).toBe(255);
      expect(reader.blob64()).toEqual(third);
      expect(reader.u32()).toBe(2 ** 32 - 1);
      expect(reader.offset).toBe(writer.length);
      reader.done();
    }),
  );
});

test("a Reader over a part of a buffer sees that part only", () => {
  const reader = new Reader(Uint8Array.of(9, 9, 1, 2, 9).subarray(2, 4));
  expect(reader.u8()).toBe(1);
  expect(reader.rest()).toEqual(Uint8Array.of(2));
  expect(() => reader.u8()).toThrow(expect.objectContaining({ code: "truncated" }));
});

test("blob lengths over the bound are too large, lengths over what is there truncated, and neither allocates", () => {
  const huge = Uint8Array.of(255, 255, 255, 255, 255, 255, 31, 0, 1);
  expect(() => new Reader(huge).blob32(10)).toThrow(expect.objectContaining({ code: "too-large" }));
  expect(() => new Reader(huge).blob32()).toThrow(expect.objectContaining({ code: "truncated" }));
  expect(() => new Reader(huge).blob64(10)).toThrow(expect.objectContaining({ code: "too-large" }));
  expect(() => new Reader(huge).blob64()).toThrow(expect.objectContaining({ code: "truncated" }));
});

test("a u64 above 2^53 - 1 is refused, not rounded", () => {
  expect(new Reader(Uint8Array.of(255, 255, 255, 255, 255, 255, 31, 0)).u64()).toBe(Number.MAX_SAFE_INTEGER);
  for (const first of [0, 1]) {
    const above = Uint8Array.of(first, 0, 0, 0, 0, 0, 32, 0);
    expect(() => new Reader(above).u64()).toThrow(expect.objectContaining({ code: "out-of-range" }));
  }
});

test("what is left over is refused by done", () => {
  expect(() => new Reader(Uint8Array.of(1)).done()).toThrow(WireError);
  expect(() => new Reader(Uint8Array.of(1)).done()).toThrow(expect.objectContaining({ code: "trailing" }));
});

test("a number that does not fit its field is the caller's bug", () => {
  for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect(() => new Writer().u64(value)).toThrow(RangeError);
    expect(() => new Writer().u32(value)).toThrow(RangeError);
    expect(() => new Writer().u8(value)).toThrow(RangeError);
  }
  expect(() => new Writer().u8(256)).toThrow(RangeError);
  expect(() => new Writer().u32(2 ** 32)).toThrow(RangeError);
});
