/** A node's storage under each fault of a disk: found at once, or when it is opened again; never taken for something else. */
import { concatBytes, equalBytes, seqno } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { codeOf, createLedger, decode, fill, node, secrets, suite, V2 } from "../../test/fixture.js";
import { LedgerError } from "../errors.js";
import type { LedgerEntry } from "../ledger.js";
import { memorySource } from "../ledger-source.js";
import type { LedgerStorage } from "../ledger-storage.js";
import { verifyLedger } from "../verify-ledger.js";
import { MemoryDisk } from "./memory-disk.js";
import { memoryLedger } from "./memory-ledger.js";

const isIntact = (bytes: Uint8Array) => codeOf(() => decode({ bytes })) === "no error";
/** The first chunk ends with entry 4; all that follows is in an open one. */
const ledger = createLedger();
const entries: readonly LedgerEntry[] = [
  ...fill(ledger, 2, 9),
  ledger.appendSignature({ view: V2, ...node, endsChunk: true }),
  ...fill(ledger, 6),
];
const half = entries.slice(0, 4);
const rest = entries.slice(4);

async function reopened(disk: MemoryDisk, durable = 0): Promise<Uint8Array[]> {
  const { storage, entries: found } = await memoryLedger(disk, { isIntact, durable: seqno(durable) });
  const bytes: Uint8Array[] = [];
  for await (const entry of found) bytes.push(entry);
  await storage.close();
  return bytes;
}

function expectPrefix(found: readonly Uint8Array[], least: number): void {
  expect(found.length).toBeGreaterThanOrEqual(least);
  for (const [index, bytes] of found.entries()) {
    const { bytes: written = new Uint8Array() } = entries[index] ?? {};
    expect(equalBytes(bytes, written)).toBe(true);
  }
}

/** The first half durable, the second only queued and written. */
async function written(options = {}): Promise<{ disk: MemoryDisk; storage: LedgerStorage }> {
  const disk = new MemoryDisk();
  const { storage } = await memoryLedger(disk, { tailBytesMax: 0, ...options });
  storage.append(half);
  await storage.flush();
  storage.append(rest);
  await storage.read(seqno(12), seqno(12)); // so the system has it
  return { disk, storage };
}

test("it is a storage like that of files", async () => {
  const { disk, storage } = await written();
  expect([storage.firstSeqno, storage.lastSeqno, storage.committedSeqno]).toEqual([1, 12, 0]);
  storage.commit(seqno(12));
  await storage.close();
  const source = memorySource(disk.contents());
  expect(await verifyLedger(source, { suite, secrets })).toMatchObject({ ok: true, entries: 12 });
  expectPrefix(await reopened(disk, 12), 12);
});

test("power fails: what was flushed is there, what was not may be lost, torn, or there in another order", async () => {
  const lengths = new Set<number>();
  for (let seed = 1; seed < 60; seed++) {
    let state = seed * 7_919;
    const random = () => {
      state = (state * 16_807) % 0x7fff_ffff;
      return state / 0x7fff_ffff;
    };
    const { disk } = await written();
    const found = await reopened(disk.crash(random), 4);
    expectPrefix(found, 4);
    lengths.add(found.length);
  }
  expect(lengths.size).toBeGreaterThan(2);
});

test("everything not synced is lost", async () => {
  const { disk } = await written();
  expectPrefix(await reopened(disk.crash(() => 0)), 4);
  // Sectors and changes drawn as kept: nothing was lost.
  expectPrefix(await reopened(disk.crash(() => 0.49)), 4);
});

describe("an operation fails", () => {
  test.each([
    ["sync", "EIO"],
    ["write", "ENOSPC"],
    ["open", "EMFILE"],
    ["syncDirectory", "EIO"],
  ] as const)(
    "%s with %s: the storage is poisoned, the disk opens again with what was durable",
    async (operation, code) => {
      const disk = new MemoryDisk();
      const { storage } = await memoryLedger(disk, { tailBytesMax: 0 });
      storage.append(half);
      await storage.flush();
      disk.fault = { operation, code };
      storage.append(rest);
      await expect(storage.flush()).rejects.toMatchObject({ code: "storage-failed" });
      disk.fault = undefined;
      expect(codeOf(() => storage.append([]))).toBe("storage-failed");
      expectPrefix(await reopened(disk, 4), 4);
    },
  );

  test("a disk that fills up in the middle of a write keeps the first part of it", async () => {
    for (const bytes of [1, 40, 300, 900]) {
      const disk = new MemoryDisk();
      const { storage } = await memoryLedger(disk);
      storage.append(half);
      await storage.flush();
      disk.fault = { operation: "write", code: "ENOSPC", bytes, times: 1 };
      storage.append(rest);
      await expect(storage.flush()).rejects.toMatchObject({ code: "storage-failed" });
      expectPrefix(await reopened(disk, 4), 4);
    }
  });

  test("a read that fails poisons; one that fails once fails for good", async () => {
    const { disk, storage } = await written();
    disk.fault = { operation: "read", code: "EIO", times: 1 };
    await expect(storage.read(seqno(1), seqno(2))).rejects.toMatchObject({ code: "storage-failed" });
    await expect(storage.read(seqno(1), seqno(2))).rejects.toMatchObject({ code: "storage-failed" });
  });
});

describe("media rot", () => {
  test("a flipped bit is found by whoever decodes the entry, or by the storage", async () => {
    const { disk, storage } = await written();
    await storage.close();
    const [name = ""] = disk.contents().keys();
    const size = disk.contents().get(name)?.length ?? 0;
    for (let bit = 3; bit < 8 * size; bit += 997) {
      const rotten = disk.crash(() => 0); // closed, so all is durable: a copy
      rotten.rot(`ledger/${name}`, bit);
      const result = await verifyLedger(memorySource(rotten.contents()), { suite, secrets });
      expect(result.ok).toBe(false);
      const found = await reopened(rotten, 12).catch((error: unknown) => error);
      if (found instanceof LedgerError) expect(found.code).toBe("corrupt");
      else expect(Array.isArray(found) && found.some((bytes) => !isIntact(bytes))).toBe(true);
    }
    expect(() => disk.rot("ledger/none", 0)).toThrow(RangeError);
  });

  test("a file cut short below what was durable is refused, and left as it is", async () => {
    const { disk, storage } = await written();
    await storage.close();
    const name = [...disk.contents().keys()].at(-1) ?? "";
    const size = disk.contents().get(name)?.length ?? 0;
    for (const cut of [0, 5, 9, size - 1]) {
      const shorter = disk.crash(() => 0);
      shorter.cut(`ledger/${name}`, cut);
      const before = shorter.contents();
      await expect(reopened(shorter, 12)).rejects.toMatchObject({ code: "corrupt" });
      expect(concatBytes(...shorter.contents().values()).length).toBeLessThanOrEqual(
        concatBytes(...before.values()).length,
      );
    }
  });

  test("media that lie about a sync lose what was promised; that is seen when it is known to have been durable", async () => {
    const disk = new MemoryDisk();
    const { storage } = await memoryLedger(disk);
    storage.append(half);
    await storage.flush();
    disk.syncLies = true;
    storage.append(rest);
    await storage.flush();
    await expect(
      reopened(
        disk.crash(() => 0),
        12,
      ),
    ).rejects.toMatchObject({ code: "corrupt" });
  });
});
