/** Figures and receipts of a small ledger, with the commands as they are used. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServiceIdentity, endorse, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import {
  ENDORSED_CERTIFICATES_TABLE,
  Ledger,
  LedgerSecrets,
  NODES_INFO_TABLE,
  SERVICE_INFO_TABLE,
  SINGLE_KEY,
} from "@sealane/ledger";
import { concatBytes, hex, parseNodeId, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../src/cli.js";
import { ONE_SENTENCE } from "./command.js";
import { FakeIo } from "./fake-io.js";

const V2 = view(2);
const CLAIMS = "the application says so";
let dir = "";
let data = "";
let secrets: string[] = [];
let service: string[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sealane-receipt-"));
  data = join(dir, "data");
  secrets = ["--secrets", join(dir, "secrets.json")];
  service = ["--service-cert", join(dir, "service.pem")];
  const times = { notBefore: new Date("2025-01-01"), notAfter: new Date("2035-01-01") };
  const identity = createServiceIdentity(suite, { name: "service", ...times });
  const keyPair = suite.generateKeyPair("P-384");
  const nodeId = parseNodeId(spkiHash(suite, keyPair.publicKey.spki));
  const node = { publicKey: keyPair.publicKey, name: "node", hosts: ["127.0.0.1"], ...times };
  const certificatePem = pemEncode("CERTIFICATE", endorse(suite, identity, node));
  const servicePem = pemEncode("CERTIFICATE", identity.certificate);

  const key = suite.randomBytes(32);
  const ledger = new Ledger({ suite, secrets: new LedgerSecrets([{ from: seqno(1), key }]) });
  const table = (name: string, at: Uint8Array, value: string): WriteSet[number] => ({
    name,
    writes: [[at, utf8(value)]],
    removes: [],
  });
  const genesis = [
    table(ENDORSED_CERTIFICATES_TABLE, utf8(nodeId), certificatePem),
    table(NODES_INFO_TABLE, utf8(nodeId), JSON.stringify({ status: "Trusted" })),
    table(SERVICE_INFO_TABLE, SINGLE_KEY, JSON.stringify({ cert: servicePem, status: "Opening" })),
  ];
  const signer = { keyPair: identity.keyPair, issuer: "a service", subject: "a ledger", issuedAt: 1_750_000_000 };
  const claimsDigest = suite.sha256(utf8(CLAIMS));
  ledger.append({ view: V2, writeSet: genesis });
  ledger.append({ view: V2, writeSet: [table("records", utf8("key"), "value")], claimsDigest });
  ledger.appendSignature({ view: V2, nodeId, keyPair, certificatePem, service: signer });
  ledger.append({ view: V2, writeSet: [table("records", utf8("key"), "other value")] });
  ledger.appendSignature({ view: V2, nodeId, keyPair, certificatePem });
  ledger.append({ view: V2, writeSet: [table("records", utf8("key"), "the last value")] });

  const entries = ledger.range(seqno(1), ledger.lastSeqno) ?? [];
  await mkdir(join(data, "ledger"), { recursive: true });
  await writeFile(join(data, "ledger", "ledger_1"), concatBytes(new Uint8Array(8), ...entries));
  await writeFile(join(data, "state.json"), JSON.stringify({ commitSeqno: 3 }));
  await writeFile(join(dir, "secrets.json"), JSON.stringify([{ from_seqno: 1, key: hex(key) }]));
  await writeFile(join(dir, "service.pem"), servicePem);
  await writeFile(join(dir, "claims"), CLAIMS);
});
afterAll(() => rm(dir, { recursive: true }));

async function command(...args: string[]) {
  const io = new FakeIo();
  const code = await run(args, io);
  return { code, out: io.out, err: io.err.map((line) => `${line}\n`).join("") };
}

/** Makes a receipt into a file. */
async function receiptFile(name: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await command("receipt", "get", data, ...args, ...secrets);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  await writeFile(join(dir, name), `${out.join("\n")}\n`);
  return join(dir, name);
}

