/** The storage against a disk that loses power at any point (memory-disk.ts says what a crash may do). */
import { equalBytes, seqno, view } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, createLedger, decode, node, put, sign } from "../../test/fixture.js";
import type { LedgerEntry } from "../ledger.js";
import { MemoryDisk } from "../testing/memory-disk.js";
import { openLedger } from "./node-ledger.js";

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("write" as const), amount: fc.integer({ min: 1, max: 900 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("sign" as const), amount: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("flush" as const), amount: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("truncate" as const), amount: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("commit" as const), amount: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("crash" as const), amount: fc.nat(0xffff) }) },
);

const isIntact = (bytes: Uint8Array) => codeOf(() => decode({ bytes })) === "no error";

function seeded(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 16_807) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}

test("a crash before any single operation of the disk leaves a ledger that opens and holds what was durable", async () => {
  const disk = new MemoryDisk();
  const { storage } = await openLedger("dir", { disk });
  const ledger = createLedger({ chunkBytes: 1_500 });
  let log: LedgerEntry[] = [];
  let states: LedgerEntry[][] = [[]]; // since the last flush
  let durable = 0;
  const crashes: { disk: MemoryDisk; states: LedgerEntry[][]; durable: number; committed: number }[] = [];
  disk.onChange = () => {
    for (let seed = 0; seed < 6; seed++) {
      const crashed = disk.crash(seeded(seed * 7_919 + crashes.length));
      crashes.push({
        disk: crashed,
        states: [...states],
        durable,
        committed: Math.min(durable, storage.committedSeqno),
      });
    }
  };
  const add = (entry: LedgerEntry) => {
    storage.append([entry]);
    log = [...log, entry];
    states.push(log);
  };
  for (let round = 0; round < 6; round++) {
    const at = view(2 + round);
    for (let index = 0; index < 4; index++) {
      add(ledger.append({ view: at, writeSet: put("k", "x".repeat(250 * index + 31 * round)) }));
      if (index % 2 === 1) add(sign(ledger, node, at));
    }
    await storage.flush();
    durable = log.length;
    states = [log];
    const to = log.length - round;
    storage.truncate(seqno(to));
    ledger.rollback(seqno(to));
    log = log.slice(0, to);
    states.push(log);
    if (round % 2 === 0) storage.commit(seqno(Math.max(storage.committedSeqno, to - 4)));
  }
  await storage.close();
  expect(crashes.length).toBeGreaterThan(300);
  for (const crash of crashes) {
    const opened = await openLedger("dir", { disk: crash.disk, isIntact, durable: seqno(0) });
    let count = 0;
    const found: Uint8Array[] = [];
    for await (const bytes of opened.entries) found[count++] = bytes;
    const possible = crash.states.some(
      (past) =>
        count <= past.length &&
        found.every(
          (bytes, index) => bytes.length === past[index]?.bytes.length && equalBytes(bytes, past[index].bytes),
        ),
    );
    expect(possible).toBe(true);
    expect(count).toBeGreaterThanOrEqual(Math.min(crash.durable, ...crash.states.map((past) => past.length)));
  }
});

test("after any crash the ledger opens, holds everything that was durable, and nothing that was never written", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      let disk = new MemoryDisk();
      let { storage } = await openLedger("dir", { disk });
      const ledger = createLedger({ chunkBytes: 1_500, retainBytes: Number.POSITIVE_INFINITY });
      let log: LedgerEntry[] = [];
      let durable = 0; // entries a flush promised
      let history: LedgerEntry[][] = [[]]; // every state since then
      let epoch = 2;
      for (const { type, amount } of operations) {
        if (type === "write" || (type === "sign" && log.length > 0)) {
          const entry =
            type === "sign"
              ? sign(ledger, node, view(epoch))
              : ledger.append({ view: view(epoch), writeSet: put("k", "x".repeat(amount)) });
          storage.append([entry]);
          log = [...log, entry];
        } else if (type === "flush") {
          await storage.flush();
          durable = log.length;
          history = [];
        } else if (type === "truncate") {
          const to = Math.max(storage.committedSeqno, log.length - amount);
          storage.truncate(seqno(to));
          ledger.rollback(seqno(to));
          epoch++;
          log = log.slice(0, to);
        } else if (type === "commit") {
          storage.commit(
            seqno(Math.max(storage.committedSeqno, durable - amount < 0 ? 0 : Math.min(durable, log.length) - amount)),
          );
        } else if (type === "crash") {
          const random = seeded(amount);
          // Some of the queue has been carried out, some not.
          for (let turn = 0; turn < amount % 60; turn++) await Promise.resolve();
          const committed = Math.min(storage.committedSeqno, durable);
          disk = disk.crash(random);
          const opened = await openLedger("dir", { disk, isIntact, durable: seqno(committed) });
          storage = opened.storage;
          const found: Uint8Array[] = [];
          for await (const bytes of opened.entries) found.push(bytes);
          // A prefix of what the ledger was at some time since the last flush, and as long as it never was shorter.
          const states = [...history, log];
          const matching = states.find(
            (past) =>
              found.length <= past.length &&
              found.every((bytes, index) => equalBytes(bytes, past[index]?.bytes ?? bytes.subarray(1))),
          );
          expect(matching).toBeDefined();
          expect(found.length).toBeGreaterThanOrEqual(Math.min(durable, ...states.map((past) => past.length)));
          log = (matching ?? []).slice(0, found.length);
          ledger.rollback(seqno(0));
          for (const entry of log) ledger.appendReplicated(decode(entry));
          epoch++;
          await storage.flush();
          durable = log.length;
          history = [];
        }
        history.push(log);
      }
      await storage.close();
    }),
    { numRuns: 120 },
  );
}, 20_000);
