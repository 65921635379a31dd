import { nativeSuite } from "@sealane/crypto/native";
import { describe, expect, it } from "vitest";
import { ReceiveKey } from "./receive-key.js";
import { ReceiveKeys } from "./receive-keys.js";
import { recordFormatV2 } from "./record-v2.js";

const makeKey = (id: number): ReceiveKey =>
  new ReceiveKey(
    nativeSuite,
    recordFormatV2,
    { key: new Uint8Array(32).fill(id), iv: new Uint8Array(12), keyId: Uint8Array.of(id, 0, 0, 0) },
    `${id}`,
  );

function keysOf(...ids: number[]): { keys: ReceiveKeys; made: ReceiveKey[] } {
  const keys = new ReceiveKeys(5_000);
  const made = ids.map(makeKey);
  for (const [index, key] of made.entries()) keys.install(key, index * 1_000);
  return { keys, made };
}

describe("ReceiveKeys", () => {
  it("accepts the old key beside the new until a record came under the new", () => {
    const { keys, made } = keysOf(1, 2);
    expect([keys.find(1), keys.find(2)]).toEqual(made);
    const [first, second] = made as [ReceiveKey, ReceiveKey]; // two were made
    keys.dropOlderThan(first);
    expect(keys.find(1)).toBe(first);
    keys.dropOlderThan(second);
    expect(keys.find(1)).toBeUndefined();
    expect(keys.find(2)).toBe(second);
    const record = new Uint8Array(28).fill(1, 4, 5); // counter 1
    expect(() => first.open(1, record.subarray(0, 0), record)).toThrow(TypeError); // wiped
  });

  it("drops an old key 5 s after the switch that made it old", () => {
    const { keys } = keysOf(1, 2, 3);
    expect(keys.nextExpiryMs).toBe(6_000); // key 1 became old at 1,000
    keys.expire(5_999);
    expect(keys.size).toBe(3);
    keys.expire(6_000);
    expect(keys.find(1)).toBeUndefined();
    expect(keys.nextExpiryMs).toBe(7_000);
    keys.expire(1e9);
    expect(keys.size).toBe(1);
    expect(keys.newest?.keyId).toBe(3);
    expect(keys.nextExpiryMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("does not prolong an old key's time when yet another key comes", () => {
    const { keys } = keysOf(1, 2);
    keys.install(makeKey(3), 5_999);
    keys.expire(6_000);
    expect(keys.find(1)).toBeUndefined();
  });

  it("drops what is older than a key that is neither the newest nor the oldest, and nothing else", () => {
    const { keys, made } = keysOf(1, 2, 3);
    const [, second] = made as [ReceiveKey, ReceiveKey, ReceiveKey]; // three were made
    keys.dropOlderThan(second);
    expect([1, 2, 3].filter((id) => keys.find(id) !== undefined)).toEqual([2, 3]);
  });

  it("gives up one key alone; an old one that is then the newest goes in its time all the same", () => {
    const { keys, made } = keysOf(1, 2);
    const [first, second] = made as [ReceiveKey, ReceiveKey]; // two were made
    keys.drop(second);
    expect([keys.find(1), keys.find(2), keys.newest]).toEqual([first, undefined, first]);
    keys.expire(6_000); // it became old at 1,000
    expect(keys.size).toBe(0);
  });

  it("holds four keys at most", () => {
    const { keys } = keysOf(1, 2, 3, 4, 5);
    expect(keys.size).toBe(4);
    expect(keys.find(1)).toBeUndefined();
  });

  it("knows no key that is not there", () => {
    expect(new ReceiveKeys(5_000).find(0)).toBeUndefined();
    expect(new ReceiveKeys(5_000).newest).toBeUndefined();
  });
});
