/**
 * A real pair of nodes, driven by nothing but the command. Nodes, and what pipes and open inputs do, are processes; the other commands run in
 * this one, which loads them once.
 */
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createServiceIdentity, pemEncode } from "@sealane/crypto";
import { nativeKeyWrapping, nativeSuite } from "@sealane/crypto/native";
import { fromBase64, hex } from "@sealane/wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../src/cli.js";
import { type Finished, finished, launch, ONE_SENTENCE, sealane } from "./command.js";
import { chunksOf, FakeIo } from "./fake-io.js";

const TEST_MS_MAX = 120_000;
const ANY_PORT = ["--node", "127.0.0.1:0", "--api", "127.0.0.1:0", "--election-timeout", "1500"];

interface Started {
  readonly process: ChildProcess;
  readonly end: Promise<Finished>;
  readonly nodeId: string;
  readonly apiUrl: string;
  readonly phase: string;
  readonly resumed: boolean;
  readonly memberKey: string | null;
}

let dir = "";
let certificate: string[] = [];
const running = new Set<ChildProcess>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sealane-pair-"));
  certificate = ["--service-cert", join(dir, "n0", "service.pem")];
});
afterAll(async () => {
  for (const process of running) process.kill("SIGKILL");
  await rm(dir, { recursive: true });
});

/** Runs `start` or `join` until it says where things are. */
async function node(...args: string[]): Promise<Started> {
  const process = launch([...args, "--json"]);
  running.add(process);
  const end = finished(process).finally(() => running.delete(process));
  if (process.stdout === null) throw new Error("its stdout is a pipe");
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const line = await Promise.race([lines.next(), end]);
  if (!("value" in line)) throw new Error(`the node ended: ${line.stderr}`);
  return { ...(JSON.parse(String(line.value)) as Omit<Started, "process" | "end">), process, end }; // its documented line
}

/** A command in this process, as it looks from outside. */
async function command(args: readonly string[], input = ""): Promise<Finished> {
  const io = new FakeIo(chunksOf(input));
  const code = await run(args, io);
  const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
  return { code, stdout: text(io.out), stderr: text(io.err) };
}

async function stop(...nodes: Started[]): Promise<void> {
  for (const { process } of nodes) process.kill("SIGTERM");
  for (const { end } of nodes) {
    const { code, stdout, stderr } = await end;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toContain("row "); // nodes print nothing of what they keep
  }
}

/** Asks again until the answer fits: what is waited for happens in other processes. */
async function eventually<T>(ask: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await ask();
    if (fits(value)) return value;
    if (Date.now() > deadline) throw new Error(`it never fitted: ${JSON.stringify(value)}`);
  }
}

async function phaseOf({ apiUrl }: Started): Promise<string> {
  const { code, stdout } = await command(["status", "--json", "--url", apiUrl, ...certificate]);
  return code === 0 ? String(JSON.parse(stdout).node.phase) : "unreachable";
}

