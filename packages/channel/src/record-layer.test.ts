import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "./limits.js";
import { ReceiveKey } from "./receive-key.js";
import type { RecordFormat } from "./record-format.js";
import { RecordLayer } from "./record-layer.js";
import { recordFormatV1 } from "./record-v1.js";
import { recordFormatV2 } from "./record-v2.js";
import { SendKey } from "./send-key.js";
import type { SessionKeys } from "./version.js";

const secrets = (id: number) => ({
  key: new Uint8Array(32).fill(id),
  iv: new Uint8Array(12).fill(id),
  keyId: Uint8Array.of(id, 0, 0, 0),
});
/** The `id`-th keys of one end; the other end's send key is the same as this one's receive key. */
const keys = (id: number): SessionKeys => ({
  send: new SendKey(nativeSuite, recordFormatV2, secrets(id)),
  receive: new ReceiveKey(nativeSuite, recordFormatV2, secrets(id), `${id}`),
});
const header = Uint8Array.of(7);
const sealed = (by: SendKey) => concatBytes(header, by.sealHeader(1, header));
const forged = (id: number, counter: number) =>
  concatBytes(header, Uint8Array.of(id, 0, 0, 0, counter, 0, 0, 0, 0, 0, 0, 0), new Uint8Array(16));

function layer(...ids: number[]): RecordLayer {
  const records = new RecordLayer(recordFormatV2, { ...DEFAULT_LIMITS, failedOpensMax: 4 });
  for (const id of ids) records.switchKeys(keys(id), id * 10);
  return records;
}

describe("RecordLayer", () => {
  it("wants no new keys where there are none", () => {
    const records = layer();
    expect([records.isRekeyDue(1e9), records.used, records.sinceMs]).toEqual([false, 0, undefined]);
    expect(records.sealHeader(1, header)).toBeUndefined();
  });

  it("wants new keys from half the failed opens on, and gives the keys up with the last one", () => {
    const records = layer(1);
    const due = [1, 2, 3].map((counter) => [records.open(1, 1, forged(1, counter)), records.isRekeyDue(10)]);
    expect(due).toEqual([
      ["bad-tag", false],
      ["bad-tag", true],
      ["bad-tag", true],
    ]);
    expect(records.isOpen).toBe(true);
    records.open(1, 1, forged(1, 4));
    expect([records.isOpen, records.open(1, 1, forged(1, 5))]).toEqual([false, "no-keys"]);
  });

  it("gives up an old key for its forgeries and keeps sealing and opening under the new ones", () => {
    const records = layer(1, 2);
    for (let counter = 1; counter <= 4; counter++) expect(records.open(1, 1, forged(1, counter))).toBe("bad-tag");
    expect(records.open(1, 1, forged(1, 5))).toBe("unknown-key");
    expect(records.isOpen).toBe(true);
    expect(records.open(1, 1, sealed(keys(2).send))).toMatchObject({ header });
  });

  it("counts towards its limits what it sent; in version 1 also what it received, and the record to come", () => {
    const used = (format: RecordFormat) => {
      const records = new RecordLayer(format, DEFAULT_LIMITS);
      const [own, peers] = [secrets(1), secrets(1)].map((each) => new SendKey(nativeSuite, format, each));
      if (own === undefined || peers === undefined) throw new Error("two were made");
      records.switchKeys({ send: own, receive: new ReceiveKey(nativeSuite, format, secrets(1), "1") }, 0);
      records.sealHeader(1, header);
      for (let n = 0; n < 3; n++) records.open(1, 1, sealed(peers));
      return [records.sent, records.received, records.used];
    };
    expect(used(recordFormatV2)).toEqual([1, 3, 1]);
    expect(used(recordFormatV1)).toEqual([1, 3, 1 + 3 + 1]);
  });
});
