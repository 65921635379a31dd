import { expect, test } from "vitest";
import { fromHex, fromUtf8 } from "./bytes.js";
import { Reader } from "./codec.js";
import type { WireErrorCode } from "./errors.js";
import { decodeForwardedHeader, encodeForwardedHeader, forwardedHeaderBytes } from "./forwarded.js";

const response = (): Uint8Array => encodeForwardedHeader({ type: "response", commandId: 1, terminateSession: false });
const patched = (at: number, value: number): Uint8Array => {
  const bytes = response();
  bytes[at] = value;
  return bytes;
};

/** The type names them all, so a new code without a test does not compile. */
const PROVOKE: Readonly<Record<WireErrorCode, () => unknown>> = {
  truncated: () => forwardedHeaderBytes(new Uint8Array(7)),
  trailing: () => decodeForwardedHeader(Uint8Array.of(...response(), 0)),
  "unknown-kind": () => decodeForwardedHeader(patched(0, 77)),
  "out-of-range": () => decodeForwardedHeader(patched(17, 2)),
  "too-large": () => new Reader(Uint8Array.of(11, 0, 0, 0)).blob32(10, "field"),
  utf8: () => fromUtf8(Uint8Array.of(0xff)),
  malformed: () => fromHex("zz"),
};

test.each(Object.entries(PROVOKE))("%s is provoked", (code, provoke) => {
  expect(provoke).toThrow(expect.objectContaining({ name: "WireError", code }));
});
