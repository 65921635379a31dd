import { fromUtf8, utf8 } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Codec, json, rawBytes, u64, utf8Text } from "./codecs.js";
import { canonicalJson } from "./json.js";
import { compareKeys, idOfKey, keyOfId } from "./key-id.js";
import { JSON_DEPTH_MAX } from "./limits.js";

const anyJson = json((value) => value);
const malformed = expect.objectContaining({ name: "KvError", code: "malformed" });

function law<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(codec.decode(codec.encode(value))).toEqual(value);
    }),
  );
}

test("decode ∘ encode is the identity", () => {
  law(utf8Text, fc.string({ unit: "grapheme" }));
  law(rawBytes, fc.uint8Array());
  law(u64, fc.maxSafeNat());
});

test("JSON: decode ∘ encode is what JSON.parse ∘ JSON.stringify is", () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: "medium" }), (value) => {
      expect(anyJson.decode(anyJson.encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("JSON: the order in which properties were set does not show", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.nat()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      expect(canonicalJson(reversed)).toBe(canonicalJson(value));
    }),
  );
  expect(canonicalJson({ "9": 1, "10": [true, null, "ä"], b: undefined, a: { c: 1.5 } })).toBe(
    '{"10":[true,null,"ä"],"9":1,"a":{"c":1.5}}',
  );
});

test("JSON: what cannot be read back is refused", () => {
  for (const value of [
    undefined,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    Symbol("s"),
    new Date(0),
    new Map(),
    new Array(1),
  ]) {
    expect(() => anyJson.encode(value)).toThrow(malformed);
  }
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  expect(canonicalJson(JSON.parse(nested(JSON_DEPTH_MAX)))).toBe(nested(JSON_DEPTH_MAX));
  expect(() => canonicalJson(JSON.parse(nested(JSON_DEPTH_MAX + 2)))).toThrow(malformed);
});

test("u64 is little-endian and keeps to safe integers", () => {
  expect(u64.encode(258)).toEqual(Uint8Array.of(2, 1, 0, 0, 0, 0, 0, 0));
  expect(u64.encode(0)).toEqual(new Uint8Array(8));
  for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => u64.encode(value)).toThrow(malformed);
  for (const bytes of [new Uint8Array(7), new Uint8Array(9), new Uint8Array(8).fill(255)]) {
    expect(() => u64.decode(bytes)).toThrow(malformed);
  }
});

test("text is well-formed both ways", () => {
  expect(() => utf8Text.encode("\ud800")).toThrow(malformed);
  expect(utf8Text.encode("\u{1f6a2}")).toEqual(utf8("\u{1f6a2}"));
  expect(() => utf8Text.decode(Uint8Array.of(0xff))).toThrow(malformed);
  expect(fromUtf8(anyJson.encode("\ud800"))).toBe('"\\ud800"');
});

test("a codec holds none of the caller's bytes", () => {
  const bytes = Uint8Array.of(1, 2);
  expect(rawBytes.encode(bytes)).not.toBe(bytes);
  expect(rawBytes.decode(bytes)).not.toBe(bytes);
});

test("key ids keep identity and order", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }), (a, b) => {
      expect(keyOfId(idOfKey(a))).toEqual(a);
      const byText = idOfKey(a) < idOfKey(b) ? -1 : Number(idOfKey(a) > idOfKey(b));
      expect(Math.sign(compareKeys(a, b))).toBe(byText);
    }),
  );
});
