/** Nodes begin from snapshots, restarting and joining, while snapshots and ledgers are damaged and archived (ledger spec §10.3, §12). */
import { fromUtf8, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Cluster, type SimulatedNode, simulate } from "../src/index.js";
import { registersSubject } from "../src/simulation/registers-subject.js";

function write(cluster: Cluster, count: number): void {
  for (let done = 0; done < count; ) {
    const { primary } = cluster;
    if (primary === undefined) {
      cluster.run(100);
      continue;
    }
    const body = utf8(JSON.stringify({ value: `${cluster.nowMs}.${done}` }));
    if (cluster.ask(primary, { method: "PUT", path: `/records/k${done % 9}`, body })?.status === 200) done += 1;
  }
  cluster.run(1_000);
}

const read = (cluster: Cluster, node: SimulatedNode) => {
  const answer = cluster.ask(node, { method: "GET", path: "/records/k3?consistency=serializable" });
  return fromUtf8(answer?.body ?? new Uint8Array());
};

function grown(seed: number): { cluster: Cluster; first: SimulatedNode; second: SimulatedNode } {
  const cluster = new Cluster({ seed, snapshotEvery: 10 });
  const first = cluster.found();
  const second = cluster.join(first);
  write(cluster, 60);
  return { cluster, first, second };
}

describe("a simulated node", () => {
  it("joins from a snapshot, comes back from one, and has what the others have", () => {
    const { cluster, first } = grown(1);
    const third = cluster.join(first);
    expect(third.startsFromSnapshot).toBe(1);
    expect(third.disk.firstSeqno).toBeGreaterThan(10);
    write(cluster, 40);
    third.kill("torn-write");
    expect(third.restart(cluster.nowMs)).toBe("up");
    expect(third.startsFromSnapshot).toBe(2);
    cluster.run(3_000);
    expect(read(cluster, third)).toBe(read(cluster, first));
  });

  it("steps over a damaged snapshot to an older one, or to the ledger", () => {
    const { cluster, second } = grown(2);
    second.kill();
    expect([second.snapshots.damageNewest(), second.restart(cluster.nowMs)]).toEqual([true, "up"]);
    expect([second.startsFromSnapshot, second.steppedOver]).toEqual([1, 1]);
    second.kill();
    while (second.snapshots.loseNewest()) {
      // until there is none
    }
    expect([second.restart(cluster.nowMs), second.startsFromSnapshot]).toEqual(["up", 1]);
  });

  it("does not come up without its snapshot where the ledger was archived", () => {
    const { cluster, first, second } = grown(3);
    cluster.inject({ kind: "archive", node: 1 });
    expect(cluster.reached.get("archive")).toBe(1);
    expect(second.disk.firstSeqno).toBeGreaterThan(1);
    second.kill();
    expect(second.restart(cluster.nowMs)).toBe("up");
    cluster.run(2_000);
    expect(read(cluster, second)).toBe(read(cluster, first));
    second.kill();
    while (second.snapshots.loseNewest()) {
      // until there is none
    }
    expect(second.restart(cluster.nowMs)).toBe("damaged");
  });

  it("is let in by nodes that have all archived what they could, and only from a snapshot", () => {
    const { cluster, first, second } = grown(4);
    for (const node of [0, 1]) cluster.inject({ kind: "archive", node });
    expect(cluster.reached.get("archive")).toBe(2);
    for (const node of [first, second]) {
      node.kill(); // and with it what it had in memory
      node.restart(cluster.nowMs);
    }
    write(cluster, 1);
    const third = cluster.join(first);
    expect([third.startsFromSnapshot, read(cluster, third) === read(cluster, first)]).toEqual([1, true]);
  });

  it("and its whole service stand a plan of such faults", () => {
    const forMs = 500;
    const plan = [
      { atMs: 3_000, fault: { kind: "snapshot-damage", node: 1, forMs } },
      { atMs: 5_000, fault: { kind: "archive", node: 0 } },
      { atMs: 6_000, fault: { kind: "archive", node: 2 } },
      { atMs: 7_000, fault: { kind: "replace", node: 1 } },
      { atMs: 10_000, fault: { kind: "wiped", node: 2, forMs } },
      { atMs: 15_000, fault: { kind: "snapshot-lost", node: 0, forMs } },
    ] as const;
    const report = simulate({ seed: 5, subject: registersSubject(), plan, snapshotEvery: 10, durationMs: 17_000 });
    expect(report.violation).toBeUndefined();
    const kinds = new Set(plan.map(({ fault }) => fault.kind));
    expect(new Set(report.reached.keys())).toEqual(kinds);
  });
});
