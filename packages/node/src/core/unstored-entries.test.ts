import { seqno } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { UNSIGNED_BYTES_MAX, UnstoredEntries } from "./unstored-entries.js";

function entry(at: number, bytes = 1, isSignature = false) {
  return { seqno: seqno(at), bytes: new Uint8Array(bytes), isSignature };
}

function unstored(...entries: ReturnType<typeof entry>[]) {
  const kept = new UnstoredEntries<ReturnType<typeof entry>>();
  for (const each of entries) kept.add(each);
  return kept;
}

describe("UnstoredEntries", () => {
  it("gives each entry out once, in order", () => {
    const kept = unstored(entry(3), entry(4));
    expect(kept.take().map((each) => each.seqno)).toEqual([3, 4]);
    expect(kept.take()).toEqual([]);
    kept.add(entry(5));
    expect(kept.take().map((each) => each.seqno)).toEqual([5]);
  });

  it("await a signature only while they end without one", () => {
    expect(unstored().awaitSignature).toBe(false);
    expect(unstored(entry(1, 1, true), entry(2)).awaitSignature).toBe(true);
    expect(unstored(entry(1), entry(2, 1, true)).awaitSignature).toBe(false);
  });

  it("await none when they are much, and are counted anew once they are taken", () => {
    const kept = unstored(entry(1, UNSIGNED_BYTES_MAX - 1));
    expect(kept.awaitSignature).toBe(true);
    kept.add(entry(2));
    expect(kept.awaitSignature).toBe(false);
    kept.take();
    kept.add(entry(3, UNSIGNED_BYTES_MAX - 1));
    expect(kept.awaitSignature).toBe(true);
  });

  it("reach back to their first and no further", () => {
    expect(unstored().reachBackTo(seqno(9))).toBe(false);
    const kept = unstored(entry(3), entry(4));
    expect([2, 3, 4].map((at) => kept.reachBackTo(seqno(at)))).toEqual([false, true, true]);
  });

  it("give the newest token that was held, once", () => {
    const kept = unstored();
    kept.holdToken(1);
    kept.holdToken(2);
    expect([kept.takeHeldToken(), kept.takeHeldToken()]).toEqual([2, undefined]);
  });
});