test("start, join, trust, append, get, status, stop, resume, verify", { timeout: TEST_MS_MAX }, async () => {
  const first = await node("start", "--data-dir", join(dir, "n0"), ...ANY_PORT);
  expect(first).toMatchObject({ phase: "active", resumed: false, memberKey: join(dir, "n0", "member0.private.pem") });
  const at = ["--url", first.apiUrl, ...certificate];
  const joinArgs = ["join", ...at, "--data-dir", join(dir, "n1"), ...ANY_PORT];
  const second = await node(...joinArgs);
  expect(second).toMatchObject({ phase: "pending", resumed: false, memberKey: null });
  expect(second.nodeId).not.toBe(first.nodeId);

  // Nobody is trusted without a member's ballot, and a node that is not trusted has no certificate of the service.
  const untrusted = await command(["status", "--url", second.apiUrl, ...certificate]);
  expect(untrusted).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(ONE_SENTENCE) });
  expect(untrusted.stderr).toContain("not endorsed");
  const memberKey = ["--member-key", first.memberKey ?? ""];
  const stranger = await eventually(
    () => command(["trust", "0a".repeat(32), ...memberKey, ...at]),
    ({ code }) => code === 1,
  );
  expect(stranger).toMatchObject({ stdout: "", stderr: expect.stringMatching(ONE_SENTENCE) });
  const ballot = await eventually(
    () => command(["trust", second.nodeId, "--json", ...memberKey, ...at]),
    ({ code }) => code === 0, // its join request may still be on its way
  );
  expect(JSON.parse(ballot.stdout)).toMatchObject({ status: "accepted" });
  await eventually(
    () => phaseOf(second),
    (phase) => phase === "active",
  );

  const records = Array.from({ length: 150 }, (_, index) => ({ index, text: `row ${index} ä` }));
  const path = join(dir, "records.ndjson");
  await writeFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  const rotated = await command(["rotate-secret", ...memberKey, ...at]);
  expect(rotated).toMatchObject({ code: 0, stdout: expect.stringContaining("the new secret applies after it") });
  const atSecond = ["--url", second.apiUrl, ...certificate];
  const appended = await sealane(["append", path, ...atSecond]);
  expect(appended).toMatchObject({ code: 0, stderr: "" });
  const lines = appended.stdout.trimEnd().split("\n");
  expect(lines.map((line) => Number(line.split("-").at(-1)))).toEqual(records.map((_, index) => index + 1));
  expect(new Set(lines.map((line) => line.split(" ")[0])).size).toBe(records.length);
  // The same file again, through the other node: the same transactions, nothing written.
  expect(await command(["append", path, ...at])).toEqual(appended);

  const [txId = "", key = ""] = (lines.at(-1) ?? "").split(" ");
  const got = await command(["get", key, "--json", ...at]);
  expect(JSON.parse(got.stdout)).toEqual({ key, value: records.at(-1), txId });
  expect(await command(["get", key, ...atSecond])).toMatchObject({ stdout: `${JSON.stringify(records.at(-1))}\n` });
  for (const form of [[], ["--cose"]]) {
    const receipt = await command(["receipt", "get", second.apiUrl, txId, ...form, ...certificate]);
    expect(receipt).toMatchObject({ code: 0, stderr: "" });
    await writeFile(join(dir, "receipt"), receipt.stdout);
    const verified = await command(["receipt", "verify", join(dir, "receipt"), ...certificate]);
    expect(verified.stdout).toContain(`transaction ${txId} is committed`);
  }
  await askForThePast(key, txId, records.at(-1), at, atSecond);
  const missing = await command(["get", "missing", ...at]);
  expect(missing).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(ONE_SENTENCE) });
  const status = await command(["status", ...at]);
  expect(status.stdout).toContain(`${second.nodeId}  trusted`);
  expect(status.stdout).toContain("ESTABLISHED");

  const broken = await sealane(["append", "-", "--prefix", "broken", ...at], {
    input: "1\n2\nthree\n4\n",
    keepStdinOpen: true,
  });
  expect(broken).toMatchObject({ code: 1, stdout: expect.stringMatching(/^\S+ broken-1\n\S+ broken-2\n$/) });
  expect(broken.stderr).toMatch(ONE_SENTENCE);
  expect(broken.stderr).toContain("line 3 is not JSON");
  expect((await command(["get", "broken-4", ...at])).code).toBe(1);

  await stop(first, second);
  const gone = await command(["get", key, "--timeout", "300", ...at]);
  expect(gone).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(ONE_SENTENCE) });
  expect(gone.stderr).toContain("connection refused");

  // The same two commands go on with the same nodes, where they were.
  const again = await node("start", "--data-dir", join(dir, "n0"), "--election-timeout", "1500");
  const secondAgain = await node(...joinArgs);
  for (const [now, before] of [
    [again, first],
    [secondAgain, second],
  ] as const) {
    expect(now).toMatchObject({ nodeId: before.nodeId, apiUrl: before.apiUrl, resumed: true });
  }
  const more = await command(["append", "-", "--prefix", "more", ...at, "--url", second.apiUrl], '"after"');
  expect(more).toMatchObject({ code: 0, stdout: expect.stringMatching(/ more-1\n$/), stderr: "" });
  await stop(again, secondAgain);

  await verifyOffline(key);
});

