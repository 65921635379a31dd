/** Snapshot files: how they come and go, and what a crash or a bad disk leaves (ledger spec §10.1). */
import { concatBytes, equalBytes, seqno, utf8 } from "@sealane/wire";
import { expect, test } from "vitest";
import { createLedger, fill, secrets, servicePem, suite } from "../../test/fixture.js";
import { flip, proveSnapshot } from "../../test/state.js";
import { LedgerError } from "../errors.js";
import { verifySnapshot } from "../snapshot/verify-snapshot.js";
import { MemoryDisk } from "../testing/memory-disk.js";
import { SnapshotDirectory } from "./snapshot-directory.js";

const ledger = createLedger();
fill(ledger, 3);
const first = proveSnapshot(ledger);
const second = proveSnapshot(ledger);
const use = (file: Uint8Array) => verifySnapshot(file, { suite, secrets, serviceCertificates: [servicePem] });

async function open(disk = new MemoryDisk()) {
  return { disk, snapshots: await SnapshotDirectory.open("dir", disk) };
}

async function committed() {
  const { disk, snapshots } = await open();
  for (const one of [first, second]) {
    await snapshots.write(one, one.evidence.seqno);
    await snapshots.commit(one.seqno, one.evidence.seqno, one.receipt);
  }
  return { disk, snapshots };
}

test("a snapshot is provisional until it has its receipt", async () => {
  const { disk, snapshots } = await open();
  await snapshots.write(first, first.evidence.seqno);
  expect(disk.contents()).toEqual(new Map([["snapshot_5_6", first.bytes]]));
  expect((await snapshots.newest(use)).found).toBeUndefined();
  expect(await snapshots.commit(first.seqno, first.evidence.seqno, first.receipt)).toBe("snapshot_5_6.committed");
  expect(disk.contents()).toEqual(new Map([["snapshot_5_6.committed", first.file]]));
  const before = disk.log.length;
  await snapshots.commit(first.seqno, first.evidence.seqno, utf8("another"));
  await snapshots.store(first.seqno, first.evidence.seqno, utf8("another"));
  expect(disk.log.length).toBe(before); // a committed file is never written to again
  expect((await snapshots.newest(use)).found?.snapshot.seqno).toBe(5);
  await expect(snapshots.commit(seqno(9), seqno(10), first.receipt)).rejects.toMatchObject({ code: "not-found" });
});

test("one that came from elsewhere is stored as it is, and read in pieces", async () => {
  const { disk, snapshots } = await open();
  const name = await snapshots.store(second.seqno, second.evidence.seqno, second.file);
  expect(disk.contents()).toEqual(new Map([["snapshot_7_8.committed", second.file]]));
  expect(await snapshots.size(name)).toBe(second.file.length);
  const pieces: Uint8Array[] = [];
  for await (const piece of snapshots.pieces(name, 0, 1_000)) pieces.push(piece);
  const read = snapshots.pieces(name, 1_000, second.file.length - 1_000);
  for await (const piece of read) pieces.push(piece);
  expect(concatBytes(...pieces)).toEqual(second.file);
  const beyond = snapshots.pieces(name, second.file.length - 1, 2);
  expect(await beyond.next()).toMatchObject({ done: false });
  await expect(beyond.next()).rejects.toMatchObject({ code: "corrupt" });
  await expect(snapshots.pieces("snapshot_1_2.committed", 0, 1).next()).rejects.toMatchObject({ code: "not-found" });
  await expect(snapshots.pieces("../other", 0, 1).next()).rejects.toMatchObject({ code: "not-found" });
  await expect(snapshots.read("snapshot_1_2.committed")).rejects.toMatchObject({ code: "not-found" });
  await expect(snapshots.read("../other")).rejects.toMatchObject({ code: "not-found" });
});

