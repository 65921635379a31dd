/** Snapshots are taken while nodes fail, join, change their primary and their ledger secret (ledger spec §10.3). */
import { nativeSuite } from "@sealane/crypto/native";
import { LedgerSecrets, verifySnapshot } from "@sealane/ledger";
import { concatBytes, equalBytes, fromUtf8, utf8 } from "@sealane/wire";
import { expect, it } from "vitest";
import { Cluster, type SimulatedNode } from "../src/index.js";

async function disturbed(seed: number) {
  const cluster = new Cluster({ seed, suite: nativeSuite, snapshotEvery: 8 });
  const first = cluster.found();
  cluster.join(first);
  cluster.join(first);
  const { nodes } = cluster;
  cluster.network.setFaults({ loss: 0.05, duplicate: 0.05, reorder: 0.05, reorderMs: 30, delayMs: [1, 20] });
  for (let step = 0; step < 60; step++) {
    const node = cluster.random.pick(nodes);
    const dice = cluster.random.float();
    if (dice < 0.7 && node.isUp) {
      const body = utf8(JSON.stringify({ value: step }));
      node.request({ method: "PUT", path: `/records/k${step % 7}`, body }, cluster.nowMs, () => {});
    } else if (dice < 0.8) {
      if (node.isUp) node.kill(cluster.random.pick(["lost-suffix", "torn-write"]));
      else expect(node.restart(cluster.nowMs)).toBe("up");
    } else if (dice < 0.86) {
      const other = cluster.random.pick(nodes);
      if (other !== node) cluster.network.cut(node.id, other.id, "both");
    } else if (dice < 0.96) cluster.network.heal();
    cluster.run(cluster.random.below(300));
  }
  cluster.network.heal();
  cluster.network.setFaults({ loss: 0, duplicate: 0, reorder: 0, delayMs: [1, 2] });
  for (const node of nodes) if (!node.isUp) expect(node.restart(cluster.nowMs)).toBe("up");
  cluster.until(() => cluster.primary !== undefined);
  for (let round = 0; round < 12; round++) {
    const { primary } = cluster;
    if (primary === undefined) continue;
    cluster.ask(primary, { method: "PUT", path: "/records/calm", body: utf8(JSON.stringify({ value: round })) });
    if (round === 5) cluster.rotateSecret(primary);
  }
  cluster.run(3_000);
  return cluster;
}

it("are the same on every node, and proven by the service, whatever fails meanwhile", { timeout: 60_000 }, async () => {
  let taken = 0;
  for (let seed = 1; seed <= 3; seed++) {
    const cluster = await disturbed(seed);
    const answer = cluster.ask(primaryOf(cluster), { method: "GET", path: "/node/network" });
    const { serviceCertificate } = JSON.parse(fromUtf8(answer?.body ?? new Uint8Array()));
    const bytesAt = new Map<number, Uint8Array>();
    for (const node of cluster.nodes) {
      expect([seed, node.snapshots.committed.size > 0]).toEqual([seed, true]); // faults have ended: each has one of the calm at least
      const secrets = new LedgerSecrets(node.disk.secrets ?? node.config.ledgerSecrets);
      for (const [at, { bytes, receipt }] of node.snapshots.committed) {
        taken += 1;
        expect(equalBytes(bytes, bytesAt.get(at) ?? bytes)).toBe(true);
        bytesAt.set(at, bytes);
        const options = { suite: nativeSuite, secrets, serviceCertificates: [serviceCertificate] };
        expect((await verifySnapshot(concatBytes(bytes, receipt), options)).base.seqno).toBe(at);
      }
    }
  }
  expect(taken).toBeGreaterThan(10);
});

function primaryOf({ primary }: Cluster): SimulatedNode {
  if (primary === undefined) throw new Error("faults have ended: there is a primary");
  return primary;
}
