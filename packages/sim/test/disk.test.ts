/** The simulated disk against what it stands for: the storage of a node and its repair after a crash. */
import { nativeSuite } from "@sealane/crypto/native";
import { decodeEntry, LedgerError, LedgerSecrets } from "@sealane/ledger";
import { type Disk, openLedger } from "@sealane/ledger/files";
import { equalBytes, seqno, utf8 } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLedgerImage } from "../src/cluster/ledger-image.js";
import { Cluster, SeededRandom, SimulatedDisk } from "../src/index.js";

/** A real ledger, from a real node. */
function someLedger(): { entries: readonly Uint8Array[]; isIntact(entry: Uint8Array): boolean } {
  const cluster = new Cluster({ seed: 1, suite: nativeSuite });
  const node = cluster.found();
  for (let write = 0; write < 6; write++) {
    const body = utf8(JSON.stringify({ value: "x".repeat(write * 90) }));
    cluster.ask(node, { method: "PUT", path: `/records/k${write}`, body });
  }
  const secrets = new LedgerSecrets(node.config.ledgerSecrets);
  const isIntact = (entry: Uint8Array): boolean => {
    try {
      decodeEntry(nativeSuite, secrets, entry);
      return true;
    } catch (error) {
      if (error instanceof LedgerError) return false;
      throw error;
    }
  };
  return { entries: node.disk.entries, isIntact };
}

const { entries: ENTRIES, isIntact } = someLedger();

function append(disk: SimulatedDisk, from: number, to: number): void {
  const entries = ENTRIES.slice(from, to).map((bytes, index) => ({
    seqno: seqno(from + index + 1),
    bytes,
    flags: 0,
    committable: false,
  }));
  disk.handle({ type: "append", entries: entries as never }); // the disk reads seqno and bytes alone
}

function persist(disk: SimulatedDisk): void {
  disk.handle({ type: "persist", token: 1 });
  expect(disk.work(0)).toEqual({ type: "durable", token: 1 });
}

describe("the disk after a loss of power", () => {
  it.each(["lost-suffix", "torn-write", "reordered-writes"] as const)("keeps what was synced: %s", (how) => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const disk = new SimulatedDisk(new SeededRandom(seed));
      append(disk, 0, 4);
      persist(disk);
      append(disk, 4, 7);
      disk.armed = { at: "write", how };
      expect(disk.work(0)).toEqual({ type: "power-lost", how });
      disk.crash(how);
      const kept = disk.entries.length;
      const found = disk.open(isIntact);
      expect(found).toMatchObject({ type: "opened", lostSynced: false });
      expect(disk.entries.length).toBe(kept);
      expect(disk.entries.length).toBeGreaterThanOrEqual(4);
      expect(disk.entries.every((entry, index) => equalBytes(entry, ENTRIES[index] ?? entry.subarray(1)))).toBe(true);
      seen.add(disk.entries.length);
    }
    expect(seen.has(4)).toBe(true);
    expect(seen.size > 1).toBe(how !== "lost-suffix"); // of what was not synced, something may be left
  });

  it("undoes a truncation that was not carried out", () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    append(disk, 0, 5);
    persist(disk);
    disk.handle({ type: "truncate", to: seqno(2) });
    expect(disk.entries).toHaveLength(2);
    disk.crash("lost-suffix");
    expect(disk.entries).toHaveLength(5);
  });

  it("never mixes what was cut off with what was written after it", () => {
    for (let seed = 0; seed < 60; seed++) {
      const disk = new SimulatedDisk(new SeededRandom(seed));
      append(disk, 0, 5);
      persist(disk);
      disk.handle({ type: "truncate", to: seqno(2) });
      append(disk, 2, 4);
      disk.armed = { at: "write", how: "reordered-writes" };
      disk.work(0);
      disk.crash("reordered-writes");
      expect(disk.open(isIntact)).toMatchObject({ type: "opened", lostSynced: false });
    }
  });
});

