import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nativeSuite } from "@sealane/crypto/native";
import { LedgerSecrets, verifyLedger } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
import { fromBase64, parseTxId, seqno } from "@sealane/wire";
import { Agent, fetch } from "undici";
import { describe, expect, it } from "vitest";
import { type RunningNode, startNode } from "../src/index.js";
import { call, callBytes, found, joined, joinPending, refused, temporaryDir, WatchedNode } from "./support.js";

const recover = { service: { type: "recover" } } as const;
const resume = { service: { type: "resume" } } as const;

/** A service of three that has one record, and then loses two nodes for good. */
async function survivor(): Promise<{ node: RunningNode; dir: string; txId: string }> {
  const first = await found();
  const second = await joined(first);
  const third = await joined(first);
  const { body } = await call(third.node, "PUT", "/records/kept", { value: "yes" });
  await Promise.all([first, second, third].map(({ node }) => node.stop()));
  return { node: first.node, dir: first.dir, txId: (body as { txId: string }).txId };
}

async function fetchWith(ca = "", url = ""): Promise<unknown> {
  const dispatcher = new Agent({ connect: { ca } });
  try {
    return await fetch(`${url}/health`, { dispatcher });
  } finally {
    await dispatcher.close();
  }
}

/** The whole ledger of a node, read as an outsider with the secrets does. */
async function verified(dir: string, serviceCertificate = "") {
  const { ledgerSecrets } = JSON.parse(await readFile(join(dir, "node.private.json"), "utf8"));
  const secrets = new LedgerSecrets(
    ledgerSecrets.map(({ from, key }: { from: number; key: string }) => ({ from: seqno(from), key: fromBase64(key) })),
  );
  return verifyLedger(ledgerDirectory(join(dir, "ledger")), { suite: nativeSuite, secrets, serviceCertificate });
}

