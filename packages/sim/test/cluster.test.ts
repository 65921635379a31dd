import { nativeSuite } from "@sealane/crypto/native";
import { CERTIFICATE_BYTES_MAX, fromUtf8, utf8 } from "@sealane/wire";
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

  it("refuses a client's certificate that is too large to be forwarded, wherever it is shown", () => {
    const cluster = new Cluster({ seed: 3, suite: nativeSuite });
    const primary = cluster.found();
    const backup = cluster.join(primary);
    const write = { method: "PUT", path: "/records/a", body: utf8('{"value":1}') };
    for (const node of [primary, backup]) {
      const ask = (bytes: number) => cluster.ask(node, { ...write, callerCertificate: new Uint8Array(bytes) });
      const refused = ask(CERTIFICATE_BYTES_MAX + 1);
      expect(refused?.status).toBe(413);
      expect(JSON.parse(fromUtf8(refused?.body ?? new Uint8Array()))).toMatchObject({ error: { code: "too-large" } });
      expect(ask(CERTIFICATE_BYTES_MAX)?.status).toBe(200);
    }
  });
});
