import { expect, test } from "vitest";
import { fromHex } from "./bytes.js";
import {
  encodeFrameHeader,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  FRAME_HEADER_BYTES,
  parseFrameHead,
} from "./frame.js";
import { parseNodeId } from "./ids.js";

const SENDER = parseNodeId("0764351932f03b46bcfaf4eea8472f5fb828a4cd24c981b18ac60f82a037b6ea");
const MAX_BYTES = 64 * 1024;

function codeOf(header: Uint8Array): unknown {
  try {
    return parseFrameHead(header, 0, header.length, MAX_BYTES);
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

function changed(change: (data: DataView) => void): Uint8Array {
  const header = encodeFrameHeader(FRAME_CONSENSUS, SENDER, 10);
  change(new DataView(header.buffer));
  return header;
}

test("the header has the bytes CCF writes", () => {
  // The frame of a 932-byte init, as recorded from a CCF channel.
  expect(encodeFrameHeader(FRAME_CHANNEL, SENDER, 932)).toEqual(
    fromHex(
      `f4030000${"0000000000000000"}4000000000000000` +
        "30373634333531393332663033623436626366616634656561383437326635666238323861346364323463393831623138616336306638326130333762366561",
    ),
  );
});

test.each([FRAME_CHANNEL, FRAME_CONSENSUS, FRAME_FORWARDED] as const)(
  "decode ∘ encode is the identity for type %d",
  (type) => {
    const header = encodeFrameHeader(type, SENDER, 1000);
    expect(header.length).toBe(FRAME_HEADER_BYTES);
    const buffer = new Uint8Array(7 + header.length);
    buffer.set(header, 7);
    expect(parseFrameHead(buffer, 7, buffer.length, MAX_BYTES)).toEqual({
      type,
      sender: SENDER,
      payloadOffset: 7 + 84,
      frameEnd: 7 + 84 + 1000,
    });
  },
);

test("an incomplete head is not yet a frame, whatever lies behind it in the buffer", () => {
  const header = encodeFrameHeader(FRAME_CONSENSUS, SENDER, 0);
  for (let end = 0; end < header.length; end++) expect(parseFrameHead(header, 0, end, MAX_BYTES)).toBeUndefined();
  expect(parseFrameHead(header, 0, header.length, MAX_BYTES)).toMatchObject({ frameEnd: 84 });
});

test("a frame over the bound is refused when its first four bytes have come", () => {
  const atBound = encodeFrameHeader(FRAME_CONSENSUS, SENDER, MAX_BYTES - 84);
  expect(parseFrameHead(atBound, 0, 84, MAX_BYTES)).toMatchObject({ frameEnd: MAX_BYTES });
  const above = encodeFrameHeader(FRAME_CONSENSUS, SENDER, MAX_BYTES - 83);
  expect(codeOf(above.subarray(0, 4))).toBe("too-large");
  expect(codeOf(Uint8Array.of(255, 255, 255, 255))).toBe("too-large");
});

test("a size that leaves no room for the head is refused at once", () => {
  expect(codeOf(changed((data) => data.setUint32(0, 79, true)).subarray(0, 4))).toBe("truncated");
  expect(codeOf(Uint8Array.of(0, 0, 0, 0))).toBe("truncated");
});

test("unknown frame types are refused", () => {
  expect(codeOf(changed((data) => data.setUint8(4, 3)))).toBe("unknown-kind");
  expect(codeOf(changed((data) => data.setUint8(8, 1)))).toBe("unknown-kind");
  expect(codeOf(changed((data) => data.setUint8(11, 1)))).toBe("out-of-range");
});

test("a sender id other than 64 lower-case hex digits is refused", () => {
  expect(codeOf(changed((data) => data.setUint8(12, 63)))).toBe("malformed");
  for (const char of ["A", "g", "/", ":", "`", "\0", "\u{ff}"]) {
    expect(codeOf(changed((data) => data.setUint8(20, char.charCodeAt(0))))).toBe("malformed");
    expect(codeOf(changed((data) => data.setUint8(83, char.charCodeAt(0))))).toBe("malformed");
  }
});

test("a payload that no frame can carry is the caller's bug", () => {
  for (const payloadBytes of [-1, 0.5, Number.NaN, 2 ** 32 - 80]) {
    expect(() => encodeFrameHeader(FRAME_CHANNEL, SENDER, payloadBytes)).toThrow(RangeError);
  }
  expect(parseFrameHead(encodeFrameHeader(FRAME_CHANNEL, SENDER, 2 ** 32 - 81), 0, 84, 2 ** 33)).toMatchObject({
    frameEnd: 2 ** 32 + 3,
  });
});