describe("a service of which a majority is lost", () => {
  it("goes on from the node that is left, under a new identity, with all that was signed", async () => {
    const { dir, node: before } = await survivor();
    const recovered = await WatchedNode.start({ ...recover, dataDir: dir });
    const { node } = recovered;
    expect(node.nodeId).toBe(before.nodeId);
    expect(node.serviceCertificate).not.toBe(before.serviceCertificate);
    expect(await readFile(join(dir, "service.pem"), "utf8")).toBe(node.serviceCertificate);
    expect(await call(node, "GET", "/records/kept")).toMatchObject({ body: { value: "yes" } });
    // The first signature of the recovered service already carries the certificate that its own identity endorsed.
    const { body: signature } = await call(node, "GET", `/tx/${node.state().committed}/receipt`);
    const trust = { crypto: suiteCrypto(nativeSuite), serviceCertificate: node.serviceCertificate ?? "" };
    expect(await verifyReceipt(JSON.stringify(signature), trust)).toHaveProperty("serviceId");
    expect(await call(node, "PUT", "/records/more", { value: "too" })).toMatchObject({ status: 200 });
    expect(
      node
        .state()
        .nodes.map(({ status, retiredCommitted }) => [status, retiredCommitted])
        .sort(),
    ).toEqual([
      ["retired", true],
      ["retired", true],
      ["trusted", undefined],
    ]);

    const added = await joined(recovered);
    expect(await call(added.node, "GET", "/records/kept")).toMatchObject({ body: { value: "yes" } });
    await Promise.all([added.node.stop(), node.stop()]);
    for (const path of [dir, added.dir]) {
      const facts = await verified(path, node.serviceCertificate);
      expect(facts).toMatchObject({ unsigned: 0, serviceIdentities: 2, serviceCertificate: node.serviceCertificate });
    }
    const [again, backup] = await Promise.all(
      [dir, added.dir].map((dataDir) => WatchedNode.start({ ...resume, dataDir })),
    );
    if (again === undefined || backup === undefined) throw new Error("two nodes come back");
    await Promise.race([again, backup].map((each) => each.until(() => each.node.state().role === "primary")));
    expect(await call(backup.node, "GET", "/records/more")).toMatchObject({ body: { value: "too" } });
  });

  it("is another service for those that come back after all, and for whoever knows its old certificate", async () => {
    const first = await found();
    const second = await joined(first);
    const third = await joined(first);
    await first.node.stop();
    const recovered = await WatchedNode.start({ ...recover, dataDir: first.dir });
    await joined(recovered);
    // The two others are a majority of the service as it was, which goes on without the first.
    await Promise.race([second, third].map((each) => each.until(() => each.node.state().role === "primary")));
    expect(await call(second.node, "PUT", "/records/there", { value: 1 })).toMatchObject({ status: 200 });
    expect(await call(recovered.node, "GET", "/records/there")).toMatchObject({ status: 404 });
    expect(recovered.node.state().channels.filter(({ open }) => open)).toHaveLength(1);
    expect(second.node.serviceCertificate).toBe(first.node.serviceCertificate);
    await expect(fetchWith(first.node.serviceCertificate, recovered.node.apiUrl)).rejects.toThrow("fetch failed");
  });

  it("keeps what was signed and not yet committed, as nobody can say that it was not", async () => {
    const first = await found();
    const second = await joined(first);
    await second.node.stop();
    expect(await call(first.node, "PUT", "/records/open", { value: 1 })).toMatchObject({ status: 503 });
    await first.node.stop();
    const recovered = await WatchedNode.start({ ...recover, dataDir: first.dir });
    expect(await call(recovered.node, "GET", "/records/open")).toMatchObject({ body: { value: 1 } });
  });

  it("is recovered once more when the first time was cut short, and not resumed", async () => {
    const { dir, txId } = await survivor();
    const once = await WatchedNode.start({ ...recover, dataDir: dir });
    await once.node.stop();
    const file = JSON.parse(await readFile(join(dir, "node.json"), "utf8"));
    await writeFile(join(dir, "node.json"), JSON.stringify({ ...file, recovering: true }));
    await expect(startNode({ ...resume, dataDir: dir })).rejects.toEqual(refused("recovery-unfinished"));
    const twice = await WatchedNode.start({ ...recover, dataDir: dir });
    expect(await call(twice.node, "GET", "/records/kept")).toMatchObject({ body: { value: "yes" } });
    // A receipt from before leads from the first identity over the second to the third.
    const { body } = await call(twice.node, "GET", `/tx/${txId}/receipt`);
    expect(body).toMatchObject({ service_endorsements: [expect.anything(), expect.anything()] });
    const receipt = JSON.stringify(body);
    const serviceCertificate = twice.node.serviceCertificate ?? "";
    const options = { crypto: suiteCrypto(nativeSuite), serviceCertificate };
    expect(await verifyReceipt(receipt, options)).toMatchObject({ transactionId: parseTxId(txId) });
    const before = { ...options, serviceCertificate: once.node.serviceCertificate ?? "" };
    await expect(verifyReceipt(receipt, before)).rejects.toMatchObject({ code: "not-endorsed" });

    await twice.node.stop();
    expect(await verified(dir, twice.node.serviceCertificate)).toMatchObject({ serviceIdentities: 3 });
    const back = await WatchedNode.start({ ...resume, dataDir: dir });
    await back.until(() => back.node.state().role === "primary");
    expect(await call(back.node, "PUT", "/records/more", { value: 1 })).toMatchObject({ status: 200 });
  });

  it("takes a snapshot anew, as nobody who joins believes those of the former identity", async () => {
    const snapshotEvery = 20;
    const first = await WatchedNode.start({ service: { type: "new" }, snapshotEvery });
    for (let n = 0; n < 30; n++) await call(first.node, "PUT", `/records/k${n}`, { value: n });
    const { lastSeqno } = first.node.state();
    await first.node.stop();
    const recovered = await WatchedNode.start({ ...recover, dataDir: first.dir, snapshotEvery });
    // Its evidence is still to be written and committed.
    const path = `/node/snapshot?since=${lastSeqno + 1}`;
    while ((await callBytes(recovered.node, path)).status !== 200) await call(recovered.node, "GET", "/records/k7");
    const added = await joined(recovered, { snapshotEvery });
    expect(await call(added.node, "GET", "/records/k7")).toMatchObject({ body: { value: 7 } });
    const names = (await readdir(join(added.dir, "snapshots"))).filter((name) => name.endsWith(".committed"));
    expect(names).not.toEqual([]);
    for (const name of names) expect(Number(name.split("_")[1])).toBeGreaterThan(lastSeqno);
  });

  it("is not recovered from a node that was never trusted, or from nothing", async () => {
    const first = await found();
    const pending = await joinPending(first);
    await pending.node.stop();
    await expect(startNode({ ...recover, dataDir: pending.dir })).rejects.toEqual(refused("data-dir-empty"));
    await expect(startNode({ ...recover, dataDir: await temporaryDir() })).rejects.toEqual(refused("data-dir-empty"));
  });
});
