import { concatBytes, equalBytes, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { at, codeOf, createLedger, decode, fill, node, put, sign, suite, V2 } from "../../test/fixture.js";
import type { LedgerEntry } from "../ledger.js";
import { memorySource } from "../ledger-source.js";
import { FLAG_CHUNK_ENDS_AFTER, FLAG_CHUNK_ENDS_BEFORE } from "../limits.js";
import { MemoryDisk } from "../testing/memory-disk.js";
import { verifyLedger } from "../verify-ledger.js";
import { openLedger } from "./node-ledger.js";

const open = async (disk = new MemoryDisk(), options = {}) => ({
  disk,
  ...(await openLedger("dir", { disk, tailBytesMax: 0, ...options })),
});

/** Genesis and 12 writes with a signature after every third; chunks end at each signature. */
const small = { chunkBytes: 1 };
const entriesOf = (count: number): LedgerEntry[] => fill(createLedger(small), count);

async function collect(entries: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => "no error",
    (reason: unknown) => reason,
  );
  return codeOf(() => {
    if (error !== "no error") throw error;
  });
}

describe("the layout on disk (§1.2)", () => {
  test("an open chunk is a zero header and the entries", async () => {
    const { storage, disk } = await open();
    const entries = fill(createLedger(), 2);
    storage.append(entries);
    await storage.flush();
    const expected = concatBytes(new Uint8Array(8), ...entries.map(({ bytes }) => bytes));
    expect([...disk.contents()]).toEqual([["ledger_1", expected]]);
  });

  test("a finished chunk has the table's offset in front, the table at the end, and its open name until it is committed", async () => {
    const { storage, disk } = await open();
    const entries = entriesOf(3);
    expect(at(entries, -1).flags).toBe(FLAG_CHUNK_ENDS_AFTER);
    storage.append(entries);
    await storage.flush();
    const bytes = disk.contents().get("ledger_1") ?? new Uint8Array();
    const data = new DataView(bytes.buffer);
    const table = Number(data.getBigUint64(0, true));
    expect(table).toBe(8 + entries.reduce((sum, entry) => sum + entry.bytes.length, 0));
    let offset = 8;
    for (const [index, entry] of entries.entries()) {
      expect(data.getUint32(table + 4 * index, true)).toBe(offset);
      offset += entry.bytes.length;
    }
    expect(bytes.length).toBe(table + 4 * entries.length);
    storage.commit(seqno(4));
    await storage.flush();
    expect([...disk.contents().keys()]).toEqual(["ledger_1"]);
    storage.commit(seqno(5));
    await storage.flush();
    expect([...disk.contents().keys()]).toEqual(["ledger_1-5.committed"]);
  });

  test("the flag before an entry ends the chunk, and an entry that is no signature cannot end one", async () => {
    const { storage, disk } = await open();
    const ledger = createLedger();
    const entries = fill(ledger, 3);
    entries.push(ledger.append({ view: V2, writeSet: put("k", "v"), flags: FLAG_CHUNK_ENDS_BEFORE }), sign(ledger));
    storage.append(entries);
    await storage.flush();
    expect([...disk.contents().keys()]).toEqual(["ledger_1", "ledger_6"]);
    const bad = { seqno: seqno(8), flags: FLAG_CHUNK_ENDS_AFTER, committable: false, bytes: at(entries, 0).bytes };
    expect(() => storage.append([bad])).toThrow(RangeError);
    expect(storage.lastSeqno).toBe(7);
  });

  test("what it writes verifies", async () => {
    const { storage, disk } = await open();
    storage.append(entriesOf(20));
    storage.commit(seqno(9));
    await storage.close();
    const result = await verifyLedger(memorySource(disk.contents()), { suite });
    expect(result).toMatchObject({ ok: true, entries: 27, signatures: 6, unsigned: 2 });
  });
});

