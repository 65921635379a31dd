import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { LedgerSecrets, verifyLedger } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
import { fromBase64, seqno } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { call, callBytes, joinPending, pair, rotate, trust, WatchedNode } from "./support.js";

async function keptSecrets(dir: string) {
  const file = JSON.parse(await readFile(join(dir, "node.private.json"), "utf8"));
  return file.ledgerSecrets as { from: number; key: string; isLearned?: true }[];
}

async function current({ node }: WatchedNode): Promise<number> {
  const { body } = await call(node, "GET", "/node/network");
  return (body as { ledgerSecretSeqno: number }).ledgerSecretSeqno;
}

const put = async ({ node }: WatchedNode, key: string): Promise<string> => {
  const { status, body } = await call(node, "PUT", `/records/${key}`, { value: key });
  expect(status).toBe(200);
  return (body as { txId: string }).txId;
};

describe("changing the ledger secret", () => {
  it("reaches every node, survives restarts, and leaves the whole ledger readable", async () => {
    const { primary, backup } = await pair();
    const before = await put(primary, "before");
    expect(await current(primary)).toBe(1);
    expect(await rotate(primary, 1)).toMatchObject({ status: 200, body: { status: "accepted" } });
    const second = await current(primary);
    expect(second).toBeGreaterThan(1);
    const after = await put(backup, "after");

    // The same ballot again changes nothing; one for a secret that there is not is refused.
    expect(await rotate(primary, 1)).toMatchObject({ status: 200, body: { status: "accepted" } });
    expect(await current(primary)).toBe(second);
    expect(await rotate(primary, second + 1)).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });

    const joiner = await joinPending(primary);
    await trust(primary, joiner.node.nodeId);
    await joiner.node.ready;
    expect(await rotate(primary, second)).toMatchObject({ status: 200 });
    const last = await put(joiner, "last");

    const all = [primary, backup, joiner];
    await Promise.all(all.map(({ node }) => node.stop()));
    for (const { dir } of all) {
      const secrets = await keptSecrets(dir);
      expect(secrets.map(({ from }) => from)).toEqual([1, second, expect.any(Number)]);
      const result = await verifyLedger(ledgerDirectory(join(dir, "ledger")), {
        suite,
        secrets: new LedgerSecrets(secrets.map(({ from, key }) => ({ from: seqno(from), key: fromBase64(key) }))),
      });
      expect(result).toMatchObject({ ok: true });
      const tooFew = new LedgerSecrets(
        secrets.slice(0, 2).map(({ from, key }) => ({ from: seqno(from), key: fromBase64(key) })),
      );
      expect(await verifyLedger(ledgerDirectory(join(dir, "ledger")), { suite, secrets: tooFew })).toMatchObject({
        ok: false,
      });
    }

    const again = await Promise.all(
      all.map(({ dir }) => WatchedNode.start({ dataDir: dir, service: { type: "resume" } })),
    );
    await Promise.race(again.map((node) => node.until(() => node.node.state().role === "primary")));
    const [first] = again;
    if (first === undefined) throw new Error("three came back");
    await put(first, "more");
    const serviceCertificate = first.node.serviceCertificate ?? "";
    for (const [key, txId] of [
      ["before", before],
      ["after", after],
      ["last", last],
    ] as const) {
      expect(await call(first.node, "GET", `/records/${key}`)).toMatchObject({ body: { value: key } });
      const { body } = await callBytes(first.node, `/tx/${txId}/receipt`);
      await verifyReceipt(body, { crypto: suiteCrypto(suite), serviceCertificate });
    }
  });
});