describe("a damaged disk", () => {
  it.each([0, 0.3, 0.7, 0.999])("shows a flipped bit, or is known to have lost what it cuts off: at %f", (at) => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    append(disk, 0, 7);
    persist(disk);
    disk.crash("lost-suffix");
    expect(disk.rot(at)).toBe(true);
    const found = disk.open(isIntact);
    expect(found.type === "refused" || found.lostSynced).toBe(true);
  });

  it("is refused when it lost what had been committed, and known to have lost what had not", () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    append(disk, 0, 4);
    disk.handle({ type: "commit", seqno: seqno(4), reconfigures: false });
    disk.handle({ type: "persist", token: 1 });
    disk.work(5_000);
    append(disk, 4, 6);
    disk.handle({ type: "persist", token: 2 });
    disk.work(5_000);
    disk.crash("lost-suffix");
    disk.cutOff(ENTRIES[5]?.length ?? 0);
    expect(disk.open(isIntact)).toMatchObject({ type: "opened", lostSynced: true });
    disk.cutOff((ENTRIES[4]?.length ?? 0) + 1);
    expect(disk.open(isIntact)).toEqual({ type: "refused", why: "corrupt" });
  });

  it("notes a commit now and then, and that of a reconfiguration at once", () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    append(disk, 0, 4);
    persist(disk);
    const noted = (at: number, reconfigures: boolean) => {
      disk.handle({ type: "commit", seqno: seqno(at), reconfigures });
      disk.work(1);
      return disk.hardState.commitSeqno;
    };
    expect([noted(2, false), noted(3, true), noted(4, false)]).toEqual([0, 3, 3]);
  });

  it("holds a flush for as long as it is slow, and gathers the next group meanwhile", () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    disk.latencyMs = [10, 10];
    append(disk, 0, 1);
    disk.handle({ type: "persist", token: 1 });
    expect(disk.work(100)).toEqual({ type: "idle" });
    append(disk, 1, 2);
    disk.handle({ type: "persist", token: 2 });
    expect(disk.dueMs).toBe(110);
    expect(disk.work(109)).toEqual({ type: "idle" });
    expect(disk.work(110)).toEqual({ type: "durable", token: 1 });
    expect(disk.work(110)).toEqual({ type: "idle" });
    expect(disk.work(120)).toEqual({ type: "durable", token: 2 });
  });
});

/** A directory with one open chunk file. */
function oneFile(image: Uint8Array): Disk {
  let file = image;
  let names = ["ledger_1"];
  const opened = {
    size: async () => file.length,
    read: async (position: number, length: number) => file.slice(position, position + length),
    write: async () => undefined,
    truncate: async (size: number) => {
      file = file.slice(0, size);
    },
    sync: async () => undefined,
    close: async () => undefined,
  };
  return {
    makeDirectory: async () => undefined,
    list: async () => names,
    open: async () => opened,
    rename: async () => undefined,
    remove: async () => {
      names = [];
    },
    syncDirectory: async () => undefined,
  };
}

function imageOf(entries: readonly Uint8Array[]): Uint8Array {
  const image = new Uint8Array(8 + entries.reduce((sum, { length }) => sum + length, 0));
  let at = 8;
  for (const entry of entries) {
    image.set(entry, at);
    at += entry.length;
  }
  return image;
}

it("reads any damaged file exactly as the ledger's own repair does", async () => {
  const damage = fc.record({
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    zeroed: fc.array(fc.nat(12), { maxLength: 4 }),
    flips: fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 2 }),
    durable: fc.nat(ENTRIES.length),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ cut, zeroed, flips, durable }) => {
      const whole = imageOf(ENTRIES);
      const image = whole.slice(0, 8 + Math.round((whole.length - 8) * cut));
      for (const sector of zeroed) image.fill(0, Math.max(8, sector * 512), (sector + 1) * 512);
      for (const flip of flips) {
        const at = 8 + Math.floor((image.length - 8) * flip);
        if (at < image.length) image[at] = (image[at] ?? 0) ^ 0x10;
      }
      const ours = readLedgerImage(image, 1, durable, isIntact);
      const theirs = await openLedger("dir", { disk: oneFile(image), durable: seqno(durable), isIntact }).then(
        async ({ entries }) => {
          const read: Uint8Array[] = [];
          for await (const entry of entries) read.push(entry);
          return read;
        },
        (error: unknown) => {
          if (error instanceof LedgerError && error.code === "corrupt") return "corrupt" as const;
          throw error;
        },
      );
      expect(typeof ours).toBe(typeof theirs);
      expect(ours.length).toBe(theirs.length); // each entry names its seqno, so as many entries are the same entries
    }),
    { numRuns: 200 },
  );
});