/** From before and after the ledger secret changed, from either node. */
async function askForThePast(
  key: string,
  txId: string,
  value: unknown,
  ...nodes: readonly (readonly string[])[]
): Promise<void> {
  const seqno = txId.split(".")[1] ?? "";
  const shown: string[] = [];
  for (const at of nodes) {
    const changes = await command(["history", "key", key, "--to", seqno, "--json", ...at]);
    expect(changes).toMatchObject({ code: 0, stderr: "" });
    expect(changes.stdout.split("\n").map((line) => line && JSON.parse(line))).toEqual([{ txId, value }, ""]);
    const plain = await command(["history", "key", key, ...at]);
    expect(plain.stdout).toBe(`${txId}  ${JSON.stringify(value)}\n`);

    const entry = await command(["history", "entry", txId, "--json", ...at]);
    expect(JSON.parse(entry.stdout)).toMatchObject({ txId, signature: null, public: [], private: [] });
    expect(entry.stdout).not.toContain(key);
    const all = await command(["history", "entries", "--to", seqno, "--json", ...at]);
    const seqnos = all.stdout
      .trimEnd()
      .split("\n")
      .map((line) => Number(JSON.parse(line).txId.split(".")[1]));
    expect(seqnos).toEqual(Array.from({ length: Number(seqno) }, (_, index) => index + 1));
    shown.push(all.stdout);
    const last = await command(["history", "entries", "--to", seqno, "--newest-first", "--limit", "2", ...at]);
    expect(last.stdout).toMatch(new RegExp(`^${txId}  \\d+ bytes`));
    expect(last.stdout.match(/^\S/gm)).toHaveLength(2);
  }
  expect(new Set(shown).size).toBe(1);
  const [at = []] = nodes;
  const later = await command(["history", "key", key, "--from", `${Number(seqno) + 100_000}`, ...at]);
  expect(later).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(await sealane(["history", "entries", ...at], { closeStdout: true })).toMatchObject({ code: 0, stderr: "" });
  const other = await command(["history", "entry", "1.1", ...at]);
  expect(other).toMatchObject({ code: 1, stderr: expect.stringMatching(ONE_SENTENCE) });
}

async function strangersKey(): Promise<string> {
  const path = join(dir, "stranger.pem");
  await writeFile(path, pemEncode("PRIVATE KEY", nativeKeyWrapping.generateKeyPair().privateKey));
  return path;
}

async function verifyOffline(key: string): Promise<void> {
  const privateFile = JSON.parse(await readFile(join(dir, "n0", "node.private.json"), "utf8"));
  const secrets = privateFile.ledgerSecrets.map((secret: { from: number; key: string }) => ({
    from_seqno: secret.from,
    key: hex(fromBase64(secret.key)),
  }));
  const path = join(dir, "secrets.json");
  await writeFile(path, JSON.stringify(secrets));
  for (const name of ["n0", "n1"]) {
    const verified = await command(["ledger", "verify", join(dir, name), "--json", "--secrets", path, ...certificate]);
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, serviceIdentities: 1 });
  }
  // The same secrets out of a ledger alone, with the one member's key; a file that is there is left alone.
  const recovered = join(dir, "recovered.json");
  const memberKey = join(dir, "n0", "member0.encryption.private.pem");
  const recover = ["ledger", "recover-secrets", join(dir, "n1"), "--encryption-key", memberKey, "--out", recovered];
  expect(await command(recover)).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(await readFile(recovered, "utf8"))).toEqual(secrets);
  expect((await stat(recovered)).mode & 0o777).toBe(0o600);
  expect(await command(recover)).toMatchObject({ code: 1, stderr: expect.stringMatching(ONE_SENTENCE) });
  for (const [wrong, part] of [
    [join(dir, "n0", "member0.private.pem"), "opens no share"], // of the member, but for ballots
    [join(dir, "n0", "service.pem"), "no private encryption key"],
    [await strangersKey(), "opens no share"],
    [join(dir, "none.pem"), "none.pem"],
  ] as const) {
    const other = ["ledger", "recover-secrets", join(dir, "n1"), "--encryption-key", wrong, "--out", join(dir, "x")];
    const refused = await command(other);
    expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(ONE_SENTENCE) });
    expect(refused.stderr).toContain(part);
  }
  const ledger = join(dir, "n1", "ledger");
  const sealed = await command(["ledger", "show", ledger, "--json"]);
  expect(sealed.stdout).not.toContain("row 7");
  const opened = await command(["ledger", "show", ledger, "--json", "--secrets", path]);
  const written = opened.stdout.split("\n").filter((line) => line.includes(`"${key}"`));
  expect(written.length).toBe(1);
  const one = await command(["ledger", "show", ledger, "--from", "2", "--to", "2"]);
  expect(one.stdout).toMatch(/^\d+\.2 .*signed by/);
  expect(await sealane(["ledger", "show", ledger], { closeStdout: true })).toMatchObject({ code: 0, stderr: "" });
}

