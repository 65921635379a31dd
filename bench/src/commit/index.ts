/** `bench:commit`: durable commits through real nodes, against etcd with mutual TLS. Goals C2 to C5 as far as there is something to measure. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Measure, type Section, type Verdict, verdict } from "../measure/report.js";
import { ratios, shuffled, spreadOf } from "../measure/statistics.js";
import type { Cluster } from "./cluster.js";
import { etcdVersion, startEtcd } from "./etcd-cluster.js";
import { type LoadResult, load } from "./load.js";
import { startSealane } from "./sealane-cluster.js";

const SIZES = [1, 3];
const IN_FLIGHT = [1, 16, 64, 256];

const COLUMNS = [
  ["server CPU", "CPU-s/1000", "cpuSecondsPerThousand"],
  ["syncs", "a commit", "syncsPerCommit"],
  ["p50", "ms", "p50Ms"],
  ["p99", "ms", "p99Ms"],
  ["rate", "commits/s", "commitsPerSecond"],
] as const satisfies readonly (readonly [string, string, keyof LoadResult])[];

interface CommitEffort {
  readonly rounds: number;
  /** Of load, each time. */
  readonly ms: number;
}

export async function benchCommit(full: boolean): Promise<Section> {
  const effort = full ? { rounds: 7, ms: 3_000 } : { rounds: 3, ms: 1_000 };
  const version = await etcdVersion();
  const measures: Measure[] = [];
  const verdicts: Verdict[] = [];
  for (const nodes of SIZES) {
    const results = await benchSize(nodes, effort, version !== undefined);
    for (const [inFlight, byName] of results) {
      for (const [name, values] of byName) measures.push(...measuresOf(nodes, inFlight, name, values));
      if (nodes === 3) verdicts.push(...verdictsOf(inFlight, byName));
    }
  }
  const peer = version === undefined ? "etcd is not installed here, so there is nothing to compare with." : undefined;
  return {
    title: "Durable commits of 100 B",
    measures,
    verdicts,
    remarks: [
      peer ?? `etcd ${version}, mutual TLS; its syncs are those of its log and its database.`,
      "C1 is about a binary front end, which a node does not have yet; C2 is its HTTPS front end.",
    ],
  };
}

type Name = "sealane" | "etcd";
type Results = ReadonlyMap<number, ReadonlyMap<Name, readonly LoadResult[]>>;

async function benchSize(nodes: number, { rounds, ms }: CommitEffort, withEtcd: boolean): Promise<Results> {
  const dir = await mkdtemp(join(tmpdir(), "sealane-bench-"));
  const clusters = new Map<Name, Cluster>();
  try {
    clusters.set("sealane", await startSealane(join(dir, "sealane"), nodes));
    if (withEtcd) clusters.set("etcd", await startEtcd(join(dir, "etcd"), nodes));
    const results = new Map<number, Map<Name, LoadResult[]>>();
    for (const cluster of clusters.values()) await load(cluster, 64, ms);
    for (const inFlight of IN_FLIGHT) {
      const byName = new Map<Name, LoadResult[]>();
      for (let round = 0; round < rounds; round++) {
        for (const [name, cluster] of shuffled([...clusters])) {
          byName.set(name, [...(byName.get(name) ?? []), await load(cluster, inFlight, ms)]);
        }
      }
      results.set(inFlight, byName);
    }
    return results;
  } finally {
    for (const cluster of clusters.values()) await cluster.close();
    await rm(dir, { recursive: true, force: true });
  }
}

function measuresOf(nodes: number, inFlight: number, contestant: Name, results: readonly LoadResult[]): Measure[] {
  const who = `${nodes} node${nodes > 1 ? "s" : ""}, ${inFlight} in flight`;
  return COLUMNS.map(([what, unit, key]) => ({
    what: `${who}: ${what}`,
    contestant,
    unit,
    value: spreadOf(results.map((result) => result[key])),
  }));
}

function verdictsOf(inFlight: number, byName: ReadonlyMap<Name, readonly LoadResult[]>): Verdict[] {
  const [ours, theirs] = [byName.get("sealane"), byName.get("etcd")];
  if (ours === undefined || theirs === undefined) return [];
  const judge = (goal: string, what: string, key: keyof LoadResult, atMost: number): Verdict => {
    const ratio = spreadOf(
      ratios(
        ours.map((result) => result[key]),
        theirs.map((result) => result[key]),
      ),
    );
    return verdict(goal, `3 nodes, ${inFlight} in flight: ${what}`, "etcd", ratio, atMost);
  };
  if (inFlight === 1) return [judge("C5", "server CPU, P-384", "cpuSecondsPerThousand", 1)];
  if (inFlight !== 64) return [];
  return [
    judge("C2", "server CPU", "cpuSecondsPerThousand", 1),
    judge("C3", "p50", "p50Ms", 0.6),
    judge("C4", "syncs", "syncsPerCommit", 0.3),
  ];
}
