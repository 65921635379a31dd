import { describe, expect, test } from "vitest";
import { type Curve, nobleSuite, withRandom } from "../src/index.js";
import { nativeSuite } from "../src/native.js";
import { cryptoSuiteConformance } from "../src/testing.js";

cryptoSuiteConformance(nobleSuite, nativeSuite);
cryptoSuiteConformance(nativeSuite, nobleSuite);
cryptoSuiteConformance(withRandom(nativeSuite, counting()), nobleSuite);

describe("given randomness", () => {
  test.each(["P-384", "P-256"] as const)("the same source gives the same %s keys in every suite", (curve: Curve) => {
    const [first, again, native] = [nobleSuite, nobleSuite, nativeSuite].map((suite) => {
      const seeded = withRandom(suite, counting());
      return [seeded.generateKeyPair(curve), seeded.generateKeyPair(curve)].map((pair) => pair.publicKey.point);
    });
    expect(again).toEqual(first);
    expect(native).toEqual(first);
    expect(first?.[0]).not.toEqual(first?.[1]);
  });

  test("a source that gives too few bytes is refused", () => {
    const broken = withRandom(nobleSuite, () => new Uint8Array(1));
    expect(() => broken.randomBytes(2)).toThrow(RangeError);
    expect(() => broken.generateKeyPair("P-384")).toThrow(RangeError);
  });

  test("the noble suite signs deterministically (RFC 6979)", () => {
    const { privateKey } = withRandom(nobleSuite, counting()).generateKeyPair("P-384");
    expect(nobleSuite.sign(privateKey, new Uint8Array(3))).toEqual(nobleSuite.sign(privateKey, new Uint8Array(3)));
  });
});

/** Not random at all, but never the same twice, which is what key generation needs here. */
function counting(): (length: number) => Uint8Array {
  let next = 1;
  return (length) => {
    const bytes = nobleSuite.hkdfExpand("SHA-256", nobleSuite.sha256(Uint8Array.of(next++)), new Uint8Array(), 64);
    return Uint8Array.from({ length }, (_, index) => (bytes[index % 64] ?? 0) ^ (index >> 6) ^ (next >> 8));
  };
}
