import { describe, expect, test } from "vitest";
import { APPEND_ENTRIES_BYTES, BatchSize } from "./batch-size.js";

describe("BatchSize (§7.3)", () => {
  test("starts with 20 entries, and a fresh primary's first tick pulls it down to 1", () => {
    const batch = new BatchSize();
    expect(batch.entries).toBe(20);
    batch.update();
    expect(batch.entries).toBe(1);
  });

  test("entries of half the size limit: every second one says send", () => {
    const batch = new BatchSize();
    const half = APPEND_ENTRIES_BYTES / 2;
    expect([half, half, half, half].map((bytes) => batch.add(bytes))).toEqual([false, true, false, true]);
  });

  test("climbs towards as many entries as fill the limit", () => {
    const batch = new BatchSize();
    for (let i = 0; i < 200_000; i++) batch.add(100);
    expect(batch.entries).toBeGreaterThan(190);
    expect(batch.entries).toBeLessThanOrEqual(200);
  });

  test("the counters are not reset by an update, only by reaching the limit", () => {
    const batch = new BatchSize();
    batch.add(APPEND_ENTRIES_BYTES - 1);
    batch.update();
    expect(batch.add(1)).toBe(true);
    expect(batch.add(1)).toBe(false);
  });

  test("entries larger than the limit still go one by one", () => {
    const batch = new BatchSize();
    for (let i = 0; i < 500; i++) expect(batch.add(10 * APPEND_ENTRIES_BYTES)).toBe(true);
    expect(batch.entries).toBe(1);
  });

  test("entries of no size count as many", () => {
    const batch = new BatchSize();
    batch.add(0);
    batch.update();
    expect(batch.entries).toBe(100); // 10,000 over a window of 100
  });
});
