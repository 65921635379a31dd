/**
 * Whatever is done to a ledger of 64 KiB is found, and the first bad entry named, or stands in the list of what cannot be found: a sample of
 * the single-bit flips (`tamper-evidence.long.test.ts` tries all 524,288), and every entry and chunk removed, swapped, doubled or cut, with
 * names and positions tables made to fit.
 */
import { describe, expect, test } from "vitest";
import { flip } from "../test/state.js";
import {
  type ChunkParts,
  checkFlips,
  LEDGER_BYTES,
  pack,
  placeOf,
  quickVerifier,
  tamperWorld,
  whyUndetectable,
} from "../test/tamper.js";

const world = tamperWorld();
const { chunks, entries, files, lastSignature, signatures } = world;
const verify = quickVerifier(true);
const blind = quickVerifier(false);

test("the ledger has 64 KiB in five files, and verifies", async () => {
  expect([...files.values()].reduce((sum, { length }) => sum + length, 0)).toBe(LEDGER_BYTES);
  expect(chunks.map(({ finished, committed }) => [finished, committed])).toEqual([
    [true, true],
    [true, true],
    [true, true],
    [true, false],
    [false, false],
  ]);
  for (const one of [verify, blind]) {
    expect(await one(files)).toMatchObject({ ok: true, entries: entries.length, lastSigned: { seqno: lastSignature } });
  }
});

test.each([
  ["with the secrets", true],
  ["without", false],
])("each 2,003rd single-bit flip is found, or known to be beyond finding, %s", async (_, withSecrets) => {
  const { tried, accepted } = await checkFlips(world, withSecrets, 2_003);
  expect(tried).toBe(Math.ceil((8 * LEDGER_BYTES) / 2_003));
  if (withSecrets) expect(accepted).toEqual([]);
});

test("of the flags of all entries two bits can change unseen, at and behind the last signature", async () => {
  const accepted: string[] = [];
  for (const [name, file] of files) {
    for (let byte = 0; byte < file.length; byte++) {
      const place = placeOf(world, name, byte);
      if (place.type !== "entry" || place.byte !== 1) continue;
      for (let bit = 0; bit < 8; bit++) {
        const { ok } = await verify(new Map(files).set(name, flip(file, 8 * byte + bit)));
        if (ok) accepted.push(`entry ${place.seqno}, bit ${bit}: ${whyUndetectable(world, place, bit, true)}`);
      }
    }
  }
  expect(accepted).toEqual([
    `entry ${lastSignature}, bit 0: the flag that ended the chunk of the last signature`,
    `entry ${lastSignature + 1}, bit 1: the flag that would end the chunk before the open one`,
  ]);
});

/** Seqno of a chunk's first entry. */
function firstOf(index: number): number {
  return 1 + chunks.slice(0, index).reduce((sum, chunk) => sum + chunk.entries.length, 0);
}

/** The chunks with the entries of each changed by `edit`, which gets every entry's seqno. */
function edited(edit: (bytes: Uint8Array, seqno: number) => readonly Uint8Array[]): Map<string, Uint8Array> {
  let seqno = 0;
  return pack(chunks.map((chunk) => ({ ...chunk, entries: chunk.entries.flatMap((bytes) => edit(bytes, ++seqno)) })));
}

/** Refused with and without secrets, at `seqno`. */
async function expectRefused(changed: Map<string, Uint8Array>, seqno: number): Promise<void> {
  for (const one of [verify, blind]) {
    const result = await one(changed);
    expect(result).toMatchObject({ ok: false, at: { seqno } });
  }
}

describe("entries", () => {
  const bytesOf = (seqno: number) => entries[seqno - 1]?.bytes ?? new Uint8Array();

  test("each one removed: the next stands in its place; only the last can go unseen", async () => {
    const ends = chunks.map((_, index) => firstOf(index + 1) - 1);
    for (let gone = 1; gone < entries.length; gone++) {
      // Without its signature a finished chunk ends wrongly, which is said of its last entry.
      const at = ends.includes(gone) ? gone - 1 : gone;
      await expectRefused(
        edited((bytes, seqno) => (seqno === gone ? [] : [bytes])),
        at,
      );
    }
    const cut = edited((bytes, seqno) => (seqno === entries.length ? [] : [bytes]));
    expect(await verify(cut)).toMatchObject({ ok: true, entries: entries.length - 1 });
  });

  test("each two neighbours swapped", async () => {
    for (let at = 1; at < entries.length; at++) {
      const swap = (bytes: Uint8Array, seqno: number) =>
        seqno === at ? [bytesOf(at + 1)] : seqno === at + 1 ? [bytesOf(at)] : [bytes];
      await expectRefused(edited(swap), at);
    }
  });

  test("each one doubled", async () => {
    for (let at = 1; at <= entries.length; at++) {
      await expectRefused(
        edited((bytes, seqno) => (seqno === at ? [bytes, bytes] : [bytes])),
        at + 1,
      );
    }
  });

  test("each one replaced by each other one", async () => {
    for (let at = 1; at <= entries.length; at++) {
      const other = 1 + ((at + 6) % entries.length);
      await expectRefused(
        edited((bytes, seqno) => (seqno === at ? [bytesOf(other)] : [bytes])),
        at,
      );
    }
  });

  test("each one cut short, by a byte, by half, to its header", async () => {
    for (let at = 1; at <= entries.length; at++) {
      for (const kept of [bytesOf(at).length - 1, Math.floor(bytesOf(at).length / 2), 8, 1]) {
        const result = await verify(edited((bytes, seqno) => (seqno === at ? [bytes.subarray(0, kept)] : [bytes])));
        // The bytes of the next entry then stand in its body, so its own tag or frame is wrong; of the last, the file ends.
        expect(result).toMatchObject({ ok: false, at: { seqno: at } });
      }
    }
  });
});

