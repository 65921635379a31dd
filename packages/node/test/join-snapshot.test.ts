/** A node that joins from a snapshot: it has the state and what comes after, and does all that others do (ledger spec §12). */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { LedgerSecrets, verifyLedger } from "@sealane/ledger";
import { archiveBelow, ledgerDirectory, snapshotDirectory } from "@sealane/ledger/files";
import { fromBase64, seqno } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { call, cast, joined, joinPending, remove, rotate, trust, WatchedNode } from "./support.js";

const EVERY = 20;

async function put({ node }: WatchedNode, key: string, value: unknown = key): Promise<string> {
  for (;;) {
    const { status, body } = await call(node, "PUT", `/records/${key}`, { value });
    if (status === 200) return (body as { txId: string }).txId;
    expect(status).toBe(503); // as long as there is no primary
  }
}
const get = async ({ node }: WatchedNode, key: string, query = "") =>
  ((await call(node, "GET", `/records/${key}${query}`)).body as { value?: unknown }).value;
const filesIn = ({ dir }: WatchedNode, name: "ledger" | "snapshots") => readdir(join(dir, name));
const firstOf = async (node: WatchedNode) =>
  Math.min(...(await filesIn(node, "ledger")).map((name) => Number(name.split("_")[1]?.split(/[-.]/)[0])));

/** A service of one node that has taken snapshots. */
async function withSnapshots(): Promise<WatchedNode> {
  const first = await WatchedNode.start({ service: { type: "new" }, snapshotEvery: EVERY });
  for (let index = 0; index < 50; index++) await put(first, `k${index}`);
  await put(first, "k1", "changed");
  return first;
}

async function secretsOf({ dir }: WatchedNode): Promise<LedgerSecrets> {
  const { ledgerSecrets } = JSON.parse(await readFile(join(dir, "node.private.json"), "utf8"));
  const secrets = ledgerSecrets as { from: number; key: string }[];
  return new LedgerSecrets(secrets.map(({ from, key }) => ({ from: seqno(from), key: fromBase64(key) })));
}

async function verified(node: WatchedNode) {
  return verifyLedger(ledgerDirectory(join(node.dir, "ledger")), {
    suite,
    secrets: await secretsOf(node),
    snapshots: snapshotDirectory(join(node.dir, "snapshots")),
  });
}

/** Moves away all that the snapshots of a node stand for. */
async function archive(node: WatchedNode): Promise<void> {
  const target = await mkdtemp(join(tmpdir(), "sealane-archive-"));
  const snapshots = join(node.dir, "snapshots");
  const { moved } = await archiveBelow(join(node.dir, "ledger"), target, { suite, snapshots });
  await rm(target, { recursive: true });
  expect(moved.length).toBeGreaterThan(0);
}