test("the newest one that can be used is found, damaged ones are named", async () => {
  const { disk, snapshots } = await committed();
  expect((await snapshots.list()).map(({ name }) => name)).toEqual([
    "snapshot_5_6.committed",
    "snapshot_7_8.committed",
  ]);
  expect((await snapshots.newest(use)).found?.snapshot.seqno).toBe(7);
  expect((await snapshots.newest(use, { from: 0, to: 6 })).found?.snapshot.seqno).toBe(5);
  expect((await snapshots.newest(use, { from: 6, to: 6 })).found).toBeUndefined();

  disk.put("dir/snapshot_7_8.committed", flip(second.file, 4_000));
  const { found, unusable } = await snapshots.newest(use);
  expect(found?.snapshot.seqno).toBe(5);
  expect(unusable).toMatchObject([{ name: "snapshot_7_8.committed", error: expect.any(LedgerError) }]);
  disk.put("dir/snapshot_5_6.committed", first.file.subarray(0, 40));
  expect(await snapshots.newest(use)).toMatchObject({ found: undefined, unusable: [{}, {}] });
  disk.put("dir/snapshot_5_6.committed", new Uint8Array());
  expect(await snapshots.newest(use)).toMatchObject({
    found: undefined,
    unusable: [{}, { error: { code: "truncated" } }],
  });
});

test("other files are left alone", async () => {
  const disk = new MemoryDisk();
  for (const name of ["notes.part", "snapshot_x", "snapshot_9_8.committed", "ledger_1"])
    disk.put(`dir/${name}`, utf8("mine"));
  disk.put("dir/snapshot_5_6.committed.part", utf8("half of it"));
  const { snapshots } = await open(disk);
  expect(await snapshots.list()).toEqual([]);
  expect([...disk.contents().keys()]).toEqual(["notes.part", "snapshot_x", "snapshot_9_8.committed", "ledger_1"]);
});

test("old ones are pruned, the newest and provisional newer ones stay", async () => {
  const { snapshots } = await committed();
  await snapshots.write(first, first.evidence.seqno);
  await snapshots.write({ ...first, seqno: seqno(20) }, seqno(21));
  await expect(snapshots.prune(0)).rejects.toThrow(RangeError);
  expect((await snapshots.prune(1)).sort()).toEqual(["snapshot_5_6", "snapshot_5_6.committed"]);
  expect((await snapshots.list()).map(({ name }) => name)).toEqual(["snapshot_7_8.committed", "snapshot_20_21"]);
});

test("a crash before any change of the disk leaves whole files under their names, or none", async () => {
  const { disk, snapshots } = await open();
  const crashed: { disk: MemoryDisk; durable: number }[] = [];
  let durable = 0;
  let seed = 1;
  disk.onChange = () => {
    for (let index = 0; index < 3; index++) {
      const random = () => {
        seed = (seed * 16_807) % 0x7fff_ffff;
        return seed / 0x7fff_ffff;
      };
      crashed.push({ disk: disk.crash(random), durable });
    }
  };
  for (const one of [first, second]) {
    await snapshots.write(one, one.evidence.seqno);
    await snapshots.commit(one.seqno, one.evidence.seqno, one.receipt);
    durable = one.seqno;
  }
  expect(crashed.length).toBeGreaterThan(40);
  const whole = new Map([first, second].map((one) => [one.seqno as number, one]));
  for (const { disk: after, durable: promised } of crashed) {
    const again = await SnapshotDirectory.open("dir", after);
    const names = await again.list();
    for (const { name, seqno: at, committed: isCommitted } of names) {
      const expected = (isCommitted ? whole.get(at)?.file : whole.get(at)?.bytes) ?? new Uint8Array();
      expect(equalBytes(await again.read(name), expected)).toBe(true);
    }
    const newest = names.findLast((one) => one.committed)?.seqno ?? 0;
    expect(newest).toBeGreaterThanOrEqual(promised);
    expect([...after.contents().keys()].some((name) => name.endsWith(".part"))).toBe(false);
  }
});

test.each(["list", "open", "write", "sync", "rename", "syncDirectory"] as const)(
  "a disk whose %s fails says so, and the older snapshot still stands",
  async (operation) => {
    const { disk, snapshots } = await committed();
    const third = { seqno: seqno(30), bytes: first.bytes };
    disk.fault = { operation, code: "ENOSPC", after: 0 };
    await expect(snapshots.write(third, seqno(31))).rejects.toMatchObject({ code: "storage-failed" });
    disk.fault = undefined;
    expect((await snapshots.newest(use)).found?.snapshot.seqno).toBe(7);
    await snapshots.write(third, seqno(31));
    expect((await snapshots.list()).at(-1)).toMatchObject({ name: "snapshot_30_31", committed: false });
  },
);
