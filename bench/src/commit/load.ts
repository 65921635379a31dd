/** Keeps a number of writes in flight for a while, each as soon as the one before it is answered. */
import { spreadOf } from "../measure/statistics.js";
import type { Client, Cluster } from "./cluster.js";

export interface LoadResult {
  readonly commits: number;
  readonly commitsPerSecond: number;
  readonly cpuSecondsPerThousand: number;
  readonly syncsPerCommit: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const VALUE = "v".repeat(100);
let lastKey = 0;

/** @param ms - Of load; connections are made and used once before. */
export async function load(cluster: Cluster, inFlight: number, ms: number): Promise<LoadResult> {
  const client = await cluster.client(inFlight);
  try {
    await Promise.all(Array.from({ length: inFlight }, () => client.put(`warm-${lastKey++}`, VALUE)));
    const before = await cluster.usage();
    const startMs = performance.now();
    const latencies = (
      await Promise.all(Array.from({ length: inFlight }, () => writeUntil(client, startMs + ms)))
    ).flat();
    const tookMs = performance.now() - startMs;
    const after = await cluster.usage();
    const commits = latencies.length;
    const sorted = latencies.toSorted((a, b) => a - b);
    return {
      commits,
      commitsPerSecond: (1000 * commits) / tookMs,
      cpuSecondsPerThousand: (after.cpuUs - before.cpuUs) / 1000 / commits,
      syncsPerCommit: (after.syncs - before.syncs) / commits,
      p50Ms: spreadOf(sorted).median,
      p99Ms: sorted[Math.floor(0.99 * (commits - 1))] ?? 0,
    };
  } finally {
    client.close();
  }
}

async function writeUntil(client: Client, endMs: number): Promise<number[]> {
  const latencies: number[] = [];
  do {
    const startMs = performance.now();
    await client.put(`key-${lastKey++}`, VALUE);
    latencies.push(performance.now() - startMs);
  } while (performance.now() < endMs);
  return latencies;
}
