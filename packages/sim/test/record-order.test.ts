/** What a node seals for a peer leaves in the order it was sealed: on a network that loses nothing, nothing is refused. */
import { utf8 } from "@sealane/wire";
import { expect, it } from "vitest";
import { Cluster } from "../src/index.js";

it("many writes through backups on a sound network: every one is answered, and no record is refused", () => {
  const cluster = new Cluster({ seed: 1 });
  const first = cluster.found();
  const backups = [cluster.join(first), cluster.join(first)];
  cluster.run(1_000);
  const statuses: number[] = [];
  const WRITES = 400;
  for (let write = 0; write < WRITES; write++) {
    for (const backup of backups) {
      const body = utf8(`{"value":${write}}`);
      backup.request({ method: "PUT", path: `/records/k${write}`, body }, cluster.nowMs, ({ status }) => {
        statuses.push(status);
      });
    }
    cluster.run(cluster.random.below(4));
  }
  cluster.run(5_000);
  expect(statuses).toHaveLength(2 * WRITES);
  expect(statuses.every((status) => status === 200)).toBe(true);
  for (const node of cluster.nodes) {
    for (const { lastError } of node.state(cluster.nowMs)?.channels ?? [])
      expect(lastError).not.toBe("replayed-counter");
  }
});
