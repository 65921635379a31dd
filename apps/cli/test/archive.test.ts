/** A ledger whose oldest chunks are archived: before, while and after, with the commands as they are used. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServiceIdentity, endorse, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import {
  decodeEntry,
  ENDORSED_CERTIFICATES_TABLE,
  encodeSnapshot,
  Ledger,
  type LedgerEntry,
  LedgerSecrets,
  NODES_INFO_TABLE,
  receiptOf,
  SERVICE_INFO_TABLE,
  SINGLE_KEY,
  type SnapshotMapState,
  snapshotEvidence,
} from "@sealane/ledger";
import { openLedger, SnapshotDirectory } from "@sealane/ledger/files";
import { parseNodeId, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../src/cli.js";
import { FakeIo } from "./fake-io.js";

const V2 = view(2);
let dir = "";
let data = "";

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sealane-archive-"));
  data = join(dir, "data");
  await mkdir(data);
  const times = { notBefore: new Date("2025-01-01"), notAfter: new Date("2035-01-01") };
  const identity = createServiceIdentity(suite, { name: "service", ...times });
  const keyPair = suite.generateKeyPair("P-384");
  const nodeId = parseNodeId(spkiHash(suite, keyPair.publicKey.spki));
  const node = { publicKey: keyPair.publicKey, name: "node", hosts: ["127.0.0.1"], ...times };
  const certificatePem = pemEncode("CERTIFICATE", endorse(suite, identity, node));
  const servicePem = pemEncode("CERTIFICATE", identity.certificate);
  const secrets = new LedgerSecrets([{ from: seqno(1), key: suite.randomBytes(32) }]);
  const ledger = new Ledger({ suite, secrets });
  const entries: LedgerEntry[] = [];
  const maps: SnapshotMapState[] = [];
  const append = (writeSet: WriteSet, claimsDigest?: Uint8Array) => {
    entries.push(ledger.append({ view: V2, writeSet, ...(claimsDigest && { claimsDigest }) }));
  };
  const sign = () => {
    const entry = ledger.appendSignature({ view: V2, nodeId, keyPair, certificatePem, endsChunk: true });
    entries.push(entry);
    return decodeEntry(suite, secrets, entry.bytes);
  };
  const table = (name: string, key: Uint8Array, value: string): WriteSet[number] => ({
    name,
    writes: [[key, utf8(value)]],
    removes: [],
  });
  append([
    table(ENDORSED_CERTIFICATES_TABLE, utf8(nodeId), certificatePem),
    table(NODES_INFO_TABLE, utf8(nodeId), JSON.stringify({ status: "Trusted" })),
    table(SERVICE_INFO_TABLE, SINGLE_KEY, JSON.stringify({ cert: servicePem, status: "Opening" })),
  ]);
  sign();
  append([table("public:notes", utf8("key"), "value")]);
  const signed = sign();
  for (const { bytes } of [0, 2, 3].flatMap((index) => entries[index] ?? [])) {
    const { seqno: writtenAt, writeSet } = decodeEntry(suite, secrets, bytes);
    for (const { name, writes } of writeSet) {
      maps.push({ name, changedAt: writtenAt, entries: writes.map(([key, value]) => ({ key, value, writtenAt })) });
    }
  }
  const at = signed.seqno;
  const snapshot = encodeSnapshot(suite, secrets, {
    seqno: at,
    leaf: ledger.leaf(at),
    viewHistory: ledger.viewHistory(at),
    maps,
  });
  const evidence = snapshotEvidence(snapshot);
  append(evidence.writeSet, evidence.claimsDigest);
  const written = decodeEntry(suite, secrets, entries.at(-1)?.bytes ?? new Uint8Array());
  const { json } = receiptOf(written, sign(), { suite, secrets });
  const snapshots = await SnapshotDirectory.open(join(data, "snapshots"));
  await snapshots.write(snapshot, written.seqno);
  await snapshots.commit(at, written.seqno, utf8(JSON.stringify(json)));

  const { storage } = await openLedger(join(data, "ledger"));
  storage.append(entries);
  storage.commit(ledger.lastSeqno);
  await storage.close();
  await writeFile(join(dir, "service.pem"), servicePem);
});
afterAll(() => rm(dir, { recursive: true }));

async function command(...args: string[]) {
  const io = new FakeIo();
  const code = await run(args, io);
  return { code, out: io.out, err: io.err };
}

test("archives, and the rest still verifies, shows and counts, saying where it starts", async () => {
  const service = ["--service-cert", join(dir, "service.pem")];
  const whole = await command("ledger", "verify", data, ...service);
  expect(whole).toMatchObject({ code: 0, err: [] });
  expect(whole.out[0]).toBe("ledger ok: 6 entries, 3 signatures, 1 snapshot");

  const target = join(dir, "archive");
  const archived = await command("ledger", "archive", data, target, ...service);
  expect(archived).toEqual({
    code: 0,
    err: [],
    out: [
      `moved ledger_1-2.committed to ${target}`,
      `moved ledger_3-4.committed to ${target}`,
      "the ledger starts with entry 5; a node starts from snapshot_4_5.committed or a newer one",
    ],
  });
  expect(await readdir(join(data, "ledger"))).toEqual(["ledger_5-6.committed"]);

  for (const path of [data, join(data, "ledger")]) {
    const part = await command("ledger", "verify", path, ...service);
    expect(part).toMatchObject({ code: 0, err: [] });
    expect(part.out.slice(0, 3)).toEqual([
      "ledger ok: 2 entries, 1 signatures, 1 snapshot",
      "starts with entry 5: those before it are not here, and were not checked",
      "what they came to is in snapshot_4_5.committed, which the service has signed",
    ]);
    const shown = await command("ledger", "show", path);
    expect(shown.err).toEqual(["the ledger starts with entry 5: those before it are not here"]);
    expect(shown.out[0]).toMatch(/^2\.5 /);
    const figures = await command("ledger", "figures", path);
    expect(JSON.parse(figures.out.at(-1) ?? "")).toMatchObject({ transactions: 2, base: { seqno: 4 } });
  }
  const again = await command("ledger", "archive", data, target);
  expect(again.out).toEqual([
    "nothing to move: no committed chunk but the last lies whole below snapshot_4_5.committed",
  ]);
});

test("without a usable snapshot nothing is archived, and a ledger that starts late is refused", async () => {
  await rm(join(data, "snapshots"), { recursive: true });
  const refused = await command("ledger", "verify", data);
  expect(refused.code).toBe(1);
  expect(refused.err).toEqual([expect.stringContaining("no snapshot of entry 4 or later")]);
  const archived = await command("ledger", "archive", data, join(dir, "archive"));
  expect(archived).toMatchObject({ code: 1, err: [expect.stringContaining("has no snapshots")] });
  await mkdir(join(data, "snapshots"));
  await writeFile(join(data, "snapshots", "snapshot_4_5.committed"), "nothing like it");
  const damaged = await command("ledger", "verify", data);
  expect(damaged.err).toEqual([expect.stringMatching(/snapshot_4_5\.committed is bad: bad-version/)]);
  const archivedByIt = await command("ledger", "archive", data, join(dir, "archive"));
  expect(archivedByIt).toMatchObject({ code: 1, err: [expect.stringContaining("nothing more can be archived")] });
});
