import { nativeSuite } from "@sealane/crypto/native";
import { describe, expect, it } from "vitest";
import { PendingHandshakes } from "./pending-handshakes.js";
import { ReceiveKey } from "./receive-key.js";
import { recordFormatV2 } from "./record-v2.js";
import { SendKey } from "./send-key.js";
import type { PendingHandshake } from "./version.js";

const peerKey = nativeSuite.generateKeyPair("P-256").publicKey;
const secrets = () => ({ key: new Uint8Array(32), iv: new Uint8Array(12), keyId: new Uint8Array(4) });
const pending = (handshakeId: string): PendingHandshake => ({
  handshakeId,
  transcript: new Uint8Array(0),
  peerKey,
  keys: {
    send: new SendKey(nativeSuite, recordFormatV2, secrets()),
    receive: new ReceiveKey(nativeSuite, recordFormatV2, secrets(), handshakeId),
  },
});
const isWiped = ({ keys }: PendingHandshake): boolean => {
  try {
    keys.send.sealHeader(1, new Uint8Array(1));
    return false;
  } catch {
    return true;
  }
};

describe("PendingHandshakes", () => {
  it("keeps four and lets the oldest give way, wiped", () => {
    const held = new PendingHandshakes(4, 2_000);
    const all = ["a", "b", "c", "d", "e"].map(pending);
    for (const one of all) held.add(one, 0);
    expect(held.size).toBe(4);
    expect(all.map(isWiped)).toEqual([true, false, false, false, false]);
    expect(held.has("a")).toBe(false);
    expect(held.find("e")).toBe(all[4]);
  });

  it("shows the newest first", () => {
    const held = new PendingHandshakes(4, 2_000);
    for (const id of ["a", "b", "c"]) held.add(pending(id), 0);
    expect(held.newestFirst.map(({ handshakeId }) => handshakeId)).toEqual(["c", "b", "a"]);
  });

  it("gives each up after the time-out", () => {
    const held = new PendingHandshakes(4, 2_000);
    const [first, second] = [pending("a"), pending("b")];
    held.add(first, 0);
    held.add(second, 500);
    expect(held.nextExpiryMs).toBe(2_000);
    expect(held.expire(1_999)).toBe(0);
    expect(held.expire(2_000)).toBe(1);
    expect([isWiped(first), isWiped(second)]).toEqual([true, false]);
    expect(held.nextExpiryMs).toBe(2_500);
  });

  it("hands over the keys of one that is removed, and wipes the rest when cleared", () => {
    const held = new PendingHandshakes(4, 2_000);
    const [first, second] = [pending("a"), pending("b")];
    held.add(first, 0);
    held.add(second, 0);
    held.remove(first);
    held.clear();
    expect([isWiped(first), isWiped(second)]).toEqual([false, true]);
    expect(held.size).toBe(0);
    expect(held.nextExpiryMs).toBe(Number.POSITIVE_INFINITY);
  });
});
