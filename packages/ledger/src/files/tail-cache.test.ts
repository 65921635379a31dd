import { seqno, view } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createLedger, fill, put, V2 } from "../../test/fixture.js";
import type { LedgerEntry } from "../ledger.js";
import { MemoryDisk } from "../testing/memory-disk.js";
import { openLedger } from "./node-ledger.js";
import { TailCache } from "./tail-cache.js";

const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("push" as const), amount: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("truncate" as const), amount: fc.nat(12) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("read" as const), amount: fc.nat(1_000) }) },
);

test("what is read is what was pushed and not truncated, and no more than the bound is held", () => {
  fc.assert(
    fc.property(fc.nat(120), fc.array(operation, { maxLength: 60 }), (bytesMax, operations) => {
      const cache = new TailCache(bytesMax, 5);
      const log: Uint8Array[] = [];
      for (const { type, amount } of operations) {
        if (type === "push") {
          log.push(new Uint8Array(amount));
          cache.push(4 + log.length, log.at(-1) ?? new Uint8Array());
        } else if (type === "truncate") {
          log.length = Math.max(0, log.length - amount);
          cache.truncate(4 + log.length);
        } else {
          const from = 5 + (amount % (log.length + 1));
          const to = from + (amount % 4);
          const found = cache.read(from, to, amount);
          if (found === undefined) continue;
          expect(found.length).toBeGreaterThan(0);
          for (const [index, bytes] of found.entries()) expect(bytes).toBe(log[from - 5 + index]);
          const size = (part: readonly Uint8Array[]) => part.reduce((sum, { length }) => sum + length, 0);
          if (found.length > 1) expect(size(found)).toBeLessThanOrEqual(amount);
          expect(size(log.slice(from - 5))).toBeLessThanOrEqual(bytesMax); // it and all behind it are held
        }
      }
    }),
  );
});

test("recent entries are read from where they were appended from, without the disk and before it has them", async () => {
  const disk = new MemoryDisk();
  const { storage } = await openLedger("dir", { disk, tailBytesMax: 3_000 });
  const ledger = createLedger();
  const entries: LedgerEntry[] = fill(ledger, 9);
  storage.append(entries);
  disk.beforeRead = () => Promise.reject(new Error("the disk is asked"));
  const [last] = await storage.read(seqno(13), seqno(13));
  expect(last).toBe(entries[12]?.bytes);
  expect(storage.stats).toMatchObject({ tailReads: 1, writes: 0 });
  storage.truncate(seqno(12));
  await expect(storage.read(seqno(13), seqno(13))).rejects.toMatchObject({ code: "not-found" });
  ledger.rollback(seqno(12));
  const other = ledger.append({ view: view(3), writeSet: put("other", "value") });
  storage.append([other]);
  expect((await storage.read(seqno(12), seqno(13))).at(-1)).toBe(other.bytes);
  await storage.flush();
  disk.beforeRead = async () => undefined;
  expect((await storage.read(seqno(1), seqno(13))).length).toBe(13);
  expect(storage.stats.tailReads).toBe(2);
  await storage.close();
});

test("an entry longer than the bound is not kept", async () => {
  const { storage } = await openLedger("dir", { disk: new MemoryDisk(), tailBytesMax: 100 });
  const entry = createLedger().append({ view: V2, writeSet: put("k", "x".repeat(200)) });
  storage.append([entry]);
  const [read] = await storage.read(seqno(1), seqno(1));
  expect(read).not.toBe(entry.bytes);
  expect(read).toEqual(entry.bytes);
  await storage.close();
});
