/** Questions about the past, asked of a storage and of a directory: the answers are a plain replay's, and cost one batch of memory. */
import { equalBytes, fromUtf8, type Seqno, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { createLedger, decode, genesis, node, secrets, suite, V2 } from "../test/fixture.js";
import type { DecodedEntry } from "./decode-entry.js";
import { directoryReader } from "./directory-reader.js";
import { findTransaction, type KeyChange, queryEntries, queryKey } from "./historical-queries.js";
import type { LedgerEntry } from "./ledger.js";
import { memorySource } from "./ledger-source.js";
import type { EntryReader } from "./ledger-storage.js";
import { MemoryDisk } from "./testing/memory-disk.js";
import { memoryLedger } from "./testing/memory-ledger.js";

const KEYS = ["x", "y", "z"].map(utf8);
const MAPS = ["private", "public:notes"];
const decoding = { suite, secrets };
let entries: LedgerEntry[] = [];
let readers: [string, EntryReader][] = [];

beforeAll(async () => {
  const ledger = createLedger({ chunkBytes: 3_000 });
  entries = [ledger.append({ view: V2, writeSet: genesis() })];
  for (let round = 1; round <= 200; round++) {
    const [map = "", other = ""] = round % 3 === 0 ? MAPS : [...MAPS].reverse();
    const key = KEYS[round % 3] ?? utf8("");
    const value = utf8(`${round} ${"v".repeat((7 * round) % 90)}`);
    const isRemoval = round % 11 === 0;
    const writeSet: WriteSet = [
      { name: map, writes: isRemoval ? [] : [[key, value] as const], removes: isRemoval ? [key] : [] },
      ...(round % 7 === 0 ? [{ name: other, writes: [[utf8("w"), value] as const], removes: [] }] : []),
    ].sort((a, b) => (a.name < b.name ? -1 : 1));
    entries.push(ledger.append({ view: view(2 + Math.floor(round / 90)), writeSet }));
    if (round % 9 === 0) entries.push(ledger.appendSignature({ view: ledger.lastView, ...node }));
  }
  const disk = new MemoryDisk();
  const { storage } = await memoryLedger(disk, { tailBytesMax: 5_000 });
  storage.append(entries);
  storage.commit(ledger.lastSeqno);
  await storage.flush();
  const source = memorySource(disk.contents());
  readers = [
    ["storage", storage],
    ["directory", await directoryReader(source)],
  ];
});

const reader = (index: number): EntryReader => readers[index]?.[1] ?? expect.fail("there are two");
const both = [
  ["a storage", 0],
  ["a directory", 1],
] as const;

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Every change of a key, by looking through all entries. */
function changesOf(map: string, key: Uint8Array, from: number, to: number) {
  return entries
    .map(decode)
    .filter(({ seqno: at }) => at >= from && at <= to)
    .flatMap(({ seqno: at, view: in_, writeSet }): KeyChange[] => {
      const changes = writeSet.find(({ name }) => name === map);
      const write = changes?.writes.find(([written]) => equalBytes(written, key));
      if (write !== undefined) return [{ seqno: at, view: in_, value: write[1] }];
      return changes?.removes.some((removed) => equalBytes(removed, key)) === true
        ? [{ seqno: at, view: in_, value: undefined }]
        : [];
    });
}

describe.each(both)("asked of %s", (_, index) => {
  test("a transaction is found by its id, and not under another view", async () => {
    for (const { seqno: at, view: in_, bytes } of entries) {
      const found = await findTransaction(reader(index), { seqno: at, view: in_ }, decoding);
      expect(found !== undefined && equalBytes(found.bytes, bytes)).toBe(true);
    }
    expect(await findTransaction(reader(index), { seqno: seqno(3), view: view(7) }, decoding)).toBeUndefined();
    const beyond = findTransaction(reader(index), { seqno: seqno(entries.length + 1), view: V2 }, decoding);
    await expect(beyond).rejects.toMatchObject({ code: "not-found" });
  });

  test("any range, in either order, in batches of any size", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: entries.length }),
        fc.nat(150),
        fc.integer({ min: 1, max: 20_000 }),
        fc.boolean(),
        async (from, length, batchBytes, newestFirst) => {
          const to = Math.min(entries.length, from + length - 1);
          const options = { ...decoding, from: seqno(from), to: seqno(to), batchBytes, newestFirst };
          const found = await collect(queryEntries(reader(index), options));
          const expected = entries.slice(from - 1, to);
          if (newestFirst) expected.reverse();
          expect(found.map(({ seqno: at }) => at)).toEqual(expected.map(({ seqno: at }) => at));
        },
      ),
      { numRuns: 40 },
    );
  });

  test("every change of a key, private and public, in either order", async () => {
    for (const map of [...MAPS, "public:nothing"]) {
      for (const key of [...KEYS, utf8("w"), utf8("never")]) {
        const expected = changesOf(map, key, 20, 180);
        const options = { ...decoding, from: seqno(20), to: seqno(180), batchBytes: 2_000 };
        expect(await collect(queryKey(reader(index), map, key, options))).toEqual(expected);
        const backwards = await collect(queryKey(reader(index), map, key, { ...options, newestFirst: true }));
        expect(backwards).toEqual(expected.toReversed());
      }
    }
    const all = await collect(queryKey(reader(index), "public:notes", KEYS[1] ?? utf8(""), { suite }));
    const committed = reader(index).committedSeqno;
    expect(all).toEqual(changesOf("public:notes", KEYS[1] ?? utf8(""), 1, committed));
    expect(all.some(({ value }) => value === undefined)).toBe(true);
  });

  test("the value at a seqno is the first answer from there back", async () => {
    for await (const { value } of queryKey(reader(index), "public:notes", KEYS[1] ?? utf8(""), {
      suite,
      to: seqno(50),
      newestFirst: true,
    })) {
      expect(value && fromUtf8(value)).toMatch(/^\d+ v*$/);
      break;
    }
  });

  test("a private map needs the secrets", async () => {
    const asked = queryKey(reader(index), "private", KEYS[0] ?? utf8(""), { suite }).next();
    await expect(asked).rejects.toMatchObject({ code: "no-secret" });
  });
});

