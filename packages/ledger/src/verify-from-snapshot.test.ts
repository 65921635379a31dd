/** Verifying a ledger whose first entries are gone, and the snapshots beside it (ledger spec §10.3). */
import { pemEncode } from "@sealane/crypto";
import { concatBytes, equalBytes, seqno, utf8 } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import {
  createLedger,
  createService,
  decode,
  fill,
  node,
  put,
  secrets,
  servicePem,
  sign,
  suite,
  V2,
} from "../test/fixture.js";
import { entriesOf, flip, type ProvenSnapshot, proveSnapshot, stateOf, takeSnapshot } from "../test/state.js";
import { receiptOf } from "./build-receipt.js";
import { ledgerFigures } from "./figures/ledger-figures.js";
import { archiveBelow } from "./files/archive.js";
import { ledgerDirectory, snapshotDirectory } from "./files/ledger-directory.js";
import { openLedger } from "./files/node-ledger.js";
import type { LedgerEntry } from "./ledger.js";
import { memorySource } from "./ledger-source.js";
import { encodeSnapshot } from "./snapshot/encode-snapshot.js";
import { MemoryDisk } from "./testing/memory-disk.js";
import { verifyLedger } from "./verify-ledger.js";

type Files = Map<string, Uint8Array>;

/**
 * Chunks 1–5, 6–9, 10–11 (evidence of the snapshot at 9 and its signature), 12–15, and an open one with the evidence of the snapshot at 15.
 * @param endsChunks - Otherwise entries 1 to 15 are one chunk but for the last two.
 */
async function world() {
  const ledger = createLedger({ chunkBytes: 1 });
  const entries: LedgerEntry[] = fill(ledger, 6);
  const snapshots: ProvenSnapshot[] = [];
  const snapshot = () => {
    const proven = proveSnapshot(ledger);
    snapshots.push(proven);
    entries.push(proven.evidence, proven.signature);
  };
  snapshot();
  for (let index = 0; index < 3; index++)
    entries.push(ledger.append({ view: V2, writeSet: put("late", `${index}`, "public:late") }));
  entries.push(sign(ledger));
  snapshot();
  entries.push(ledger.append({ view: V2, writeSet: put("last", "one") }));
  const disk = new MemoryDisk();
  const { storage } = await openLedger("dir", { disk });
  storage.append(entries);
  storage.commit(seqno(15));
  await storage.close();
  const first = (name: string) => Number(/\d+/.exec(name)?.[0]);
  const files = new Map([...disk.contents()].sort(([a], [b]) => first(a) - first(b)));
  const named = snapshots.map((one) => [`snapshot_${one.seqno}_${one.evidence.seqno}.committed`, one.file] as const);
  return { ledger, entries, snapshots, files, beside: new Map<string, Uint8Array>(named) };
}

const { ledger, files, beside, snapshots } = await world();
const without = (...names: string[]): Files => new Map([...files].filter(([name]) => !names.includes(name)));
const late = () => without("ledger_1-5.committed", "ledger_6-9.committed");

async function verify(chunks: Files, snapshotFiles: Files = beside, options = {}) {
  const snapshotSource = memorySource(snapshotFiles);
  return verifyLedger(memorySource(chunks), { suite, secrets, snapshots: snapshotSource, ...options });
}

test("the files are as the tests below expect", () => {
  expect([...files.keys()]).toEqual([
    "ledger_1-5.committed",
    "ledger_6-9.committed",
    "ledger_10-11.committed",
    "ledger_12-15.committed",
    "ledger_16",
    "ledger_18",
  ]);
  expect([...beside.keys()]).toEqual(["snapshot_9_10.committed", "snapshot_15_16.committed"]);
});

test("a whole ledger holds its snapshots", async () => {
  expect(await verify(files)).toMatchObject({ ok: true, entries: 18, firstSeqno: 1, snapshots: 2 });
  expect((await verify(files)) as object).not.toHaveProperty("base");
});