describe("chunks", () => {
  const without = (gone: number) => chunks.filter((_, index) => index !== gone);
  test("each one removed, with the names of the others made to fit, and as they are", async () => {
    for (let gone = 0; gone < chunks.length - 1; gone++) {
      await expectRefused(pack(without(gone)), firstOf(gone));
      const name = [...files.keys()][gone];
      await expectRefused(
        new Map([...files].filter(([file]) => file !== name)),
        gone === 0 ? firstOf(1) : firstOf(gone),
      );
    }
  });

  test("each two swapped", async () => {
    for (let at = 0; at < chunks.length - 1; at++) {
      const swapped = [...chunks];
      swapped.splice(at, 2, ...swapped.slice(at, at + 2).reverse());
      await expectRefused(pack(swapped), firstOf(at));
    }
  });

  test("each one doubled, behind itself and under another name", async () => {
    for (let at = 0; at < chunks.length; at++) {
      const doubled = [...chunks];
      doubled.splice(at, 0, ...doubled.slice(at, at + 1));
      const seqno = chunks[at]?.finished === true ? firstOf(at + 1) : firstOf(at); // nothing follows an open chunk
      expect(await verify(pack(doubled))).toMatchObject({ ok: false, at: { seqno } });
    }
  });

  test("two joined into one, or one split where no entry says so", async () => {
    const [first, second, ...rest] = chunks;
    if (first === undefined || second === undefined) throw new Error("there are five");
    const joined = { ...second, entries: [...first.entries, ...second.entries] };
    await expectRefused(pack([joined, ...rest]), firstOf(1));
    for (let at = 1; at < first.entries.length; at++) {
      const parts = [first.entries.slice(0, at), first.entries.slice(at)].map((part) => ({ ...first, entries: part }));
      // §1.3: real ledgers have chunks that end at a signature without a flag; so that split is one a reader must take.
      if (signatures.includes(at)) expect(await verify(pack([...parts, second, ...rest]))).toMatchObject({ ok: true });
      else await expectRefused(pack([...parts, second, ...rest]), at);
    }
  });

  test("each file cut at any length: found, unless it is the open one and the cut is between two entries", async () => {
    const boundaries = new Set<number>();
    let offset = 8;
    for (const { length } of chunks.at(-1)?.entries ?? []) {
      offset += length;
      boundaries.add(offset);
    }
    for (const [name, file] of files) {
      const isOpen = name === [...files.keys()].at(-1);
      for (let length = 0; length < file.length; length += length < 70 || length > file.length - 70 ? 1 : 331) {
        const result = await verify(new Map(files).set(name, file.subarray(0, length)));
        expect(result.ok).toBe(isOpen && boundaries.has(length));
        if (!result.ok)
          expect([name, [...files.keys()][[...files.keys()].indexOf(name) + 1]]).toContain(result.at.file);
      }
    }
  });
});

test("what no file can show: entries missing at the end, whole chunks too", async () => {
  const flat: { bytes: Uint8Array; chunk: ChunkParts }[] = chunks.flatMap((chunk) =>
    chunk.entries.map((bytes) => ({ bytes, chunk })),
  );
  for (let kept = 1; kept < entries.length; kept++) {
    const left = chunks.map((chunk) => {
      const part = chunk.entries.filter((bytes) => flat.findIndex((one) => one.bytes === bytes) < kept);
      return { ...chunk, entries: part, finished: chunk.finished && part.length === chunk.entries.length };
    });
    const closed = left.map((chunk) => ({ ...chunk, committed: chunk.committed && chunk.finished }));
    const result = await verify(pack(closed));
    // Only what it says was signed last tells it from the whole: compare that with a transaction known to be committed.
    expect(result).toMatchObject({ ok: true, entries: kept });
    const signed = signatures.findLast((at) => at <= kept);
    expect(result.ok && result.lastSigned?.seqno).toBe(signed);
  }
});
