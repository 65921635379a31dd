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
];

describe.each(kinds)("$name: the invariants of §15 hold after every step", (kind) => {
  test(`seeds ${SEEDS.join(", ")}`, () => {
    const totals = { committed: 0, views: 0, restarts: 0 };
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
    }
    // The runs did something: entries were committed, primaries changed, and nodes came back from their disks.
    expect(totals.committed).toBeGreaterThan(20 * SEEDS.length);
    expect(totals.views).toBeGreaterThan(2 * SEEDS.length);
    expect(totals.restarts).toBeGreaterThanOrEqual(kind.durability === "durable" ? 3 * SEEDS.length : 0);
  });
});