describe("a ledger that starts right behind a snapshot", () => {
  test.each([{ secrets }, { secrets: undefined }])("holds by it", async (options) => {
    expect(await verify(late(), beside, options)).toMatchObject({
      ok: true,
      entries: 9,
      firstSeqno: 10,
      base: { seqno: 9, file: "snapshot_9_10.committed" },
      snapshots: 2,
      lastSigned: { seqno: 17 },
      unsigned: 1,
      root: ledger.root(),
      signatures: 3,
    });
  });

  test("needs one", async () => {
    const newer = new Map([...beside].slice(1));
    expect(await verify(late(), new Map())).toMatchObject({ ok: false, code: "gap" });
    const result = await verify(
      without("ledger_1-5.committed", "ledger_6-9.committed", "ledger_10-11.committed"),
      new Map([...beside].slice(0, 1)),
    );
    expect(result).toMatchObject({ ok: false, code: "gap", at: { seqno: 12 } });
    // Entries 10 to 15 are then held to the newer snapshot's tree.
    expect(await verify(late(), newer)).toMatchObject({
      ok: true,
      entries: 9,
      base: { seqno: 15 },
      lastSigned: { seqno: 17 },
    });
  });

  test("must be the service's that was given", async () => {
    expect(await verify(late(), beside, { serviceCertificate: servicePem })).toMatchObject({ ok: true });
    const serviceCertificate = pemEncode("CERTIFICATE", createService("another").certificate);
    expect(await verify(late(), beside, { serviceCertificate })).toMatchObject({ ok: false, code: "other-service" });
  });

  test("must reach the snapshot", async () => {
    const cut = new Map([...late()].slice(0, 1));
    expect(await verify(cut, new Map([...beside].slice(1)))).toMatchObject({ ok: false, code: "gap" });
  });

  test("has figures, with the state of the snapshot to begin with", async () => {
    const whole = ledgerFigures(memorySource(files), { suite, secrets, snapshots: memorySource(beside) });
    const part = ledgerFigures(memorySource(late()), { suite, secrets, snapshots: memorySource(beside) });
    const held = ledgerFigures(memorySource(late()), {
      suite,
      secrets,
      snapshots: memorySource(new Map([...beside].slice(1))),
    });
    const results = [];
    for (const lines of [whole, part, held]) {
      let step = await lines.next();
      while (step.done !== true) step = await lines.next();
      if (!step.value.ok) throw new Error(step.value.message);
      results.push(step.value.figures);
    }
    const [of, ...others] = results;
    for (const figures of others) {
      expect(figures).toMatchObject({
        public_state_digest: of?.public_state_digest,
        private_state_digest: of?.private_state_digest,
        public_state: of?.public_state,
        root_after_all: of?.root_after_all,
        transactions: 9,
      });
    }
    expect(others.map(({ base }) => base?.seqno)).toEqual([9, 15]);
    expect(of).not.toHaveProperty("base");
  });
});

describe("entries from before the snapshot, in the chunks that are still there,", () => {
  const from6 = () => without("ledger_1-5.committed");
  const newest = new Map([...beside].slice(1));

  test("are held to its tree", async () => {
    expect(await verify(from6(), beside)).toMatchObject({ ok: true, firstSeqno: 6, base: { seqno: 9 }, entries: 13 });
    expect(await verify(from6(), newest)).toMatchObject({ ok: true, firstSeqno: 6, base: { seqno: 15 }, entries: 13 });
  });

  test("are refused at the first that was changed, secrets or not", async () => {
    const chunk = files.get("ledger_6-9.committed") ?? new Uint8Array();
    // Byte 1,000 is in the signature entry; the write before it starts at 8.
    for (const [byte, at] of [
      [60, 6],
      [20, 6],
    ] as const) {
      const changed = new Map(from6()).set("ledger_6-9.committed", flip(chunk, 8 * byte));
      for (const snapshotFiles of [beside, newest]) {
        const result = await verify(changed, snapshotFiles);
        expect(result).toMatchObject({ ok: false, at: { seqno: at, file: "ledger_6-9.committed" } });
        const blind = await verify(changed, snapshotFiles, { secrets: undefined });
        expect(blind).toMatchObject({ ok: false });
      }
    }
  });

  test("are refused when another ledger's stand there", async () => {
    const other = createLedger({ chunkBytes: 1 });
    const entries = fill(other, 6);
    const disk = new MemoryDisk();
    const { storage } = await openLedger("dir", { disk });
    storage.append(entries);
    storage.commit(seqno(9));
    await storage.close();
    const foreign = disk.contents().get("ledger_6-9.committed") ?? new Uint8Array();
    const changed = new Map(from6()).set("ledger_6-9.committed", foreign);
    expect(await verify(changed)).toMatchObject({ ok: false, code: "root-mismatch", at: { seqno: 9 } });
  });
});

