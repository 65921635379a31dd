import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes } from "@sealane/wire";
import { expect, it } from "vitest";
import { RECORDS_MAX } from "./limits.js";
import { ReceiveKey } from "./receive-key.js";
import { AadBuffer } from "./record-format.js";
import { recordFormatV2 } from "./record-v2.js";

const secrets = () => ({ key: new Uint8Array(32).fill(1), iv: new Uint8Array(12).fill(2), keyId: new Uint8Array(4) });
const header = Uint8Array.of(7);

/** A record of any counter, as no `SendKey` would seal it at once. */
function record(counter: number): Uint8Array {
  const { key, iv, keyId } = secrets();
  const nonce = new Uint8Array(12);
  recordFormatV2.writeNonce(nonce, iv, counter);
  const aad = new AadBuffer(recordFormatV2).of(1, header);
  const { tag } = nativeSuite.aead(key).seal(nonce, aad, new Uint8Array(0));
  const trailer = new Uint8Array(recordFormatV2.trailerBytes);
  recordFormatV2.writeTrailer(trailer, keyId, counter, tag);
  return concatBytes(header, trailer);
}

it("opens counters in ascending order, each once, up to the last there may be", () => {
  const key = new ReceiveKey(nativeSuite, recordFormatV2, secrets(), "exchange");
  const open = (counter: number) => {
    const opened = key.open(1, header, record(counter));
    return typeof opened === "string" ? opened : key.lastCounter;
  };
  expect([5, 5, 4, 6, RECORDS_MAX + 1, RECORDS_MAX, RECORDS_MAX].map(open)).toEqual([
    5,
    "replayed-counter",
    "replayed-counter",
    6,
    "counter-too-high",
    RECORDS_MAX,
    "replayed-counter",
  ]);
  expect([key.received, key.failedOpens, key.lastCounter]).toEqual([3, 0, RECORDS_MAX]);
});

it("counts what does not verify, and nothing else changes by it", () => {
  const key = new ReceiveKey(nativeSuite, recordFormatV2, secrets(), "exchange");
  const forged = record(9);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  expect(key.open(1, header, forged)).toBe("bad-tag");
  expect([key.received, key.failedOpens, key.lastCounter]).toEqual([0, 1, 0]);
  expect(key.open(1, header, record(1))).toEqual(new Uint8Array(0));
});
