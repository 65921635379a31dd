import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type SipKey, sipHash24 } from "./sip-hash.js";

const vectors: string[] = JSON.parse(
  readFileSync(new URL("../../test/vectors/siphash-2-4.json", import.meta.url), "utf8"),
);
const key: SipKey = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c];

test("the published vectors", () => {
  expect(vectors.length).toBe(64);
  for (const [length, expected] of vectors.entries()) {
    const [low, high] = sipHash24(
      key,
      Uint8Array.from({ length }, (_, index) => index),
    );
    const hash = high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
    expect(hash).toBe(expected);
  }
});

test("a view of something larger hashes like its copy", () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, index) => 7 * index);
  for (let length = 0; length <= 20; length++) {
    expect(sipHash24(key, bytes.subarray(3, 3 + length))).toEqual(sipHash24(key, bytes.slice(3, 3 + length)));
  }
});
