import { FRAME_CHANNEL, FRAME_CONSENSUS } from "@sealane/wire";
import { expect, test } from "vitest";
import { decodeLinkFrame, encodeLinkFrame } from "./link-frame.js";

test("decode reads what encode wrote, and ignores flags it does not know", () => {
  for (const confirms of [true, false]) {
    expect(decodeLinkFrame(FRAME_CHANNEL, encodeLinkFrame({ confirms }))).toEqual({ confirms });
  }
  expect(decodeLinkFrame(FRAME_CHANNEL, encodeLinkFrame({ confirms: true }).fill(0xfe, 8))).toEqual({
    confirms: false,
  });
});

test("everything else is left to the frame handler", () => {
  const link = encodeLinkFrame({ confirms: true });
  expect(decodeLinkFrame(FRAME_CONSENSUS, link)).toBeUndefined();
  expect(decodeLinkFrame(FRAME_CHANNEL, link.subarray(0, 8))).toBeUndefined();
  expect(decodeLinkFrame(FRAME_CHANNEL, Uint8Array.of(...link, 0))).toBeUndefined();
  for (let at = 0; at < 8; at++) {
    const changed = link.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(decodeLinkFrame(FRAME_CHANNEL, changed)).toBeUndefined();
  }
});
