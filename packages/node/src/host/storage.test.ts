import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { Ledger, LedgerSecrets } from "@sealane/ledger";
import { openLedger } from "@sealane/ledger/files";
import { seqno, utf8, view } from "@sealane/wire";
import { expect, it, onTestFinished } from "vitest";
import { DataDir } from "./data-dir.js";
import { Storage } from "./storage.js";

it("makes all that one turn decided durable with one fdatasync", async () => {
  const path = await mkdtemp(join(tmpdir(), "sealane-storage-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const dataDir = new DataDir(path);
  const { storage: files } = await openLedger(dataDir.ledgerPath);
  const secrets = new LedgerSecrets([{ from: seqno(1), key: suite.randomBytes(32) }]);
  const ledger = new Ledger({ suite, secrets });
  const append = (text: string) =>
    ledger.append({
      view: view(2),
      writeSet: [{ name: "public:words", writes: [[utf8(text), utf8(text)]], removes: [] }],
    });
  const persisted = new Promise<number>((resolve, reject) => {
    const handlers = { onPersisted: resolve, onFailed: reject };
    const hardState = { view: view(2), votedFor: undefined, commitSeqno: seqno(0) };
    const storage = new Storage(files, dataDir, hardState, () => 0, handlers);
    onTestFinished(() => storage.close());
    storage.handle({ type: "append", entries: [append("one")] });
    storage.handle({ type: "append", entries: [append("two")] });
    storage.handle({ type: "persist", token: 7 });
  });
  expect(await persisted).toBe(7);
  expect(files.lastSeqno).toBe(2);
  expect(files.stats.syncs).toBe(1);
});
