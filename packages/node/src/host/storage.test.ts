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

it("notes the commit of a reconfiguration at once, and others now and then", async () => {
  const path = await mkdtemp(join(tmpdir(), "sealane-storage-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const dataDir = new DataDir(path);
  const { storage: files } = await openLedger(dataDir.ledgerPath);
  const secrets = new LedgerSecrets([{ from: seqno(1), key: suite.randomBytes(32) }]);
  const ledger = new Ledger({ suite, secrets });
  let persisted: (token: number) => void = () => {};
  const handlers = {
    onPersisted: (token: number) => persisted(token),
    onFailed: (error: Error) => {
      throw error;
    },
  };
  const storage = new Storage(
    files,
    dataDir,
    { view: view(2), votedFor: undefined, commitSeqno: seqno(0) },
    () => 0,
    handlers,
  );
  onTestFinished(() => storage.close());
  const noted = async (at: number, reconfigures: boolean) => {
    const done = new Promise<number>((resolve) => {
      persisted = resolve;
    });
    const writeSet = [{ name: "public:words", writes: [[utf8("word"), utf8("word")] as const], removes: [] }];
    storage.handle({ type: "append", entries: [ledger.append({ view: view(2), writeSet })] });
    storage.handle({ type: "commit", seqno: seqno(at), reconfigures });
    storage.handle({ type: "persist", token: at });
    await done;
    return (await dataDir.readState())?.commitSeqno;
  };
  expect([await noted(1, false), await noted(2, true), await noted(3, false)]).toEqual([undefined, 2, 2]);
});
