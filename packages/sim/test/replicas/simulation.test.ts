import { describe, expect, test } from "vitest";
import { Cluster, type ClusterOptions } from "./cluster.js";

const STEPS = 2_500;
const SEEDS = [1, 2, 3, 4];

const kinds: readonly (Omit<ClusterOptions, "seed"> & { readonly name: string })[] = [
  { name: "3 replicas, ephemeral", replicas: 3, durability: "ephemeral" },
  { name: "5 replicas, ephemeral, pre-vote", replicas: 5, durability: "ephemeral", preVote: true },
  { name: "3 replicas, durable, crashes", replicas: 3, durability: "durable", eagerSend: true },
  { name: "5 replicas, durable, crashes, bounded flight", replicas: 5, durability: "durable", inFlightBytesMax: 2_000 },
  { name: "3 replicas, ephemeral, members swapped", replicas: 3, durability: "ephemeral", reconfigure: true },
  {
    name: "3 replicas, durable, crashes, members swapped",
    replicas: 3,
    durability: "durable",
    reconfigure: true,
    preVote: true,
  },
  {
    name: "5 replicas, durable, crashes, sticky",
    replicas: 5,
    durability: "durable",
    preVote: true,
    leaderStickiness: true,
  },
  { name: "3 replicas, durable, crashes, leases", replicas: 3, durability: "durable", leaseDrift: 0.05 },
  {
    name: "3 replicas, ephemeral, leases, members swapped",
    replicas: 3,
    durability: "ephemeral",
    leaseDrift: 0.2,
    reconfigure: true,
  },
];

describe.each(kinds)("$name: the invariants of §15 hold after every step", (kind) => {
  test(`seeds ${SEEDS.join(", ")}`, () => {
    const totals = { committed: 0, views: 0, restarts: 0, reads: 0 };
    for (const seed of SEEDS) {
      const cluster = new Cluster({ ...kind, seed });
      try {
        for (let step = 0; step < STEPS; step++) cluster.step();
        cluster.settle();
      } catch (cause) {
        throw new Error(`seed ${seed}: repeat with npx vitest run test/replicas -t "${kind.name}"`, { cause });
      }
      totals.committed += cluster.commitSeqno;
      totals.views += cluster.viewMax;
      totals.restarts += cluster.restarts;
      totals.reads += cluster.reads;
    }
    // The runs did something: entries were committed and read, primaries changed, and nodes came back from their disks.
    expect(totals.committed).toBeGreaterThan(20 * SEEDS.length);
    expect(totals.reads).toBeGreaterThan(4 * SEEDS.length);
    expect(totals.views).toBeGreaterThan(2 * SEEDS.length);
    expect(totals.restarts).toBeGreaterThanOrEqual(kind.durability === "durable" ? 3 * SEEDS.length : 0);
  });
});

test("without faults every member in turn is handed the primary's role, and nothing is lost", () => {
  const cluster = new Cluster({ seed: 1, replicas: 5, durability: "durable", preVote: true, leaderStickiness: true });
  for (const { id } of cluster.nodes.slice(1)) {
    const { commitSeqno } = cluster;
    cluster.handOver(id);
    cluster.settle();
    expect(cluster.primary?.id).toBe(id);
    expect(cluster.commitSeqno).toBeGreaterThan(commitSeqno);
  }
  expect(cluster.transfers).toBe(4);
});
