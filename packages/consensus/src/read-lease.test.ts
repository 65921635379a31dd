import { seqno } from "@sealane/wire";
import { expect, test } from "vitest";
import { ReadLease } from "./read-lease.js";

test("a lease counts from the append of the entry that was acknowledged, or of one before it", () => {
  const lease = new ReadLease(50, 0);
  expect(lease.covers(seqno(9), 1_000)).toBe(false);
  lease.appended(seqno(5), 1_000);
  expect(lease.covers(seqno(4), 1_000)).toBe(false);
  expect([lease.covers(seqno(5), 1_049), lease.covers(seqno(5), 1_050)]).toEqual([true, false]);
  lease.appended(seqno(8), 1_040);
  expect([lease.covers(seqno(7), 1_049), lease.covers(seqno(7), 1_050)]).toEqual([true, false]);
  expect([lease.covers(seqno(8), 1_089), lease.covers(seqno(8), 1_090)]).toEqual([true, false]);
});

test("it is shorter by what the two clocks may drift apart", () => {
  const lease = new ReadLease(1_000, 0.1); // 1000 · 0.9 / 1.1 = 818.2
  lease.appended(seqno(1), 0);
  expect([lease.covers(seqno(1), 818), lease.covers(seqno(1), 819)]).toEqual([true, false]);
});

test("and by what rounding their readings hides", () => {
  const lease = new ReadLease(50, 0, 1);
  lease.appended(seqno(1), 0);
  expect([lease.covers(seqno(1), 47), lease.covers(seqno(1), 48)]).toEqual([true, false]);
  const none = new ReadLease(1, 0.5, 1);
  none.appended(seqno(1), 0);
  expect(none.covers(seqno(1), 0)).toBe(false);
});

test("entries of an earlier view prove nothing", () => {
  const lease = new ReadLease(50, 0);
  lease.appended(seqno(5), 0);
  lease.restart();
  expect(lease.covers(seqno(5), 0)).toBe(false);
});

test("an entry between two marks counts from the earlier one, at most a 32nd of a lease before it was appended", () => {
  const lease = new ReadLease(320, 0);
  for (let at = 1; at <= 1_000; at++) lease.appended(seqno(at), at);
  for (const at of [700, 803, 999]) {
    const end = Array.from({ length: 400 }, (_, wait) => at + wait).find((now) => !lease.covers(seqno(at), now));
    if (at + 320 <= 1_000)
      expect(end).toBeUndefined(); // its mark is dropped, and an older one long ago
    else expect(end).toBeGreaterThan(at + 320 - 10);
    if (end !== undefined) expect(end).toBeLessThanOrEqual(at + 320);
  }
});