describe("a snapshot is refused", () => {
  const name = "snapshot_15_16.committed";
  const with15 = (file: Uint8Array, as = name) => new Map([...beside].slice(0, 1)).set(as, file);

  test.each<[string, Map<string, Uint8Array>]>([
    ["that is empty", with15(new Uint8Array())],
    ["that was cut", with15(snapshots[1]?.file.subarray(0, -1) ?? new Uint8Array())],
    ["without its receipt", with15(snapshots[1]?.bytes ?? new Uint8Array())],
    [
      "with another's receipt",
      with15(concatBytes(snapshots[1]?.bytes ?? new Uint8Array(), snapshots[0]?.receipt ?? new Uint8Array())),
    ],
    ["under another's name", with15(snapshots[0]?.file ?? new Uint8Array())],
    [
      "of another evidence than its name says",
      with15(snapshots[1]?.file ?? new Uint8Array(), "snapshot_15_17.committed"),
    ],
  ])("%s", async (_, snapshotFiles) => {
    for (const chunks of [files, late()]) {
      const result = await verify(chunks, snapshotFiles);
      expect(result).toMatchObject({ ok: false, at: { file: [...snapshotFiles.keys()].at(-1) } });
    }
  });

  test("of another ledger of the same service", async () => {
    const other = createLedger();
    fill(other, 6);
    const foreign = proveSnapshot(other);
    const mixed = new Map([["snapshot_9_10.committed", foreign.file]]);
    expect(await verify(files, mixed)).toMatchObject({ ok: false, code: "bad-snapshot" });
    expect(await verify(late(), mixed)).toMatchObject({ ok: false, code: "root-mismatch", at: { seqno: 11 } });
  });

  /** A ledger, not yet in files, and a snapshot beside it. */
  async function verifyOne(made: readonly LedgerEntry[], name: string, file: Uint8Array) {
    const chunk = concatBytes(new Uint8Array(8), ...made.map(({ bytes }) => bytes));
    return verify(new Map([["ledger_1", chunk]]), new Map([[name, file]]));
  }

  test("with another leaf than the ledger's, although the ledger has its evidence", async () => {
    const again = createLedger();
    const entries = fill(again, 3);
    const wrong = encodeSnapshot(suite, secrets, {
      seqno: seqno(5),
      leaf: new Uint8Array(32),
      viewHistory: [1, 1],
      maps: stateOf(entriesOf(again)),
    });
    const { evidence, signature, file } = proveSnapshot(again, wrong);
    const result = await verifyOne([...entries, evidence, signature], "snapshot_5_6.committed", file);
    expect(result).toMatchObject({ ok: false, code: "bad-snapshot" });
  });

  test("whose digest an application claimed for someone, in a transaction that is no evidence", async () => {
    const other = createLedger();
    const made = fill(other, 3);
    const forged = takeSnapshot(
      other,
      stateOf(entriesOf(other)).filter(({ name }) => name !== "records"),
    );
    const claim = other.append({ view: V2, writeSet: put("k", "v"), claimsDigest: forged.digest });
    const signature = sign(other);
    const { json } = receiptOf(decode(claim), decode(signature), { suite, secrets });
    const file = concatBytes(forged.bytes, utf8(JSON.stringify(json)));
    const result = await verifyOne([...made, claim, signature], "snapshot_5_6.committed", file);
    expect(result).toMatchObject({ ok: false, code: "bad-snapshot" });
  });

  test("provisional ones are passed over", async () => {
    const result = await verify(files, new Map([["snapshot_9_10", new Uint8Array(3)]]));
    expect(result).toMatchObject({ ok: true, snapshots: 0 });
  });
});