describe("groups", () => {
  test("everything queued while a sync runs shares the next one", async () => {
    const { storage, disk } = await open();
    const entries = fill(createLedger(), 50, 100);
    let release = (): void => undefined;
    let entered = false;
    disk.beforeSync = () => {
      entered = true;
      return new Promise((resolve) => {
        release = resolve;
      });
    };
    storage.append([at(entries, 0)]);
    const first = storage.flush();
    while (!entered) await Promise.resolve();
    disk.beforeSync = async () => undefined;
    const flushes = entries.slice(1).map((entry) => {
      storage.append([entry]);
      return storage.flush();
    });
    release();
    await first;
    await Promise.all(flushes);
    expect(storage.stats).toMatchObject({ syncs: 2, groups: 2, directorySyncs: 1 });
    // Header, first entry, and one write of all the others, as one piece of the slab.
    expect(disk.log.filter((line) => line.startsWith("write"))).toEqual(Array(3).fill("write dir/ledger_1 1"));
  });

  test("a flush resolves only when what was queued before it is durable", async () => {
    const { storage, disk } = await open();
    const entries = fill(createLedger(), 5);
    storage.append(entries);
    await storage.flush();
    const after = await open(disk.crash(() => 0));
    expect(await collect(after.entries)).toEqual(entries.map(({ bytes }) => bytes));
  });

  test("nothing is synced that nobody waits for, but the end of a chunk", async () => {
    const { storage, disk } = await open();
    const entries = entriesOf(4);
    storage.append(entries.slice(0, 3));
    await storage.read(seqno(1), seqno(3));
    expect(storage.stats.syncs).toBe(0);
    storage.append(entries.slice(3));
    await storage.read(seqno(6), seqno(6));
    expect(storage.stats.syncs).toBe(2);
    const order = disk.log.filter((line) => /ledger_1( |$)/.test(line));
    expect(order.slice(-3)).toEqual(["sync dir/ledger_1", "write dir/ledger_1 1", "sync dir/ledger_1"]);
  });

  test("the queue is bounded; one group larger than the bound is taken when nothing waits", async () => {
    const { storage } = await open(new MemoryDisk(), { queueBytesMax: 2_000 });
    const entries = fill(createLedger(), 10, 100);
    storage.append(entries.slice(0, 2));
    expect(codeOf(() => storage.append(entries.slice(2)))).toBe("queue-full");
    expect(storage.lastSeqno).toBe(2);
    await storage.flush();
    storage.append(entries.slice(2));
    await storage.flush();
    expect(storage.lastSeqno).toBe(11);
  });
});

describe("truncate", () => {
  test("cuts inside an open chunk, and a finished one is open again", async () => {
    const { storage, disk } = await open();
    const entries = entriesOf(6);
    storage.append(entries);
    await storage.flush();
    expect([...disk.contents().keys()]).toEqual(["ledger_1", "ledger_6"]);
    storage.truncate(seqno(7));
    storage.truncate(seqno(3));
    await storage.flush();
    expect([...disk.contents().keys()]).toEqual(["ledger_1"]);
    expect(disk.contents().get("ledger_1")).toEqual(
      concatBytes(new Uint8Array(8), ...entries.slice(0, 3).map(({ bytes }) => bytes)),
    );
    storage.append(entries.slice(3));
    await storage.flush();
    const again = await open(disk);
    expect(await collect(again.entries)).toEqual(entries.map(({ bytes }) => bytes));
  });

  test("removes a file that loses all its entries, and everything if asked to", async () => {
    const { storage, disk } = await open();
    const entries = entriesOf(7);
    storage.append(entries);
    storage.truncate(seqno(5));
    await storage.flush();
    expect([...disk.contents().keys()]).toEqual(["ledger_1"]);
    storage.truncate(seqno(0));
    await storage.flush();
    expect(disk.contents().size).toBe(0);
    storage.append(entries);
    await storage.flush();
    expect(storage.lastSeqno).toBe(10);
  });

  test("never cuts below what is committed", async () => {
    const { storage, disk } = await open();
    storage.append(entriesOf(6));
    storage.commit(seqno(7));
    expect(codeOf(() => storage.truncate(seqno(6)))).toBe("committed");
    storage.truncate(seqno(7));
    await storage.flush();
    expect([...disk.contents().keys()]).toEqual(["ledger_6", "ledger_1-5.committed"]);
    const again = await open(disk);
    expect(again.storage.committedSeqno).toBe(5);
    expect(codeOf(() => again.storage.truncate(seqno(4)))).toBe("committed");
    expect(() => again.storage.commit(seqno(8))).toThrow(RangeError);
  });
});

