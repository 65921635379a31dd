/** How many writes share one fdatasync: writers that each append an entry and wait until it is durable, on a disk that counts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ledger } from "@sealane/ledger";
import { type Disk, type FileLedger, nodeDisk, openLedger } from "@sealane/ledger/files";
import type { WriteSet } from "@sealane/wire";
import { type Section, verdict } from "../measure/report.js";
import { spreadOf } from "../measure/statistics.js";
import { newLedger, newSecrets, VIEW, writeSets } from "./entries.js";

const WRITERS = [1, 16, 64, 256];
/** Writes for each fdatasync at 64 writers. */
const GOAL_WRITERS = 64;
const GOAL = 20;
const VALUE_BYTES = 100;
const COMMIT_EVERY = 500;
const RETAIN_BYTES = 4 * 1024 * 1024;

export interface GroupEffort {
  readonly rounds: number;
  /** In each round, of all writers together. */
  readonly writes: number;
}

export async function benchGroups({ rounds, writes }: GroupEffort): Promise<Section> {
  const measures: Section["measures"][number][] = [];
  const verdicts: Section["verdicts"][number][] = [];
  for (const writers of WRITERS) {
    const perSync: number[] = [];
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { syncs, ms } = await write(writers, writes);
      perSync.push(writes / syncs);
      rates.push((1000 * writes) / ms);
    }
    const what = `${writers} writer${writers > 1 ? "s" : ""}`;
    measures.push({ what, contestant: "sealane", unit: "writes/sync", value: spreadOf(perSync) });
    measures.push({ what, contestant: "sealane", unit: "writes/s", value: spreadOf(rates) });
    if (writers !== GOAL_WRITERS) continue;
    const share = spreadOf(perSync.map((count) => GOAL / count));
    verdicts.push(verdict("groups", `${what}: syncs for each write`, `1 for ${GOAL} writes`, share, 1));
  }
  return { title: "Group fdatasync", measures, verdicts, remarks: [] };
}

async function write(writers: number, writes: number): Promise<{ readonly syncs: number; readonly ms: number }> {
  const directory = await mkdtemp(join(tmpdir(), "sealane-bench-"));
  const disk = new CountingDisk();
  try {
    const { storage } = await openLedger(directory, { disk });
    const work = {
      ledger: newLedger(newSecrets(), RETAIN_BYTES),
      storage,
      writeSet: writeSets(VALUE_BYTES),
      left: writes,
    };
    const startMs = performance.now();
    disk.syncs = 0;
    await Promise.all(Array.from({ length: writers }, () => writer(work)));
    const [syncs, ms] = [disk.syncs, performance.now() - startMs];
    await storage.close();
    return { syncs, ms };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writer(work: {
  readonly ledger: Ledger;
  readonly storage: FileLedger;
  readonly writeSet: (index: number) => WriteSet;
  left: number;
}): Promise<void> {
  const { ledger, storage, writeSet } = work;
  while (work.left-- > 0) {
    const entry = ledger.append({ view: VIEW, writeSet: writeSet(work.left) });
    storage.append([entry]);
    await storage.flush();
    if (entry.seqno % COMMIT_EVERY === 0) ledger.compact(entry.seqno);
  }
}

/** The disk of this machine. Counts what makes contents or a directory durable. */
class CountingDisk implements Disk {
  syncs = 0;
  readonly makeDirectory = nodeDisk.makeDirectory;
  readonly list = nodeDisk.list;
  readonly rename = nodeDisk.rename;
  readonly remove = nodeDisk.remove;

  async open(...request: Parameters<Disk["open"]>): ReturnType<Disk["open"]> {
    const file = await nodeDisk.open(...request);
    const sync = (): Promise<void> => {
      this.syncs++;
      return file.sync();
    };
    return { ...file, sync };
  }

  async syncDirectory(directory: string): Promise<void> {
    this.syncs++;
    await nodeDisk.syncDirectory(directory);
  }
}