describe("archiving", () => {
  function onDisk(chunks: Files = files, snapshotFiles: Files = beside): MemoryDisk {
    const disk = new MemoryDisk();
    for (const [name, bytes] of chunks) disk.put(`ledger/${name}`, bytes);
    for (const [name, bytes] of snapshotFiles) disk.put(`snapshots/${name}`, bytes);
    return disk;
  }
  const options = (disk: MemoryDisk) => ({ suite, secrets, snapshots: "snapshots", disk });

  test("moves what lies whole below the oldest snapshot, and what is left verifies", async () => {
    const disk = onDisk();
    const result = await archiveBelow("ledger", "archive", options(disk));
    expect(result).toEqual({
      moved: ["ledger_1-5.committed", "ledger_6-9.committed"],
      firstSeqno: 10,
      snapshot: { name: "snapshot_9_10.committed", seqno: 9 },
    });
    const left = verifyLedger(ledgerDirectory("ledger", disk), {
      suite,
      snapshots: snapshotDirectory("snapshots", disk),
    });
    expect(await left).toMatchObject({ ok: true, firstSeqno: 10 });
    const both = new Map([...disk.contents("archive"), ...disk.contents("ledger")]);
    expect(await verify(both)).toMatchObject({ ok: true, entries: 18 });
    expect(await archiveBelow("ledger", "archive", options(disk))).toMatchObject({ moved: [], firstSeqno: 10 });
  });

  test("stops where it is told, and at the last chunk", async () => {
    const disk = onDisk();
    const below = await archiveBelow("ledger", "archive", { ...options(disk), below: seqno(9) });
    expect(below).toMatchObject({ moved: ["ledger_1-5.committed"], firstSeqno: 6 });
    const few = onDisk(new Map([...files].slice(0, 2)));
    expect(await archiveBelow("ledger", "archive", options(few))).toMatchObject({ moved: ["ledger_1-5.committed"] });
  });

  test.each<[string, MemoryDisk, object]>([
    ["without a snapshot", onDisk(files, new Map()), { code: "no-snapshot" }],
    ["with a damaged one", onDisk(files, new Map([...beside].map(([name, file]) => [name, flip(file, 900)]))), {}],
    ["with one the ledger does not reach", onDisk(new Map([...files].slice(0, 1))), { code: "gap" }],
    ["with a gap", onDisk(without("ledger_6-9.committed")), { code: "corrupt" }],
  ])("is refused %s", async (_, disk, error) => {
    const before = disk.contents("ledger");
    await expect(archiveBelow("ledger", "archive", options(disk))).rejects.toMatchObject({
      name: "LedgerError",
      ...error,
    });
    expect(disk.contents("ledger")).toEqual(before);
  });

  test("is refused when another chunk of that name is there already, or the service is another", async () => {
    const disk = onDisk();
    disk.put("archive/ledger_6-9.committed", new Uint8Array(3));
    await expect(archiveBelow("ledger", "archive", options(disk))).rejects.toMatchObject({ code: "corrupt" });
    expect(disk.contents("ledger")).toEqual(files);
    const serviceCertificate = pemEncode("CERTIFICATE", createService("another").certificate);
    const asked = archiveBelow("ledger", "archive", { ...options(onDisk()), serviceCertificate });
    await expect(asked).rejects.toMatchObject({ code: "bad-snapshot" });
  });

  test("copies to another file system, and goes on after a crash at any change of the disk", async () => {
    const crashed: MemoryDisk[] = [];
    const otherSystem = (disk: MemoryDisk) => {
      const rename = disk.rename.bind(disk);
      disk.rename = async (from, to) => {
        if (from.split("/")[0] !== to.split("/")[0]) throw Object.assign(new Error("EXDEV"), { code: "EXDEV" });
        await rename(from, to);
      };
      return disk;
    };
    for (const wrap of [otherSystem, (disk: MemoryDisk) => disk]) {
      const disk = wrap(onDisk());
      let seed = 7;
      disk.onChange = () => {
        for (let index = 0; index < 2; index++) {
          const random = () => {
            seed = (seed * 16_807) % 0x7fff_ffff;
            return seed / 0x7fff_ffff;
          };
          crashed.push(disk.crash(random));
        }
      };
      expect(await archiveBelow("ledger", "archive", options(disk))).toMatchObject({ firstSeqno: 10 });
      // A file is not gone from here before the directory it went to is durable: the two may be on different media.
      for (const name of ["ledger_1-5.committed", "ledger_6-9.committed"]) {
        const removed = disk.log.indexOf(`remove ledger/${name}`);
        if (removed < 0) continue;
        const arrived = disk.log.indexOf(`rename archive/${name}.part archive/${name}`);
        expect(disk.log.slice(arrived, removed)).toContain("sync directory");
      }
    }
    expect(crashed.length).toBeGreaterThan(30);
    for (const [index, disk] of crashed.entries()) {
      const again = await archiveBelow("ledger", "archive", options(index % 2 === 0 ? otherSystem(disk) : disk));
      expect(again.firstSeqno).toBe(10);
      expect([...disk.contents("ledger").keys()].sort()).toEqual([...late().keys()].sort());
      for (const name of ["ledger_1-5.committed", "ledger_6-9.committed"]) {
        const [moved, whole] = [disk.contents("archive").get(name), files.get(name)];
        expect(moved !== undefined && whole !== undefined && equalBytes(moved, whole)).toBe(true);
      }
    }
  });

  test("a storage that is open meanwhile answers not-found, and goes on", async () => {
    const disk = onDisk();
    const { storage } = await openLedger("ledger", { disk });
    await archiveBelow("ledger", "archive", options(disk));
    await expect(storage.read(seqno(3), seqno(12))).rejects.toMatchObject({ code: "not-found" });
    expect(storage.firstSeqno).toBe(6);
    await expect(storage.read(seqno(9), seqno(9))).rejects.toMatchObject({ code: "not-found" });
    expect(storage.firstSeqno).toBe(10);
    expect((await storage.read(seqno(10), seqno(18))).length).toBe(9);
    storage.append([ledger.append({ view: V2, writeSet: put("k", "v") }), sign(ledger, node)]);
    await storage.flush();
    storage.commit(seqno(20));
    await storage.close();
    const left = { suite, secrets, snapshots: snapshotDirectory("snapshots", disk) };
    expect(await verifyLedger(ledgerDirectory("ledger", disk), left)).toMatchObject({ ok: true, entries: 11 });
  });
});