test("every node of a service is replaced while records are written", { timeout: TEST_MS_MAX }, async () => {
  const founder = await node("start", "--data-dir", join(dir, "r0"), ...ANY_PORT);
  const service = ["--service-cert", join(dir, "r0", "service.pem")];
  const memberKey = ["--member-key", founder.memberKey ?? ""];
  const statusOf = async ({ apiUrl }: Started) => {
    const { code, stdout } = await command(["status", "--json", "--url", apiUrl, ...service]);
    return code === 0 ? JSON.parse(stdout) : undefined;
  };
  const vote = (verb: "trust" | "remove", { nodeId }: Started, ...via: Started[]) =>
    eventually(
      () => command([verb, nodeId, ...memberKey, ...service, ...via.flatMap(({ apiUrl }) => ["--url", apiUrl])]),
      ({ code }) => code === 0,
    );
  const admit = async (name: string, ...via: Started[]): Promise<Started> => {
    const primaryApi = await eventually(
      async () => (via[0] === undefined ? undefined : (await statusOf(via[0]))?.network.primaryApi),
      (api) => typeof api === "string",
    );
    const joiner = await node(
      "join",
      "--url",
      `https://${primaryApi}`,
      ...service,
      "--data-dir",
      join(dir, name),
      ...ANY_PORT,
    );
    await vote("trust", joiner, ...via);
    await eventually(
      async () => (await statusOf(joiner))?.node.phase,
      (phase) => phase === "active",
    );
    return joiner;
  };
  const second = await admit("r1", founder);
  const third = await admit("r2", founder);
  const path = join(dir, "load.ndjson");
  await writeFile(path, Array.from({ length: 600 }, (_, index) => `{"row":${index}}\n`).join(""));
  const urls = [founder, second, third].flatMap(({ apiUrl }) => ["--url", apiUrl]);
  const appended = command(["append", path, "--prefix", "load", "--in-flight", "4", ...urls, ...service]);

  let members = [founder, second, third];
  for (const [index, old] of [founder, second, third].entries()) {
    const fresh = await admit(`r${index + 3}`, ...members.slice(1), ...members.slice(0, 1));
    members = [...members.filter((member) => member !== old), fresh];
    await vote("remove", old, ...members);
    await eventually(
      async () => (await statusOf(old))?.node.phase,
      (phase) => phase === "retired",
    );
    if (index === 2) expect((await appended).code).toBe(0); // its client knows the first three alone
    old.process.kill("SIGTERM");
    expect(await old.end).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/removed node .* it can be stopped\.\n$/),
    });
    const again = await sealane(["start", "--data-dir", join(dir, `r${index}`)]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/was removed from its service/) });
  }
  const at = members.flatMap(({ apiUrl }) => ["--url", apiUrl]);
  const repeated = await command(["append", path, "--prefix", "load", ...at, ...service]);
  expect(repeated.stdout).toBe((await appended).stdout); // all of it stands, under the transaction ids that were acknowledged
  const status = await command(["status", ...at, ...service]);
  for (const { nodeId } of [founder, second, third]) expect(status.stdout).toContain(`${nodeId}  retired `);
  await stop(...members);
  for (const name of ["r2", "r3", "r4", "r5"]) {
    const verified = await command(["ledger", "verify", join(dir, name), "--json", ...service]);
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    expect((await command(["ledger", "figures", join(dir, name)])).code).toBe(0);
  }
});

