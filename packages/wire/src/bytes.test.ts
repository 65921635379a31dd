import fc from "fast-check";
import { expect, test } from "vitest";
import { base64, concatBytes, equalBytes, fromBase64, fromHex, fromUtf8, hex, utf8 } from "./bytes.js";
import { WireError } from "./errors.js";

const anyBytes = fc.uint8Array({ maxLength: 100 });

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return "accepted";
}

test("hex, base64 and UTF-8 agree with the platform's own", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(hex(bytes)).toBe(Buffer.from(bytes).toString("hex"));
      expect(base64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: fc.nat(0x10ffff).map((point) => String.fromCodePoint(point)) }), (text) => {
      expect(utf8(text)).toEqual(Uint8Array.from(Buffer.from(text)));
    }),
  );
  // Short ASCII has a way of its own: its limit, and the first character that is not ASCII.
  for (const text of ["", "\u007f", "\u0080", "a".repeat(64), "a".repeat(65), `${"a".repeat(63)}\u00e9`, "a\ud800b"]) {
    expect(utf8(text)).toEqual(Uint8Array.from(Buffer.from(text)));
  }
});

test("decode ∘ encode is the identity for hex, base64 and UTF-8", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(fromHex(hex(bytes))).toEqual(bytes);
      expect(fromBase64(base64(bytes))).toEqual(bytes);
    }),
  );
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => fromUtf8(utf8(text)) === text));
});

test("encode ∘ decode is the identity on every text that is accepted: one spelling for one value", () => {
  const hexLike = fc.string({ unit: fc.constantFrom("0", "9", "a", "f", "A", "g", " "), maxLength: 8 });
  fc.assert(fc.property(hexLike, (text) => codeOf(() => fromHex(text)) === "malformed" || hex(fromHex(text)) === text));
  const base64Like = fc.string({ unit: fc.constantFrom("A", "B", "/", "9", "=", "-", "\n"), maxLength: 8 });
  fc.assert(
    fc.property(
      base64Like,
      (text) => codeOf(() => fromBase64(text)) === "malformed" || base64(fromBase64(text)) === text,
    ),
    { numRuns: 1000 },
  );
});

test.each(["a", "0g", "AB", "0 ", "٠٠"])("hex text %j is refused", (text) => {
  expect(codeOf(() => fromHex(text))).toBe("malformed");
});

test("of all characters up to U+00FF only 0-9 and a-f are hex digits, in either place", () => {
  const digits = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(
    (digit) => codeOf(() => fromHex(`${digit}0`)) !== "malformed" || codeOf(() => fromHex(`0${digit}`)) !== "malformed",
  );
  expect(digits.join("")).toBe("0123456789abcdef");
});

test.each([
  ["A", "a length that is not a multiple of 4"],
  ["AA==AAAA", "padding in the middle"],
  ["A===", "three padding characters"],
  ["====", "nothing but padding"],
  ["AB==", "unused bits that are not zero"],
  ["AAB=", "unused bits that are not zero"],
  ["AA\n=", "a line break"],
  ["AA-_", "the URL alphabet"],
  ["AAA\u{e9}", "a character above ASCII"],
])("base64 text %j is refused: %s", (text) => {
  expect(codeOf(() => fromBase64(text))).toBe("malformed");
});

test.each([
  ["overlong", [0xc0, 0x80]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a cut character", [0xe2, 0x82]],
  ["above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
])("UTF-8 that is %s is refused", (_, bytes) => {
  expect(() => fromUtf8(Uint8Array.from(bytes))).toThrow(
    expect.objectContaining({ code: "utf8", cause: expect.any(TypeError) }),
  );
});

test("a byte order mark is kept as a character", () => {
  expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\u{feff}a");
});

test("equalBytes compares contents, concatBytes joins them in order", () => {
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
  expect(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
});
