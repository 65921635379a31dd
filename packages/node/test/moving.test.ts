import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { call, joined, pair, refused, WatchedNode } from "./support.js";

const resume = { service: { type: "resume" } } as const;

function recordedAt(by: WatchedNode, of: WatchedNode) {
  const node = by.node.state().nodes.find(({ id }) => id === of.node.nodeId);
  return { nodeAddress: node?.nodeAddress, apiAddress: node?.apiAddress };
}

function isAt(by: WatchedNode, of: WatchedNode): boolean {
  return recordedAt(by, of).nodeAddress === of.node.nodeAddress && recordedAt(by, of).apiAddress === of.node.apiAddress;
}

/** Settles when what `first` has committed by now is committed at `second` too. */
async function caughtUp(first: WatchedNode, second: WatchedNode): Promise<void> {
  const seqnoOf = ({ node }: WatchedNode) => Number(node.state().committed.split(".")[1]);
  expect(await call(first.node, "PUT", "/records/last", { value: 1 })).toMatchObject({ status: 200 });
  const reached = seqnoOf(first);
  await second.until(() => seqnoOf(second) >= reached);
}

/** Ports that were free a moment ago. */
async function free() {
  const ports = await Promise.all(
    [0, 0].map(async (port) => {
      const server = createServer().listen(port, "localhost");
      await once(server, "listening");
      const address = server.address();
      server.close();
      return typeof address === "object" ? (address?.port ?? 0) : 0;
    }),
  );
  const [node = 0, api = 0] = ports;
  return { node: { host: "localhost", port: node }, api: { host: "localhost", port: api } };
}

describe("a node that comes back at another address", () => {
  it("tells its service, is found there, and stays there", async () => {
    const { primary, backup } = await pair();
    await backup.node.stop();
    const moved = await WatchedNode.start({ ...resume, dataDir: backup.dir, ...(await free()) });
    expect(moved.node.apiAddress).toContain("localhost:");
    await primary.until(() => isAt(primary, moved));
    await caughtUp(primary, moved);
    // Its certificate is for the new host: TLS checks that.
    expect(await call(moved.node, "PUT", "/records/k", { value: 1 })).toMatchObject({ status: 200 });
    await moved.node.stop();

    const again = await WatchedNode.start({ ...resume, dataDir: backup.dir });
    expect(again.node.apiAddress).toBe(moved.node.apiAddress);
    await again.until(() => again.node.state().primary !== null);
    expect(await call(again.node, "GET", "/records/k")).toMatchObject({ status: 200 });
  });

  it("may be the primary", async () => {
    const { primary, backup } = await pair();
    await primary.node.stop();
    const moved = await WatchedNode.start({ ...resume, dataDir: primary.dir, ...(await free()) });
    await backup.until(() => isAt(backup, moved));
    expect(await call(backup.node, "PUT", "/records/k", { value: 1 })).toMatchObject({ status: 200 });
  });

  it("keeps a published address that is not the one it listens at", async () => {
    const { primary, backup } = await pair();
    const third = await joined(primary, { api: { host: "127.0.0.1", port: 0, published: "localhost:9" } });
    await third.node.stop();
    const back = await WatchedNode.start({ ...resume, dataDir: third.dir, api: (await free()).api });
    expect(back.node.apiAddress).toBe("localhost:9");
    expect(backup.node.nodeAddress).not.toBe(back.node.nodeAddress);
  });

  it("does not come back at another node's", async () => {
    const { primary, backup } = await pair();
    await backup.node.stop();
    const node = { host: "127.0.0.1", port: 0, published: primary.node.nodeAddress };
    const moved = await WatchedNode.start({ ...resume, dataDir: backup.dir, node });
    await expect(moved.node.closed).rejects.toEqual(refused("bad-address"));
    expect(recordedAt(primary, backup).nodeAddress).toBe(backup.node.nodeAddress);
  });

  it("has the certificate it was given last in its directory", async () => {
    const { primary, backup } = await pair();
    const before = await readFile(join(backup.dir, "node.json"), "utf8");
    await backup.node.stop();
    const moved = await WatchedNode.start({ ...resume, dataDir: backup.dir, ...(await free()) });
    await primary.until(() => isAt(primary, moved));
    await caughtUp(primary, moved);
    await moved.node.stop();
    const after = await readFile(join(backup.dir, "node.json"), "utf8");
    expect(JSON.parse(after).certificate).not.toBe(JSON.parse(before).certificate);
  });
});