describe("read", () => {
  test("returns any range, over chunks and from the queue, in steps of bounded size", async () => {
    const { storage } = await open();
    const entries = entriesOf(12);
    const bytes = entries.map((entry) => entry.bytes);
    storage.append(entries);
    storage.commit(seqno(10));
    expect(await storage.read(seqno(1), seqno(17))).toEqual(bytes);
    for (let from = 1; from <= 17; from++) {
      for (let to = from; to <= 17; to += 3) {
        expect(
          (await storage.read(seqno(from), seqno(to))).every((entry, index) =>
            equalBytes(entry, at(bytes, from - 1 + index)),
          ),
        ).toBe(true);
      }
    }
    const sizes = bytes.map(({ length }) => length);
    for (const bytesMax of [1, 400, 2_000, 5_000]) {
      const read: Uint8Array[] = [];
      while (read.length < 17) {
        const part = await storage.read(seqno(read.length + 1), seqno(17), bytesMax);
        const total = part.reduce((sum, entry) => sum + entry.length, 0);
        expect(part.length === 1 || total <= bytesMax).toBe(true);
        expect(total).toBeGreaterThanOrEqual(Math.min(bytesMax, at(sizes, read.length)) && at(sizes, read.length));
        read.push(...part);
      }
      expect(read).toEqual(bytes);
    }
  });

  test("refuses what is not there", async () => {
    const { storage } = await open();
    expect(await rejection(storage.read(seqno(1), seqno(1)))).toBe("not-found");
    storage.append(entriesOf(1));
    for (const [from, to] of [
      [0, 1],
      [1, 3],
      [2, 1],
    ] as const) {
      expect(await rejection(storage.read(seqno(from), seqno(to)))).toBe("not-found");
    }
  });

  test("goes on while chunks are renamed and cut", async () => {
    const { storage } = await open();
    const entries = entriesOf(12);
    const bytes = entries.map((entry) => entry.bytes);
    storage.append(entries);
    await storage.flush();
    const reads = [storage.read(seqno(1), seqno(12))];
    storage.commit(seqno(12));
    reads.push(storage.read(seqno(1), seqno(12)));
    storage.truncate(seqno(13));
    reads.push(storage.read(seqno(1), seqno(12)));
    for (const read of await Promise.all(reads)) expect(read).toEqual(bytes.slice(0, 12));
  });

  test("never mixes entries from before and after a truncation that comes in between", async () => {
    const { storage, disk } = await open();
    const ledger = createLedger(small);
    const before = fill(ledger, 6);
    storage.append(before);
    await storage.flush();
    let reads = 0;
    let release = (): void => undefined;
    disk.beforeRead = () => {
      // Each chunk takes two reads: its table and its entries. The last one is held up.
      if (++reads < 4) return Promise.resolve();
      disk.beforeRead = async () => undefined;
      return new Promise((resolve) => {
        release = resolve;
      });
    };
    const read = storage.read(seqno(1), seqno(9));
    while (reads < 4) await Promise.resolve();
    storage.truncate(seqno(3));
    ledger.rollback(seqno(3));
    const after = Array.from({ length: 2 }, (_, index) =>
      ledger.append({ view: view(3), writeSet: put(`k ${index}`, "value") }),
    );
    after.push(sign(ledger, node, view(3)), ledger.append({ view: view(3), writeSet: put("key 4", "value") }));
    after.push(ledger.append({ view: view(3), writeSet: put("key 5", "value") }), sign(ledger, node, view(3)));
    storage.append(after);
    await storage.flush();
    release();
    expect(await read).toEqual([...before.slice(0, 3), ...after].map((entry) => entry.bytes));
  });

  test("says so when a file holds something else than its positions say", async () => {
    const { storage, disk } = await open();
    storage.append(entriesOf(3));
    await storage.flush();
    const bytes = disk.contents().get("ledger_1") ?? new Uint8Array();
    bytes[bytes.length - 8] = (bytes[bytes.length - 8] ?? 0) ^ 1;
    disk.put("dir/ledger_1", bytes);
    const again = await open(disk);
    expect(await rejection(again.storage.read(seqno(3), seqno(4)))).toBe("corrupt");
  });
});

