import { concatBytes, encodeFrameHeader, FRAME_HEADER_BYTES, type FrameType, parseFrameHead } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { testId } from "../testing.js";
import { HeadParser } from "./head-parser.js";

const outcome = (parse: () => unknown): unknown => {
  try {
    return parse();
  } catch (error) {
    return String(error);
  }
};

test("the result is always that of parseFrameHead, whatever was parsed before", () => {
  const head = fc.record({
    type: fc.constantFrom<FrameType>(0, 1, 2),
    sender: fc.constantFrom("a", "b"),
    payloadBytes: fc.nat({ max: 2000 }),
    /** Byte to change, and to what. */
    change: fc.option(fc.tuple(fc.nat({ max: FRAME_HEADER_BYTES - 1 }), fc.nat({ max: 255 })), { freq: 3 }),
    /** Bytes that have arrived. */
    end: fc.oneof(fc.constant(200), fc.nat({ max: 200 })),
    maxBytes: fc.constantFrom(500, 1500, 100_000),
  });
  fc.assert(
    fc.property(fc.array(head, { maxLength: 20 }), (heads) => {
      const parser = new HeadParser();
      for (const { type, sender, payloadBytes, change, end, maxBytes } of heads) {
        const encoded = encodeFrameHeader(type, testId(sender), payloadBytes);
        if (change !== null) encoded[change[0]] = change[1];
        const buffer = concatBytes(new Uint8Array(7), encoded, new Uint8Array(200));
        const expected = outcome(() => parseFrameHead(buffer, 7, 7 + end, maxBytes));
        expect(outcome(() => parser.parse(buffer, 7, 7 + end, maxBytes))).toEqual(expected);
      }
    }),
    { numRuns: 500 },
  );
});
