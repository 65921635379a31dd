/** A node whose ledger secret was changed twice: the explorer opens what was written under each, and so does whoever has the exported file. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type Fetch } from "@sealane/client";
import { parseCertificate, pemDecode, spkiHash } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { decodeEntry, entriesFrom, LedgerSecrets, verifyLedger } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
import { startNode } from "@sealane/node";
import { ballotBytes, base64, fromHex, parseTxId, type Seqno, seqno } from "@sealane/wire";
import { Agent, fetch } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { ledgerPage, openedEntry, receiptFor } from "../src/ledger-explorer.js";
import { exportSecrets } from "../src/secrets.js";
import { MEMBER_KEY_FILE } from "../src/trust.js";

test("every entry opens, under the secret it was written with", { timeout: 60_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), "sealane-secrets-test-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const dataDir = join(dir, "node");
  const node = await startNode({ dataDir, service: { type: "new" } });
  onTestFinished(() => node.stop());
  const serviceCertificate = node.serviceCertificate ?? "";
  const agent = new Agent({ connect: { ca: serviceCertificate } });
  onTestFinished(() => agent.destroy());
  const pinned: Fetch = (url, init) => fetch(url, { ...init, dispatcher: agent });
  const client = createClient({ urls: [node.apiUrl], fetch: pinned });

  const key = nativeSuite.importPrivateKey(
    pemDecode("PRIVATE KEY", await readFile(join(dataDir, MEMBER_KEY_FILE), "utf8")),
  );
  const service = parseCertificate(nativeSuite, pemDecode("CERTIFICATE", serviceCertificate));
  const rotate = async () => {
    const { ledgerSecretSeqno: current } = await client.network();
    const action = { type: "rotate-ledger-secret", current } as const;
    const bytes = ballotBytes(spkiHash(nativeSuite, service.publicKey.spki), action);
    const memberId = spkiHash(nativeSuite, key.publicKey.spki);
    await client.ballot({ action, memberId, signature: base64(nativeSuite.sign(key.privateKey, bytes)) });
  };
  const written: Seqno[] = [];
  const put = async (value: string) => written.push(parseTxId((await client.put("ship", value)).txId).seqno);
  for (const value of ["first", "second", "third"]) {
    if (value !== "first") await rotate();
    await put(value);
  }
  const committed = parseTxId(node.state().committed).seqno;

  for (const [index, at] of written.entries()) {
    const value = JSON.stringify(["first", "second", "third"][index]);
    expect(await openedEntry(dataDir, at)).toEqual({
      maps: [{ name: "records", writes: [{ key: "ship", value }], removes: [] }],
    });
    const { receipt } = await receiptFor(dataDir, at, committed);
    const facts = await verifyReceipt(receipt, { crypto: suiteCrypto(nativeSuite), serviceCertificate });
    expect(facts.transactionId?.seqno).toBe(at);
  }
  const { entries } = await ledgerPage(dataDir, 1, 100);
  for (const { seqno: at } of entries) await openedEntry(dataDir, seqno(at));

  const file = join(dir, "secrets.json");
  await exportSecrets(dataDir, file);
  const exported = JSON.parse(await readFile(file, "utf8")) as { from_seqno: number; key: string }[];
  expect(exported.map(({ from_seqno: from }) => from)).toHaveLength(3);
  const secrets = new LedgerSecrets(
    exported.map(({ from_seqno: from, key: hex }) => ({ from: seqno(from), key: fromHex(hex) })),
  );
  const source = ledgerDirectory(join(dataDir, "ledger"));
  for await (const { bytes } of entriesFrom(source, 1)) decodeEntry(nativeSuite, secrets, bytes);
  expect(await verifyLedger(source, { suite: nativeSuite, secrets, serviceCertificate })).toMatchObject({ ok: true });
  // And each of them is needed.
  for (const { from_seqno: from } of exported.slice(1)) {
    const fewer = new LedgerSecrets(secrets.list().filter((secret) => secret.from !== from));
    expect(await verifyLedger(source, { suite: nativeSuite, secrets: fewer })).toMatchObject({ ok: false });
  }
});
