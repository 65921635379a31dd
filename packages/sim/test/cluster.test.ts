import { nativeSuite } from "@sealane/crypto/native";
import { fromUtf8, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Cluster, type SimulatedNode } from "../src/index.js";

function put(cluster: Cluster, node: SimulatedNode, key: string, value: unknown): { status: number; body: unknown } {
  const answer = cluster.ask(node, { method: "PUT", path: `/records/${key}`, body: utf8(JSON.stringify({ value })) });
  return { status: answer?.status ?? 0, body: answer === undefined ? undefined : JSON.parse(fromUtf8(answer.body)) };
}

describe("a simulated cluster", () => {
  it("commits on one node", () => {
    const cluster = new Cluster({ seed: 1, suite: nativeSuite });
    const node = cluster.found();
    expect(put(cluster, node, "ship", "Vega")).toMatchObject({
      status: 200,
      body: { status: "committed", created: true },
    });
  });

  it("lets nodes join and commits what is written through a backup", () => {
    const cluster = new Cluster({ seed: 2, suite: nativeSuite });
    const first = cluster.found();
    const second = cluster.join(first);
    const third = cluster.join(first);
    expect(put(cluster, second, "a", 1)).toMatchObject({ status: 200, body: { status: "committed" } });
    expect(put(cluster, third, "b", 2)).toMatchObject({ status: 200, body: { status: "committed" } });
    cluster.run(1_000);
    for (const node of cluster.nodes) {
      const answer = cluster.ask(node, { method: "GET", path: "/records/b" });
      expect(JSON.parse(fromUtf8(answer?.body ?? new Uint8Array()))).toMatchObject({ key: "b", value: 2 });
    }
  });
});