describe("a node that joins from a snapshot", () => {
  it("has its state and what comes behind it, and a ledger directory that verifies", async () => {
    const first = await withSnapshots();
    const early = await put(first, "before");
    const second = await joined(first, { snapshotEvery: EVERY });
    await put(first, "after");
    await second.until(() => second.node.state().committed === first.node.state().committed);
    const local = "?consistency=serializable";
    for (const [key, value] of [
      ["k0", "k0"],
      ["k1", "changed"],
      ["before", "before"],
      ["after", "after"],
    ] as const) {
      expect(await get(second, key, local)).toBe(value);
    }
    const late = await put(second, "late");
    expect((await call(second.node, "GET", `/tx/${late}/receipt`)).status).toBe(200);
    expect((await call(second.node, "GET", `/tx/${early}`)).body).toMatchObject({ status: "committed" });
    // What is before its snapshot it cannot read, and says so.
    const [, genesis] = early.split(".");
    expect(Number(genesis)).toBeGreaterThan(2);
    expect(await call(second.node, "GET", "/tx/2.1/receipt")).toMatchObject({
      status: 404,
      body: { error: { code: "not-held", retryable: true } },
    });
    await second.node.stop();
    expect(await firstOf(second)).toBeGreaterThan(EVERY);
    expect(await verified(second)).toMatchObject({ ok: true });
  });

  it("comes back from it, leads, and lets another one in, though no node has the beginning any more", async () => {
    const first = await withSnapshots();
    const second = await joined(first, { snapshotEvery: EVERY });
    await second.node.stop();
    const again = await WatchedNode.start({
      dataDir: second.dir,
      service: { type: "resume" },
      snapshotEvery: EVERY,
    });
    await put(again, "back");
    expect(await get(again, "k1")).toBe("changed");
    await remove(first, first.node.nodeId, again);
    await again.until(() => again.node.state().role === "primary");
    await put(again, "alone");
    await again.until(() => again.node.state().nodes.some(({ retiredCommitted }) => retiredCommitted === true));
    for (let index = 0; index < 30; index++) await put(again, `later${index}`);
    const third = await joinPending(again, { snapshotEvery: EVERY });
    await cast(first, again, { type: "trust-node", nodeId: third.node.nodeId });
    await third.node.ready;
    expect(await get(third, "k49")).toBe("k49");
    expect(await get(third, "later29")).toBe("later29");
    // Nor can anybody replay what is gone.
    const late = await WatchedNode.start({
      service: {
        type: "join",
        url: again.node.apiUrl,
        serviceCertificate: again.node.serviceCertificate ?? "",
        from: "beginning",
      },
    });
    await expect(late.node.ready).rejects.toMatchObject({ code: "snapshot-too-old" });
  });

  it("joins a primary whose chunks were archived", async () => {
    const founder = await withSnapshots();
    await founder.node.stop();
    await archive(founder);
    const first = await WatchedNode.start({ dataDir: founder.dir, service: { type: "resume" }, snapshotEvery: EVERY });
    await put(first, "back");
    const second = await joined(first, { snapshotEvery: EVERY });
    expect(await get(second, "k1", "?consistency=serializable")).toBe("changed");
    expect(await get(second, "k0")).toBe("k0");
  });

  it("joins a service that was recovered, of which older snapshots are another service's", async () => {
    const founder = await withSnapshots();
    await founder.node.stop();
    const first = await WatchedNode.start({ dataDir: founder.dir, service: { type: "recover" }, snapshotEvery: EVERY });
    const second = await joined(first, { snapshotEvery: EVERY });
    expect(await get(second, "k1", "?consistency=serializable")).toBe("changed");
    await put(second, "after");
    expect(await get(second, "after")).toBe("after");
  });

  it("has the ledger secrets that were made before it came, and learns those that come", async () => {
    const first = await WatchedNode.start({ service: { type: "new" }, snapshotEvery: EVERY });
    await put(first, "oldest");
    expect(await rotate(first, 1)).toMatchObject({ status: 200 });
    for (let index = 0; index < 50; index++) await put(first, `k${index}`);
    const second = await joined(first, { snapshotEvery: EVERY });
    const { ledgerSecretSeqno } = (await call(first.node, "GET", "/node/network")).body as {
      ledgerSecretSeqno: number;
    };
    expect(await rotate(first, ledgerSecretSeqno)).toMatchObject({ status: 200 });
    await put(second, "newest");
    expect([await get(second, "oldest"), await get(second, "k49")]).toEqual(["oldest", "k49"]);
    await second.node.stop();
    const again = await WatchedNode.start({ dataDir: second.dir, service: { type: "resume" }, snapshotEvery: EVERY });
    await put(again, "back");
    expect(await get(again, "newest")).toBe("newest");
  });

  it("waits to be trusted with it, and takes no snapshot when it is told to begin at the beginning", async () => {
    const first = await withSnapshots();
    const pending = await joinPending(first, { snapshotEvery: EVERY });
    expect((await filesIn(pending, "snapshots")).length).toBe(1); // fetched and verified, and no member yet
    await pending.node.stop();
    const again = await WatchedNode.start({ dataDir: pending.dir, service: { type: "resume" }, snapshotEvery: EVERY });
    await trust(first, again.node.nodeId);
    await again.node.ready;
    expect(await get(again, "k1")).toBe("changed");
    expect(await firstOf(again)).toBeGreaterThan(EVERY);
    const whole = await WatchedNode.start({
      service: {
        type: "join",
        url: first.node.apiUrl,
        serviceCertificate: first.node.serviceCertificate ?? "",
        from: "beginning",
      },
    });
    await first.until(() => first.node.state().nodes.some(({ id }) => id === whole.node.nodeId));
    await trust(first, whole.node.nodeId);
    await whole.node.ready;
    expect(await get(whole, "k1")).toBe("changed");
    await whole.node.stop();
    expect(await firstOf(whole)).toBe(1);
  });
});