test("a service goes on from the node that is left", { timeout: TEST_MS_MAX }, async () => {
  const [lost, left] = [join(dir, "lost0"), join(dir, "left1")];
  const first = await node("start", "--data-dir", lost, ...ANY_PORT);
  const at = ["--url", first.apiUrl, "--service-cert", join(lost, "service.pem")];
  const second = await node("join", ...at, "--data-dir", left, ...ANY_PORT);
  const member = ["--member-key", first.memberKey ?? ""];
  await eventually(
    () => command(["trust", second.nodeId, ...member, ...at]),
    ({ code }) => code === 0,
  );
  const written = await command(["append", "-", "--prefix", "ship", ...at], '"Vega"\n');
  expect(written).toMatchObject({ code: 0, stderr: "" });
  for (const { process, end } of [first, second]) {
    process.kill("SIGKILL");
    await end;
  }

  const early = await command(["recover", "--data-dir", left]);
  expect(early).toMatchObject({ code: 2, stderr: expect.stringContaining("--majority-is-lost") });
  const recovered = await node("recover", "--majority-is-lost", "--data-dir", left);
  expect(recovered).toMatchObject({ nodeId: second.nodeId, phase: "active", resumed: true });
  const here = ["--url", recovered.apiUrl, "--service-cert", join(left, "service.pem")];
  expect(await command(["get", "ship-1", ...here])).toMatchObject({ code: 0, stdout: '"Vega"\n' });
  const txId = written.stdout.split(" ")[0] ?? "";
  const receipt = await command([
    "receipt",
    "get",
    recovered.apiUrl,
    txId,
    "--service-cert",
    join(left, "service.pem"),
  ]);
  expect(receipt).toMatchObject({ code: 0, stderr: "" });
  const watching = command(["history", "key", "ship-2", "--watch", "--limit", "1", ...here]);
  const more = await command(["append", "-", "--prefix", "ship", ...here], '"Vega"\n"Lyra"\n');
  expect(more.stdout).toContain(`${txId} ship-1\n`); // the same write as before, under the same transaction
  expect(await watching).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+ {2}"Lyra"\n$/),
    stderr: "",
  });
  await stop(recovered);
  expect(await command(["ledger", "verify", left])).toMatchObject({ code: 0, stderr: "" });
});

test("a ledger that was changed is refused, and the first bad entry named", { timeout: TEST_MS_MAX }, async () => {
  const { end, process } = await node("start", "--data-dir", join(dir, "changed"), ...ANY_PORT);
  process.kill("SIGTERM");
  await end;
  const chunk = join(dir, "changed", "ledger", "ledger_1");
  const bytes = await readFile(chunk);
  bytes[100] = (bytes[100] ?? 0) ^ 1; // inside entry 1
  await writeFile(chunk, bytes);
  const verified = await command(["ledger", "verify", join(dir, "changed")]);
  expect(verified).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(ONE_SENTENCE) });
  expect(verified.stderr).toMatch(/entry [12] \(ledger_1, offset \d+\) is bad/);
});

test("a joiner with another service's certificate gives up with one sentence", { timeout: TEST_MS_MAX }, async () => {
  const service = await node("start", "--data-dir", join(dir, "service"), ...ANY_PORT);
  const notBefore = new Date();
  const times = { notBefore, notAfter: new Date(notBefore.getTime() + 86_400_000) };
  const foreign = createServiceIdentity(nativeSuite, { name: "another service", ...times });
  const path = join(dir, "foreign.pem");
  await writeFile(path, pemEncode("CERTIFICATE", foreign.certificate));
  const joiner = launch([
    "join",
    "--url",
    service.apiUrl,
    "--service-cert",
    path,
    "--data-dir",
    join(dir, "lost"),
    ...ANY_PORT,
  ]);
  running.add(joiner);
  const { code, stderr } = await finished(joiner);
  running.delete(joiner);
  expect(code).toBe(1);
  expect(stderr).toMatch(ONE_SENTENCE);
  const reader = await command(["get", "k", "--url", service.apiUrl, "--service-cert", path]);
  expect(reader).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(ONE_SENTENCE) });
  expect(reader.stderr).toContain("not endorsed");
  await stop(service);
});