describe("nothing is read ahead of who asks", () => {
  function counting(of: EntryReader): { reader: EntryReader; reads: () => number; entries: () => number } {
    let reads = 0;
    let count = 0;
    const read = async (from: Seqno, to: Seqno, bytesMax?: number) => {
      reads++;
      const found = await of.read(from, to, bytesMax);
      count += found.length;
      return found;
    };
    const { firstSeqno, lastSeqno, committedSeqno } = of;
    return { reader: { firstSeqno, lastSeqno, committedSeqno, read }, reads: () => reads, entries: () => count };
  }

  test.each([false, true])("newest first: %s", async (newestFirst) => {
    const { reader: counted, reads, entries: count } = counting(reader(0));
    const query = queryEntries(counted, { ...decoding, batchBytes: 1_500, newestFirst });
    expect(reads()).toBe(0);
    await query.next();
    const first = count();
    expect(first).toBeLessThan(70);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(count()).toBe(first);
    await query.return();
    expect(count()).toBe(first);
  });

  test("a query that is aborted ends at once, also while a read hangs, and reads no more", async () => {
    const { reader: counted, reads } = counting(reader(0));
    const stop = new AbortController();
    const query = queryEntries(counted, { ...decoding, batchBytes: 1, signal: stop.signal });
    await query.next();
    stop.abort(new Error("enough"));
    await expect(query.next()).rejects.toThrow("enough");
    expect(reads()).toBe(1);
    expect((await query.next()).done).toBe(true);

    const hanging: EntryReader = {
      ...reader(1),
      firstSeqno: seqno(1),
      committedSeqno: seqno(9),
      lastSeqno: seqno(9),
      read: () => new Promise(() => {}),
    };
    const again = new AbortController();
    const waiting = findTransaction(hanging, { seqno: seqno(1), view: V2 }, { ...decoding, signal: again.signal });
    again.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(
      findTransaction(hanging, { seqno: seqno(1), view: V2 }, { ...decoding, signal: again.signal }),
    ).rejects.toThrow("enough");
  });
});

test("damage is an error at the entry it is in, never another answer", async () => {
  const wrong = (change: (bytes: Uint8Array) => Uint8Array): EntryReader => ({
    firstSeqno: seqno(1),
    lastSeqno: seqno(9),
    committedSeqno: seqno(9),
    read: async (from, to) =>
      entries.slice(from - 1, to).map(({ bytes }, at) => (from + at === 6 ? change(bytes) : bytes)),
  });
  const until = async (of: EntryReader) => {
    const found: DecodedEntry[] = [];
    try {
      for await (const entry of queryEntries(of, decoding)) found.push(entry);
    } catch (error) {
      return [found.length, error instanceof Error && "code" in error && error.code];
    }
    return [found.length];
  };
  expect(await until(wrong((bytes) => bytes.slice(0, -1)))).toEqual([5, "truncated"]);
  expect(await until(wrong((bytes) => bytes.map((byte, at) => (at === 10 ? byte ^ 1 : byte))))).toEqual([5, "bad-tag"]);
  expect(await until(wrong(() => entries[2]?.bytes ?? new Uint8Array()))).toEqual([5, "bad-seqno"]);
});

test("an empty directory has nothing to ask of", async () => {
  const empty = await directoryReader(memorySource(new Map()));
  expect([empty.firstSeqno, empty.lastSeqno, empty.committedSeqno]).toEqual([1, 0, 0]);
  expect(await collect(queryEntries(empty, decoding))).toEqual([]);
  await expect(empty.read(seqno(1), seqno(1))).rejects.toMatchObject({ code: "not-found" });
});
