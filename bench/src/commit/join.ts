/** `bench:join`: how long a node takes from its start until it is a backup with everything, from a snapshot and from the ledger's beginning. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeId } from "@sealane/wire";
import type { Measure, Section } from "../measure/report.js";
import { shuffled, spreadOf } from "../measure/statistics.js";
import { call, httpsClient, NodeProcess, trustBallot, untilAccepted } from "./sealane-cluster.js";

/** Entries in the ledger before anybody joins; the many take minutes to write. */
const ENTRIES = 20_000;
const ENTRIES_FULL = 200_000;
/** Records are written again and again, as a service's are: so the state is smaller than what led to it. */
const KEYS = 5_000;
const VALUE = "v".repeat(100);
const IN_FLIGHT = 256;
const CURVE = "P-384";
const POLL_MS = 10;

const WAYS = ["snapshot", "beginning"] as const;
type Way = (typeof WAYS)[number];

interface JoinResult {
  readonly ms: number;
  readonly joinerCpuMs: number;
  readonly primaryCpuMs: number;
}

export async function benchJoin(full: boolean): Promise<Section> {
  const measures: Measure[] = [];
  for (const entries of full ? [ENTRIES, ENTRIES_FULL] : [ENTRIES]) {
    const results = await benchSize(entries, full ? 3 : 1);
    for (const [way, values] of results) {
      for (const [what, key] of [
        ["until it has everything", "ms"],
        ["CPU of the joiner", "joinerCpuMs"],
        ["CPU of the primary", "primaryCpuMs"],
      ] as const) {
        const value = spreadOf(values.map((result) => result[key]));
        measures.push({
          what: `${entries} entries: ${what}`,
          contestant: way === "snapshot" ? "from a snapshot" : "from the beginning",
          unit: "ms",
          value,
        });
      }
    }
  }
  const remarks = ["The joiner's process runs before; its key pair, TLS and the consortium's ballot are in the time."];
  return { title: "Joining a service of one node", measures, verdicts: [], remarks };
}

async function benchSize(entries: number, rounds: number): Promise<ReadonlyMap<Way, readonly JoinResult[]>> {
  const dir = await mkdtemp(join(tmpdir(), "sealane-bench-"));
  const processes: NodeProcess[] = [];
  try {
    const first = new NodeProcess();
    processes.push(first);
    const { apiUrl, serviceCertificate } = await first.ask({ do: "start", dataDir: join(dir, "first"), curve: CURVE });
    if (apiUrl === undefined || serviceCertificate === undefined) throw new Error("the first node has a service");
    await fill(first, apiUrl, serviceCertificate, entries);
    const memberKey = await readFile(join(dir, "first", "member0.private.pem"), "utf8");
    const results = new Map<Way, JoinResult[]>();
    for (let round = 0; round < rounds; round++) {
      for (const way of shuffled(WAYS)) {
        const joiner = new NodeProcess();
        processes.push(joiner);
        const before = await usage(first, joiner);
        const startMs = performance.now();
        const { nodeId } = await joiner.ask({
          do: "start",
          curve: CURVE,
          dataDir: join(dir, `${way}${round}`),
          join: { url: apiUrl, serviceCertificate, from: way },
        });
        await trusted(apiUrl, serviceCertificate, trustBallot(memberKey, serviceCertificate, NodeId.parse(nodeId)));
        await joiner.ask({ do: "ready" });
        await caughtUp(first, joiner);
        const ms = performance.now() - startMs;
        const after = await usage(first, joiner);
        const [primaryCpuMs, joinerCpuMs] = [after.first - before.first, after.joiner - before.joiner];
        results.set(way, [...(results.get(way) ?? []), { ms, joinerCpuMs, primaryCpuMs }]);
      }
    }
    return results;
  } finally {
    for (const node of processes) await node.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function fill(node: NodeProcess, apiUrl: string, serviceCertificate: string, entries: number): Promise<void> {
  const client = httpsClient(apiUrl, serviceCertificate, IN_FLIGHT);
  let written = 0;
  const writer = async (): Promise<void> => {
    while (written < entries) {
      const number = written++;
      await client.put(`key-${number % KEYS}`, `${VALUE}${number}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, writer));
  client.close();
  const { committed = 0 } = await node.ask({ do: "usage" });
  if (committed < entries) throw new Error(`only ${committed} entries were committed`);
}

async function trusted(apiUrl: string, serviceCertificate: string, ballot: string): Promise<void> {
  const agent = new Agent({ ca: serviceCertificate });
  await untilAccepted(() => call(agent, `${apiUrl}/governance/ballots`, "POST", ballot));
  agent.destroy();
}

async function caughtUp(first: NodeProcess, joiner: NodeProcess): Promise<void> {
  for (;;) {
    const [{ committed: all = 0 }, { committed: own = 0 }] = [
      await first.ask({ do: "usage" }),
      await joiner.ask({ do: "usage" }),
    ];
    if (own >= all) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** User and system, in ms. */
async function usage(first: NodeProcess, joiner: NodeProcess): Promise<{ first: number; joiner: number }> {
  const [one, other] = [await first.ask({ do: "usage" }), await joiner.ask({ do: "usage" })];
  return { first: (one.cpuUs ?? 0) / 1_000, joiner: (other.cpuUs ?? 0) / 1_000 };
}
