import { concatBytes, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { at, codeOf, createLedger, decode, fill, put, V2 } from "../../test/fixture.js";
import { LedgerError } from "../errors.js";
import { MemoryDisk } from "../testing/memory-disk.js";
import { openLedger } from "./node-ledger.js";

const entries = fill(createLedger({ chunkBytes: 1 }), 6); // genesis, 3 writes, signature | 3 writes, signature
const bytes = entries.map((entry) => entry.bytes);
const header = (offset: number) => {
  const made = new Uint8Array(8);
  new DataView(made.buffer).setUint32(0, offset, true);
  return made;
};
const table = (parts: readonly Uint8Array[]) => {
  let offset = 8;
  return concatBytes(
    ...parts.map((part) => {
      const position = header(offset).subarray(0, 4);
      offset += part.length;
      return position;
    }),
  );
};
const sizeOf = (parts: readonly Uint8Array[]) => parts.reduce((sum, { length }) => sum + length, 8);
const openFile = (parts: readonly Uint8Array[]) => concatBytes(new Uint8Array(8), ...parts);
const finishedFile = (parts: readonly Uint8Array[]) => concatBytes(header(sizeOf(parts)), ...parts, table(parts));
const first = finishedFile(bytes.slice(0, 5));

const isWhole = (bytes: Uint8Array) => codeOf(() => decode({ bytes })) === "no error";

async function open(files: Record<string, Uint8Array>, options = {}) {
  const disk = new MemoryDisk();
  for (const [name, content] of Object.entries(files)) disk.put(`dir/${name}`, content);
  try {
    const opened = await openLedger("dir", { disk, ...options });
    return { last: opened.storage.lastSeqno, repaired: opened.repairedBytes, names: [...disk.contents().keys()], disk };
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    // Refusing changes nothing.
    for (const [name, content] of Object.entries(files)) expect(disk.contents().get(name)).toEqual(content);
    return error.code;
  }
}

describe("opening", () => {
  test("an empty directory gives an empty ledger", async () => {
    expect(await open({})).toMatchObject({ last: 0, repaired: 0 });
  });

  test("chunks in any of their forms are put in order; other files and files set aside are left alone", async () => {
    const files = {
      ledger_6: openFile(bytes.slice(5, 7)),
      "ledger_1-5.committed": first,
      "ledger_9-12.committed.ignored": new Uint8Array(1),
      "ledger_9.recovery": new Uint8Array(1),
      "node.json": new Uint8Array(1),
    };
    expect(await open(files)).toMatchObject({ last: 7, repaired: 0 });
    expect(await open({ "ledger_1-5": first })).toMatchObject({ last: 5 });
  });

  test.each([
    ["a gap between files", { "ledger_1-5.committed": first, ledger_7: openFile(bytes.slice(6, 7)) }],
    ["two files for one entry", { "ledger_1-5.committed": first, ledger_1: first }],
    ["a name no writer produces", { ledger_one: first }],
    ["a name with another last entry", { "ledger_1-6.committed": first }],
    ["a committed chunk without a table", { "ledger_1-2.committed": openFile(bytes.slice(0, 2)) }],
    ["an open chunk before another", { ledger_1: openFile(bytes.slice(0, 5)), ledger_6: openFile(bytes.slice(5, 6)) }],
    [
      "a committed chunk after one that is not",
      { ledger_1: first, "ledger_6-9.committed": finishedFile(bytes.slice(5)) },
    ],
    ["a table beyond the file", { ledger_1: concatBytes(header(9_999_999), ...bytes.slice(0, 5)) }],
    ["a table that is no multiple of 4", { ledger_1: concatBytes(first, new Uint8Array(1)) }],
    [
      "a finished file without a table",
      { ledger_1: concatBytes(header(sizeOf(bytes.slice(0, 5))), ...bytes.slice(0, 5)) },
    ],
    [
      "an unreadable entry before the tail",
      { ledger_1: openFile([at(bytes, 0).map((byte, index) => (index === 0 ? 7 : byte)), at(bytes, 1)]) },
    ],
    ["entries of another place", { ledger_1: openFile(bytes.slice(1, 3)) }],
    ["entries behind the end of a chunk", { ledger_1: openFile(bytes.slice(0, 6)) }],
  ])("%s is refused as corrupt, and nothing is changed", async (_title, files) => {
    expect(await open(files)).toBe("corrupt");
  });
});

describe("a torn tail is cut off", () => {
  const whole = openFile(bytes.slice(0, 3));
  const kept = sizeOf(bytes.slice(0, 2));

  test("wherever the file ends inside an entry", async () => {
    for (let length = kept; length < whole.length; length += 7) {
      const result = await open({ ledger_1: whole.subarray(0, length) });
      expect(result).toMatchObject({ last: 2, repaired: length - kept });
      if (typeof result !== "string") expect(result.disk.contents().get("ledger_1")).toEqual(whole.subarray(0, kept));
    }
  });

  test("when sectors of it were never written, wherever they begin in an entry's frame", async () => {
    const padded = concatBytes(whole.subarray(0, kept), new Uint8Array(4_096));
    expect(await open({ ledger_1: padded })).toMatchObject({ last: 2, repaired: 4_096 });
    for (let lost = 0; lost < 44; lost++) {
      const ledger = createLedger();
      const overhead = 8 + ledger.append({ view: V2, writeSet: put("k", "") }).bytes.length;
      ledger.rollback(seqno(0));
      const length = 1_024 - lost - overhead; // so that a sector begins `lost` bytes into the second entry
      const parts = [put("k", "x".repeat(length)), put("k", "y")].map(
        (writeSet) => ledger.append({ view: view(3), writeSet }).bytes,
      );
      const file = openFile(parts);
      expect((sizeOf(parts.slice(0, 1)) + lost) % 512).toBe(0);
      file.fill(0, 1_024);
      // From the second byte of the seqno on, the frame alone does not show that anything is missing: see isIntact.
      expect(await open({ ledger_1: file })).toMatchObject({ last: lost <= 24 ? 1 : 2 });
      expect(await open({ ledger_1: file }, { isIntact: (bytes: Uint8Array) => isWhole(bytes) })).toMatchObject({
        last: 1,
      });
    }
  });

  test("also above entries that are refused by isIntact, and never at or below what had been durable", async () => {
    const isIntact = (entry: Uint8Array) => decode({ bytes: entry }).seqno !== 2;
    expect(await open({ ledger_1: whole }, { isIntact })).toMatchObject({ last: 1 });
    expect(await open({ ledger_1: whole }, { isIntact, durable: seqno(2) })).toMatchObject({ last: 3 });
    expect(await open({ ledger_1: whole.subarray(0, -1) }, { durable: seqno(2) })).toMatchObject({ last: 2 });
    expect(await open({ ledger_1: whole.subarray(0, -1) }, { durable: seqno(3) })).toBe("corrupt");
    expect(await open({ "ledger_1-5.committed": first }, { durable: seqno(6) })).toBe("corrupt");
  });

  test("a file whose creation or only entry was torn is removed", async () => {
    for (const content of [
      new Uint8Array(),
      new Uint8Array(5),
      new Uint8Array(8),
      openFile([at(bytes, 5).subarray(0, 20)]),
    ]) {
      expect(await open({ "ledger_1-5.committed": first, ledger_6: content })).toMatchObject({
        last: 5,
        names: ["ledger_1-5.committed"],
      });
    }
  });

  test("a chunk that was being finished is finished, whatever part of its table was written", async () => {
    const body = openFile(bytes.slice(0, 5));
    const positions = table(bytes.slice(0, 5));
    for (let length = 0; length <= positions.length; length++) {
      for (const part of [positions.subarray(0, length), new Uint8Array(length)]) {
        const result = await open({ ledger_1: concatBytes(body, part) });
        expect(result).toMatchObject({ last: 5 });
        if (typeof result !== "string") expect(result.disk.contents().get("ledger_1")).toEqual(first);
      }
    }
  });
});

describe("a ledger that goes on from a snapshot", () => {
  /** Entries of a whole ledger, and a second copy of it that starts behind entry 9. */
  function world() {
    const ledger = createLedger({ chunkBytes: 1 });
    return { ledger, entries: fill(ledger, 9) };
  }

  test("starts an empty directory behind it", async () => {
    const { entries } = world();
    const disk = new MemoryDisk();
    const { storage } = await openLedger("dir", { disk, snapshot: seqno(9) });
    expect([storage.firstSeqno, storage.lastSeqno, storage.committedSeqno]).toEqual([10, 9, 9]);
    expect(() => storage.append(entries.slice(0, 1))).toThrow(RangeError);
    storage.append(entries.slice(9));
    await storage.flush();
    expect(() => storage.startAfter(seqno(5))).toThrow(RangeError);
    storage.commit(seqno(13));
    await storage.close();
    expect([...disk.contents().keys()]).toEqual(["ledger_10-13.committed"]);
    await expect(openLedger("empty", { disk: new MemoryDisk(), durable: seqno(9) })).rejects.toMatchObject({
      code: "corrupt",
    });
    await openLedger("empty", { disk: new MemoryDisk(), durable: seqno(9), snapshot: seqno(9) });
  });

  test("opens again where it starts, and is read from the snapshot on", async () => {
    const { entries } = world();
    const disk = new MemoryDisk();
    const { storage } = await openLedger("dir", { disk });
    storage.startAfter(seqno(9));
    storage.append(entries.slice(9));
    await storage.close();
    const again = await openLedger("dir", { disk, durable: seqno(13), snapshot: seqno(9) });
    expect([again.storage.firstSeqno, again.storage.lastSeqno]).toEqual([10, 13]);
    const found: Uint8Array[] = [];
    for await (const bytes of again.entriesFrom(seqno(12))) found.push(bytes);
    expect(found).toEqual(entries.slice(11).map(({ bytes }) => bytes));
    for await (const _ of again.entriesFrom(seqno(14))) throw new Error("there is none");
    for (const from of [9, 15]) expect(() => again.entriesFrom(seqno(from))).toThrow(RangeError);
    await again.storage.close();
  });
});
