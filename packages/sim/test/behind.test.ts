/** Nodes that missed a change of members find back to the service (decision 0016). */
import { FRAME_CHANNEL, NodeId, utf8 } from "@sealane/wire";
import { expect, it } from "vitest";
import { Cluster, type SimulatedNode } from "../src/index.js";

function put(cluster: Cluster, node: SimulatedNode, key: string): number | undefined {
  return cluster.ask(node, { method: "PUT", path: `/records/${key}`, body: utf8('{"value":1}') })?.status;
}

it("a node that was down while the primary of now joined catches up from it", () => {
  const cluster = new Cluster({ seed: 3 });
  const first = cluster.found();
  const second = cluster.join(first);
  const third = cluster.join(first);
  third.kill();
  const fourth = cluster.join(first); // unknown to the third
  cluster.remove(first, second);
  first.kill();
  cluster.until(() => {
    if (cluster.primary === fourth) return true;
    second.kill();
    cluster.run(1_000); // the fourth has been a candidate for a while when the second comes back and votes
    second.restart(cluster.nowMs);
    cluster.run(900);
    return false;
  });
  expect(put(cluster, fourth, "after")).toBe(200);
  expect(third.restart(cluster.nowMs)).toBe("up");
  cluster.until(() => third.committed === fourth.committed, 5_000);
  expect(cluster.primary).toBe(fourth);
});

it("a joiner whose trust was rolled back asks again, and is let in", () => {
  const cluster = new Cluster({ seed: 1 });
  const first = cluster.found();
  cluster.join(first);
  cluster.join(first);
  // The primary is alone: what it records cannot commit, and is lost to the next view.
  cluster.inject({ kind: "partition", side: [0], forMs: 4_000 });
  const fourth = cluster.join(first);
  expect(cluster.primary).not.toBe(first);
  expect(put(cluster, fourth, "after")).toBe(200);
});

it("nobody gets a channel for claiming to be a node that came later, and four at most get a try", () => {
  const cluster = new Cluster({ seed: 2 });
  const first = cluster.found();
  const second = cluster.join(first);
  const strangers = Array.from({ length: 20 }, (_, index) => NodeId.parse((index + 1).toString(16).padStart(64, "0")));
  let answered = 0;
  for (const self of strangers) {
    const transport = cluster.network.transport({
      self,
      onFrame: () => {
        answered++;
        return "unproven";
      },
    });
    transport.send(second.id, FRAME_CHANNEL, [Uint8Array.of(1, 2, 3)]);
  }
  cluster.run(50);
  expect(second.state(cluster.nowMs)?.channels).toHaveLength(1); // it has a primary

  first.kill();
  cluster.until(() => second.role === "candidate");
  for (const self of strangers) {
    cluster.network.crash(self);
    const transport = cluster.network.transport({ self, onFrame: () => "unproven" });
    transport.send(second.id, FRAME_CHANNEL, [Uint8Array.of(1, 2, 3)]);
  }
  cluster.run(50);
  const open = second.state(cluster.nowMs)?.channels ?? [];
  expect(open).toHaveLength(1 + 4);
  expect(open.some(({ open: isOpen, peer }) => isOpen && peer !== first.id)).toBe(false);
  cluster.run(1_100); // one election timeout
  expect(second.state(cluster.nowMs)?.channels).toHaveLength(1);
  expect(answered).toBe(0);
});