test("figures are one line for each entry and one for the whole", async () => {
  const { code, out, err } = await command("ledger", "figures", data, ...secrets);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const lines = out.map((line) => JSON.parse(line));
  expect(lines.slice(0, -1).map(({ seqno: at }) => at)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(lines[1]).toMatchObject({ private_tables: ["records"], claims_digest: hex(suite.sha256(utf8(CLAIMS))) });
  expect(lines.at(-1)).toMatchObject({
    ledger: "data",
    transactions: 6,
    signatures: 2,
    cose_signatures: 1,
    snapshots: [],
  });
  expect(out.join()).not.toContain((await readFile(join(dir, "secrets.json"), "utf8")).slice(25, 89));
});

test("figures end at the first bad entry, with one sentence", async () => {
  const bad = join(dir, "bad");
  await mkdir(bad);
  const bytes = await readFile(join(data, "ledger", "ledger_1"));
  await writeFile(join(bad, "ledger_1"), bytes.subarray(0, -1));
  const noEntry = join(dir, "no-entry");
  await mkdir(noEntry);
  await writeFile(join(noEntry, "ledger_1"), concatBytes(bytes.subarray(0, -20), new Uint8Array(20)).fill(7, 8, 16));
  const shown = await command("ledger", "show", noEntry);
  expect(shown).toMatchObject({ code: 1, err: expect.stringMatching(ONE_SENTENCE) });
  expect(shown.err).toContain("ledger_1 holds no entry at offset 8");
  const { code, out, err } = await command("ledger", "figures", bad);
  expect({ code, lines: out.length }).toEqual({ code: 1, lines: 5 });
  expect(err).toMatch(ONE_SENTENCE);
});

test("a receipt verifies in both forms, with claims", async () => {
  for (const form of [[], ["--cose"]]) {
    const file = await receiptFile(`receipt${form.length}`, "2.2", ...form, "--claims", join(dir, "claims"));
    const verified = await command("receipt", "verify", file, ...service, "--claims", join(dir, "claims"));
    expect(verified).toMatchObject({ code: 0, err: "" });
    expect(verified.out[0]).toBe("receipt ok: transaction 2.2 is committed");
    const json = await command("receipt", "verify", file, ...service, "--json");
    const facts = JSON.parse(json.out[0] ?? "");
    expect(facts).toMatchObject({
      transactionId: { view: 2, seqno: 2 },
      claimsDigest: hex(suite.sha256(utf8(CLAIMS))),
    });
    expect(facts.steps.at(-1).type).toBe(form.length === 0 ? "endorsement" : "signature");
  }
});

test("COSE is read as bytes too", async () => {
  const file = await receiptFile("text", "2.2", "--cose");
  await writeFile(join(dir, "bytes"), Buffer.from(await readFile(file, "utf8"), "base64"));
  expect((await command("receipt", "verify", join(dir, "bytes"), ...service)).out[0]).toContain("2.2");
});

test("the receipt of a signature transaction needs no secrets", async () => {
  const { code, out } = await command("receipt", "get", data, "2.3");
  expect(code).toBe(0);
  await writeFile(join(dir, "signature"), out.join("\n"));
  const verified = await command("receipt", "verify", join(dir, "signature"), ...service);
  expect(verified.out[0]).toMatch(/^receipt ok: the service signed a ledger with this leaf or root/);
});

test("only what the node, or whoever asks, knows to be committed", async () => {
  const unknown = await command("receipt", "get", data, "2.4", ...secrets);
  expect(unknown).toMatchObject({ code: 1, out: [], err: expect.stringMatching(ONE_SENTENCE) });
  expect(unknown.err).toContain("--committed");
  await receiptFile("known", "2.4", "--committed");
  const unsigned = await command("receipt", "get", data, "2.6", "--committed", ...secrets);
  expect(unsigned).toMatchObject({ code: 1, out: [], err: expect.stringContaining("no signature comes after") });
});

test.each<[string, () => string[], string]>([
  ["without secrets", () => [data, "2.2"], "--secrets"],
  ["in COSE where the signature has no such form", () => [data, "2.4", "--committed", "--cose", ...secrets], "--cose"],
  ["of no transaction", () => [data, "3.2", ...secrets], "there is no transaction 3.2"],
  ["with other claims", () => [data, "2.2", ...secrets, "--claims", join(dir, "service.pem")], "claims"],
])("a receipt %s fails with one sentence", async (_, args, part) => {
  const { code, out, err } = await command("receipt", "get", ...args());
  expect({ code, out }).toEqual({ code: 1, out: [] });
  expect(err).toMatch(ONE_SENTENCE);
  expect(err).toContain(part);
});

test("a receipt that was changed, or is of another service, proves nothing", async () => {
  const file = await receiptFile("good", "2.2");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace("ce:2.2:", "ce:2.1:"));
  const changed = await command("receipt", "verify", file, ...service);
  expect(changed).toMatchObject({ code: 1, out: [], err: expect.stringMatching(ONE_SENTENCE) });
  expect(changed.err).toContain("bad-signature");
  await writeFile(file, text);
  const { certificate } = createServiceIdentity(suite, {
    name: "service",
    notBefore: new Date(),
    notAfter: new Date(),
  });
  await writeFile(join(dir, "other.pem"), pemEncode("CERTIFICATE", certificate));
  const other = await command("receipt", "verify", file, "--service-cert", join(dir, "other.pem"));
  expect(other.err).toContain("not-endorsed");
  const huge = await command("receipt", "verify", join(data, "ledger", "ledger_1"), ...service);
  expect(huge.err).toContain("proves nothing");
});