describe("a disk that fails", () => {
  test.each([
    ["write", "ENOSPC", 0],
    ["write", "EIO", 1],
    ["sync", "EIO", 0],
    ["open", "EMFILE", 0],
    ["syncDirectory", "EIO", 0],
  ] as const)(
    "in %s with %s poisons the storage: every waiting and every later call fails",
    async (operation, code, after) => {
      const { storage, disk } = await open();
      const entries = entriesOf(4);
      disk.fault = { operation, code, after };
      storage.append(entries.slice(0, 2));
      const waiting = [storage.flush(), storage.flush()];
      for (const flush of waiting) expect(await rejection(flush)).toBe("storage-failed");
      disk.fault = undefined; // the disk recovers; what it lost, it lost
      expect(codeOf(() => storage.append(entries.slice(2)))).toBe("storage-failed");
      expect(codeOf(() => storage.truncate(seqno(1)))).toBe("storage-failed");
      expect(codeOf(() => storage.commit(seqno(1)))).toBe("storage-failed");
      expect(await rejection(storage.flush())).toBe("storage-failed");
      expect(await rejection(storage.read(seqno(1), seqno(1)))).toBe("storage-failed");
      expect(await rejection(storage.close())).toBe("storage-failed");
    },
  );

  test.each([
    ["rename", (storage: { commit(to: number): void }) => storage.commit(seqno(5))],
    ["truncate", (storage: { truncate(to: number): void }) => storage.truncate(seqno(6))],
    ["remove", (storage: { truncate(to: number): void }) => storage.truncate(seqno(5))],
  ] as const)("in %s poisons the storage", async (operation, act) => {
    const { storage, disk } = await open();
    storage.append(entriesOf(5));
    await storage.flush();
    disk.fault = { operation, code: "EIO", after: 0 };
    act(storage);
    expect(await rejection(storage.flush())).toBe("storage-failed");
    expect(codeOf(() => storage.append([]))).toBe("storage-failed");
  });

  test("also in a read, and at opening", async () => {
    const { storage, disk } = await open();
    storage.append(entriesOf(5));
    await storage.flush();
    disk.fault = { operation: "read", code: "EIO", after: 0 };
    expect(await rejection(storage.read(seqno(1), seqno(2)))).toBe("storage-failed");
    expect(await rejection(storage.flush())).toBe("storage-failed");
    disk.fault = { operation: "list", code: "EACCES", after: 0 };
    expect(await rejection(open(disk))).toBe("storage-failed");
  });
});

test("close makes everything durable; afterwards nothing works", async () => {
  const { storage, disk } = await open();
  const entries = entriesOf(4);
  storage.append(entries);
  await storage.close();
  await storage.close();
  expect(codeOf(() => storage.append([]))).toBe("closed");
  expect(await rejection(storage.flush())).toBe("closed");
  const again = await open(disk.crash(() => 0));
  expect((await collect(again.entries)).map((bytes) => decode({ bytes }).seqno)).toEqual(
    entries.map((entry) => entry.seqno),
  );
});
