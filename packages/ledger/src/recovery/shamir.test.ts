import { nativeSuite as suite } from "@sealane/crypto/native";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { combineShares, newSecret, SECRET_BYTES, SHARE_BYTES, SHARES_MAX, splitSecret } from "./shamir.js";

const PRIME = 2 ** 31 - 1;

function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index, true));
}

function bytesOf(...elements: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(elements).buffer);
}

describe("shares", () => {
  test("any threshold of them, in any order, give the secret; more do too, fewer do not", () => {
    const arbitrary = fc
      .integer({ min: 1, max: 8 })
      .chain((count) => fc.record({ count: fc.constant(count), threshold: fc.integer({ min: 1, max: count }) }));
    fc.assert(
      fc.property(arbitrary, fc.func(fc.integer()), ({ count, threshold }, rank) => {
        const secret = newSecret(suite);
        const shares = splitSecret(suite, secret, threshold, count);
        const shuffled = [...shares].sort((a, b) => rank([...a]) - rank([...b]));
        for (let given = 1; given <= count; given++) {
          const combined = combineShares(shuffled.slice(0, given));
          expect(Buffer.compare(combined, secret) === 0).toBe(given >= threshold);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("lie on a line for a threshold of two: by hand", () => {
    const [first = new Uint8Array(0), second = new Uint8Array(0)] = splitSecret(suite, newSecret(suite), 2, 2);
    const secret = words(combineShares([first, second]));
    const [x1, ...y1] = words(first);
    const [x2, ...y2] = words(second);
    expect([x1, x2]).toEqual([1, 2]);
    for (const [index, constant] of secret.entries()) {
      // y(0) = 2 y(1) - y(2).
      expect((2 * (y1[index] ?? 0) - (y2[index] ?? 0) + 2 * PRIME) % PRIME).toBe(constant);
    }
  });

  test("of a known polynomial: y = 7 + 3x + 5x² at 1, 2 and 2³¹ − 2", () => {
    const at = (x: number, y: number) => bytesOf(x, ...Array(10).fill(y));
    // At -1, which is the last element of the field, y is 7 - 3 + 5 = 9.
    const shares = [at(1, 15), at(2, 33), at(PRIME - 1, 9)];
    expect(words(combineShares(shares))).toEqual(Array(10).fill(7));
  });

  test("with x = 0 are the secret itself", () => {
    const whole = bytesOf(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    expect(words(combineShares([whole]))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("are 44 bytes of field elements, and the secret 40", () => {
    const secret = newSecret(suite);
    expect(secret).toHaveLength(SECRET_BYTES);
    for (const share of splitSecret(suite, secret, 3, 5)) {
      expect(share).toHaveLength(SHARE_BYTES);
      for (const element of words(share)) expect(element).toBeLessThan(PRIME);
    }
  });

  test.each([
    ["none", []],
    ["one of 43 bytes", [new Uint8Array(43)]],
    ["one of the older scheme, 113 bytes", [new Uint8Array(113)]],
    ["an element that is the prime", [bytesOf(1, PRIME, ...Array(9).fill(0))]],
    ["an element above it", [bytesOf(1, 0xffff_ffff, ...Array(9).fill(0))]],
    ["an x above it", [bytesOf(0x8000_0000, ...Array(10).fill(0))]],
    ["one twice", [bytesOf(1, ...Array(10).fill(0)), bytesOf(1, ...Array(10).fill(1))]],
    ["more than a service has members", Array(SHARES_MAX + 1).fill(bytesOf(1, ...Array(10).fill(0)))],
  ])("%s are refused", (_, shares) => {
    expect(() => combineShares(shares)).toThrow(expect.objectContaining({ code: "bad-share" }));
  });

  test.each([
    [0, 1],
    [2, 1],
    [1.5, 2],
    [1, 0],
    [1, SHARES_MAX + 1],
  ])("%d of %d cannot be asked for", (threshold, count) => {
    expect(() => splitSecret(suite, newSecret(suite), threshold, count)).toThrow(RangeError);
  });
});

test("a random value that is the prime is drawn again", () => {
  const values = [0x7fff_ffff, 0xffff_ffff, 5, ...Array(9).fill(6)];
  const rigged = { ...suite, randomBytes: () => bytesOf(values.shift() ?? 0) };
  expect(words(newSecret(rigged))).toEqual([5, ...Array(9).fill(6)]);
});
