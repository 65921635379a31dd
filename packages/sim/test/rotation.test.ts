/** The ledger secret changes while nodes write, join, fail and come back (ledger spec §11.1). */
import { fromUtf8, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Cluster, type SimulatedNode } from "../src/index.js";

function put(cluster: Cluster, node: SimulatedNode, key: string, value: unknown = 1): number | undefined {
  return cluster.ask(node, { method: "PUT", path: `/records/${key}`, body: utf8(JSON.stringify({ value })) })?.status;
}

function get(cluster: Cluster, node: SimulatedNode, key: string): unknown {
  const answer = cluster.ask(node, { method: "GET", path: `/records/${key}` });
  return answer?.status === 200 ? JSON.parse(fromUtf8(answer.body)).value : undefined;
}

function primaryOf(cluster: Cluster): SimulatedNode {
  cluster.until(() => cluster.primary !== undefined);
  const { primary } = cluster;
  if (primary === undefined) throw new Error("there is one");
  return primary;
}

/** Until every node that is up has all that is committed. */
function settle(cluster: Cluster): void {
  cluster.until(() => cluster.primary !== undefined);
  cluster.run(3_000);
}

function three(seed: number): { cluster: Cluster; nodes: readonly SimulatedNode[] } {
  const cluster = new Cluster({ seed });
  const first = cluster.found();
  cluster.join(first);
  cluster.join(first);
  return { cluster, nodes: cluster.nodes };
}

/** Before the first rotation a node keeps nothing that its configuration does not say. */
const kept = (node: SimulatedNode): number => node.disk.secrets?.length ?? 1;

describe("changing the ledger secret", () => {
  it("gives every node the new secret, and leaves what was written readable", () => {
    const { cluster, nodes } = three(1);
    for (let round = 0; round < 3; round++) {
      expect(put(cluster, primaryOf(cluster), `before${round}`)).toBe(200);
      cluster.rotateSecret(primaryOf(cluster));
      expect(put(cluster, primaryOf(cluster), `after${round}`)).toBe(200);
    }
    settle(cluster);
    for (const node of nodes) {
      expect(kept(node)).toBe(4);
      for (let round = 0; round < 3; round++) {
        expect(get(cluster, node, `before${round}`)).toBe(1);
        expect(get(cluster, node, `after${round}`)).toBe(1);
      }
    }
    const secrets = nodes.map(({ disk }) => JSON.stringify(disk.secrets?.map(({ from, key }) => [from, [...key]])));
    expect(new Set(secrets).size).toBe(1);
  });
});
