/** Three nodes under a profiler: what stands behind the numbers of commits. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { topFunctions } from "../measure/profile.js";
import { load } from "./load.js";
import { startSealane } from "./sealane-cluster.js";

const NODES = 3;
const LOAD_MS = 6_000;
const TOP = 40;

/** @returns for each node the functions that took most of its time. */
export async function profileCommit(inFlight: number): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), "sealane-profile-"));
  const profiles = join(dir, "profiles");
  try {
    const execArgv = ["--cpu-prof", `--cpu-prof-dir=${profiles}`, "--cpu-prof-interval=500"];
    const cluster = await startSealane(join(dir, "nodes"), NODES, { execArgv });
    try {
      await load(cluster, inFlight, LOAD_MS);
    } finally {
      await cluster.close();
    }
    const lines: string[] = [];
    for (const file of (await readdir(profiles)).toSorted()) {
      lines.push("", `a node, ${inFlight} in flight`, ...(await topFunctions(join(profiles, file), TOP)));
    }
    return lines;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
