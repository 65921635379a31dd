/** One contestant's work under a profiler: what stands behind the numbers of the other benchmarks. Profiled runs are not compared. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeIdentities } from "../contestants/identity.js";
import type { ContestantName } from "../contestants/index.js";
import { topFunctions } from "../measure/profile.js";
import { Pair, ShakerPair } from "./pair.js";

const MB = 1e6;
const TOP = 25;

const WORK: Readonly<Record<string, (contestant: ContestantName, execArgv: readonly string[]) => Promise<void>>> = {
  stream: (contestant, execArgv) =>
    withPair(contestant, execArgv, (pair) =>
      pair.stream({ submit: "batch", itemBytes: 256, batchBytes: 256 * 1024, totalBytes: 1000 * MB }),
    ),
  single: (contestant, execArgv) =>
    withPair(contestant, execArgv, (pair) =>
      pair.stream({ submit: "single", itemBytes: 256, batchBytes: 256 * 1024, totalBytes: 300 * MB }),
    ),
  trips: (contestant, execArgv) =>
    withPair(contestant, execArgv, (pair) =>
      pair.roundTrips({ count: 200_000, inFlight: 32, itemBytes: 100, flush: "turn" }),
    ),
  records: (contestant, execArgv) =>
    withPair(contestant, execArgv, (pair) =>
      pair.roundTrips({ count: 50_000, inFlight: 32, itemBytes: 100, flush: "request" }),
    ),
  handshake: async (contestant, execArgv) => {
    const pair = await ShakerPair.open(contestant, makeIdentities(2), execArgv);
    await pair.shake(150);
    await pair.close();
  },
};

/** @returns for each side of the work the functions that took most of it. */
export async function profileChannel(contestant: ContestantName, work: string): Promise<string[]> {
  const run = WORK[work];
  if (run === undefined) throw new Error(`there is no such work: ${work}. There are ${Object.keys(WORK).join(", ")}.`);
  const folder = await mkdtemp(join(tmpdir(), "sealane-profile-"));
  try {
    await run(contestant, ["--cpu-prof", `--cpu-prof-dir=${folder}`, "--cpu-prof-interval=500"]);
    const lines: string[] = [];
    for (const file of (await readdir(folder)).toSorted()) {
      lines.push("", `${contestant}: ${work}`, ...(await topFunctions(join(folder, file), TOP)));
    }
    return lines;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function withPair(
  contestant: ContestantName,
  execArgv: readonly string[],
  work: (pair: Pair) => Promise<unknown>,
): Promise<void> {
  const pair = await Pair.open(contestant, makeIdentities(2), execArgv);
  await work(pair);
  await pair.close();
}
