import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { LedgerSecrets, verifyLedger, verifySnapshot } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { fromBase64, seqno } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { startNode } from "../src/index.js";
import { call, joined, rotate, WatchedNode } from "./support.js";

const EVERY = 20;

const snapshotsOf = ({ dir }: WatchedNode) => readdir(join(dir, "snapshots"));
const committedOf = async (node: WatchedNode) =>
  (await snapshotsOf(node)).filter((name) => name.endsWith(".committed"));
async function put({ node }: WatchedNode, key: string, value: unknown = key): Promise<void> {
  let status = 503; // as long as there is no primary
  while (status === 503) ({ status } = await call(node, "PUT", `/records/${key}`, { value }));
  expect(status).toBe(200);
}
const get = async ({ node }: WatchedNode, key: string) =>
  ((await call(node, "GET", `/records/${key}`)).body as { value?: unknown }).value;
const resume = (node: WatchedNode) =>
  WatchedNode.start({ dataDir: node.dir, service: { type: "resume" }, snapshotEvery: EVERY });

async function secretsOf({ dir }: WatchedNode): Promise<LedgerSecrets> {
  const { ledgerSecrets } = JSON.parse(await readFile(join(dir, "node.private.json"), "utf8"));
  const secrets = ledgerSecrets as { from: number; key: string }[];
  return new LedgerSecrets(secrets.map(({ from, key }) => ({ from: seqno(from), key: fromBase64(key) })));
}

/** A service whose one node has taken snapshots. */
async function withSnapshots(): Promise<WatchedNode> {
  const first = await WatchedNode.start({ service: { type: "new" }, snapshotEvery: EVERY });
  for (let index = 0; index < 60; index++) await put(first, `k${index}`);
  await put(first, "k1", "changed");
  await first.node.stop();
  expect(await committedOf(first)).toHaveLength(2); // the newest two of several
  return first;
}

describe("a node's snapshots", () => {
  it("are proven by the service, and a restart goes on from the newest", async () => {
    const first = await withSnapshots();
    const [name = ""] = (await committedOf(first)).slice(-1);
    const serviceCertificates = [await readFile(join(first.dir, "service.pem"), "utf8")];
    const secrets = await secretsOf(first);
    const file = new Uint8Array(await readFile(join(first.dir, "snapshots", name)));
    const { base } = await verifySnapshot(file, { suite, secrets, serviceCertificates });

    // All that the snapshot stands for is gone: what comes back comes from it.
    const chunks = await readdir(join(first.dir, "ledger"));
    const below = chunks.filter((chunk) => Number(chunk.split("_")[1]?.split(/[-.]/)[0]) <= base.seqno);
    for (const chunk of below) await rm(join(first.dir, "ledger", chunk));
    expect(below.length).toBeGreaterThan(0);
    const again = await resume(first);
    await put(again, "back"); // what it read back is committed again with this
    expect([await get(again, "k0"), await get(again, "k1"), await get(again, "k59")]).toEqual(["k0", "changed", "k59"]);
    for (let index = 0; index < 30; index++) await put(again, `more${index}`);
    await again.node.stop();
    expect((await committedOf(first)).at(-1)).not.toBe(name);
    const third = await resume(again);
    await put(third, "done"); // what it read back is committed again with this
    expect(await get(third, "more29")).toBe("more29");
  });

  it("that do not verify are stepped over; the ledger says the same", async () => {
    const first = await withSnapshots();
    const names = await committedOf(first);
    for (const [index, name] of names.entries()) {
      const path = join(first.dir, "snapshots", name);
      const bytes = await readFile(path);
      if (index === 0) bytes[200] = (bytes[200] ?? 0) ^ 1; // a flipped bit
      await writeFile(path, index === 0 ? bytes : bytes.subarray(0, bytes.length - 10)); // a receipt cut short
    }
    const again = await resume(first);
    await put(again, "back"); // what it read back is committed again with this
    expect([await get(again, "k0"), await get(again, "k1")]).toEqual(["k0", "changed"]);
  });

  it("of another service are refused, and without a ledger to read nothing starts and nothing changes", async () => {
    const first = await withSnapshots();
    const stranger = await withSnapshots();
    for (const name of await snapshotsOf(first)) await rm(join(first.dir, "snapshots", name));
    for (const name of await snapshotsOf(stranger)) {
      await writeFile(join(first.dir, "snapshots", name), await readFile(join(stranger.dir, "snapshots", name)));
    }
    const chunks = (await readdir(join(first.dir, "ledger"))).sort();
    const oldest = chunks.find((chunk) => chunk.startsWith("ledger_1-")) ?? "";
    await rm(join(first.dir, "ledger", oldest));
    const before = [...(await readdir(join(first.dir, "ledger"))), ...(await snapshotsOf(first))];
    const error = await startNode({ dataDir: first.dir, service: { type: "resume" } }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: "NodeError", code: "fault" });
    expect(String(error)).toContain("no snapshot stands before it that can be used");
    expect([...(await readdir(join(first.dir, "ledger"))), ...(await snapshotsOf(first))]).toEqual(before);
  });

  it("are taken by every node for itself, across changes of the ledger secret and of the nodes", async () => {
    const first = await WatchedNode.start({ service: { type: "new" }, snapshotEvery: EVERY });
    await put(first, "early");
    const second = await joined(first, { snapshotEvery: EVERY });
    expect(await rotate(first, 1)).toMatchObject({ status: 200 });
    for (let index = 0; index < 50; index++) await put(second, `k${index}`);
    await Promise.all([first.node.stop(), second.node.stop()]);
    const names = await Promise.all([committedOf(first), committedOf(second)]);
    expect(names[0].length).toBeGreaterThan(0);
    const common = names[0].filter((name) => names[1].includes(name));
    expect(common.length).toBeGreaterThan(0);
    for (const name of common) {
      const [one, other] = await Promise.all([first, second].map(({ dir }) => readFile(join(dir, "snapshots", name))));
      expect(one?.equals(other ?? Buffer.alloc(0))).toBe(true);
    }
    const again = await Promise.all([resume(first), resume(second)]);
    await Promise.race(again.map((node) => node.until(() => node.node.state().role === "primary")));
    await put(again[0], "last");
    await again[1].until(() => again[1].node.state().committed === again[0].node.state().committed);
    expect([await get(again[1], "early"), await get(again[1], "k49")]).toEqual(["early", "k49"]);
    await Promise.all(again.map(({ node }) => node.stop()));
    for (const node of again) {
      const options = { suite, secrets: await secretsOf(node) };
      expect(await verifyLedger(ledgerDirectory(join(node.dir, "ledger")), options)).toMatchObject({ ok: true });
    }
  });
});
