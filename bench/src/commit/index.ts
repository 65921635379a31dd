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
  /** Of load before the first round: servers that have run for a while, with their code compiled. */
  readonly warmUpMs: number;
}

export async function benchCommit(full: boolean): Promise<Section> {
  const effort = full ? { rounds: 7, ms: 3_000, warmUpMs: 20_000 } : { rounds: 3, ms: 1_000, warmUpMs: 8_000 };
  const version = await etcdVersion();
  const measures: Measure[] = [];
  const verdicts: Verdict[] = [];
  for (const nodes of SIZES) {
    const names = NAMES.filter((name) => name !== "etcd" || version !== undefined);
    const results = await benchSize(nodes, effort, names);
    for (const [inFlight, result] of results) {
      for (const name of names) measures.push(...measuresOf(nodes, inFlight, name, result.get(name) ?? []));
      if (nodes === 3) verdicts.push(...verdictsOf(inFlight, result));
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

const NAMES = ["sealane", "sealane, P-256", "etcd"] as const;
type Name = (typeof NAMES)[number];
const START: Readonly<Record<Name, (dir: string, nodes: number) => Promise<Cluster>>> = {
  sealane: startSealane,
  "sealane, P-256": (dir, nodes) => startSealane(dir, nodes, { curve: "P-256" }),
  etcd: startEtcd,
};
type Results = ReadonlyMap<number, ReadonlyMap<Name, readonly LoadResult[]>>;

async function benchSize(nodes: number, effort: CommitEffort, names: readonly Name[]): Promise<Results> {
  const { rounds, ms, warmUpMs } = effort;
  const dir = await mkdtemp(join(tmpdir(), "sealane-bench-"));
  const clusters = new Map<Name, Cluster>();
  try {
    for (const name of names) clusters.set(name, await START[name](join(dir, name.replace(", ", "-")), nodes));
    const results = new Map<number, Map<Name, LoadResult[]>>();
    for (const cluster of clusters.values()) await load(cluster, 64, warmUpMs);
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
  const theirs = byName.get("etcd");
  if (theirs === undefined) return [];
  const judge = (
    goal: string,
    what: string,
    key: keyof LoadResult,
    atMost: number,
    name: Name = "sealane",
  ): Verdict => {
    const ratio = spreadOf(
      ratios(
        (byName.get(name) ?? []).map((result) => result[key]),
        theirs.map((result) => result[key]),
      ),
    );
    return verdict(goal, `3 nodes, ${inFlight} in flight: ${what}`, "etcd", ratio, atMost);
  };
  if (inFlight === 1) {
    return [
      judge("C5", "server CPU, P-256", "cpuSecondsPerThousand", 1, "sealane, P-256"),
      judge("C5", "server CPU, P-384", "cpuSecondsPerThousand", 1),
    ];
  }
  if (inFlight !== 64) return [];
  return [
    judge("C2", "server CPU", "cpuSecondsPerThousand", 1),
    judge("C3", "p50", "p50Ms", 0.6),
    judge("C4", "syncs", "syncsPerCommit", 0.3),
  ];
}
