/** Two processes, one channel: both versions, both roles, and a sentence for every mistake. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSelfSigned, createServiceIdentity, endorse, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Finished, finished, launch, ONE_SENTENCE, sealane } from "./command.js";

const times = { notBefore: new Date("2024-01-01"), notAfter: new Date("2044-01-01") };
const names = ["a", "b", "c"] as const;
type Name = (typeof names)[number];

let dir = "";
const ids: Record<Name, string> = { a: "", b: "", c: "" };
/** Base64 of the private keys, which no output may hold. */
const secrets: string[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sealane-channel-"));
  const service = createServiceIdentity(suite, { name: "service", ...times });
  await writeFile(join(dir, "service.pem"), pemEncode("CERTIFICATE", service.certificate));
  for (const name of names) {
    const keyPair = suite.generateKeyPair(name === "c" ? "P-256" : "P-384");
    const { publicKey } = keyPair;
    const certificate = endorse(suite, service, { publicKey, name, hosts: [], ...times });
    const pem = pemEncode("PRIVATE KEY", suite.exportPrivateKey(keyPair.privateKey));
    secrets.push(...pem.split("\n").filter((line) => line.length > 40 && !line.startsWith("-")));
    ids[name] = spkiHash(suite, publicKey.spki);
    await writeFile(join(dir, `${name}.pem`), pemEncode("CERTIFICATE", certificate));
    await writeFile(join(dir, `${name}.key`), pem);
    const own = createSelfSigned(suite, keyPair, { name, hosts: [], ...times });
    await writeFile(join(dir, `${name}.self.pem`), pemEncode("CERTIFICATE", own));
  }
});
afterAll(() => rm(dir, { recursive: true }));

const file = (name: string): string => join(dir, name);
const flags = (self: Name, peer: Name): string[] => [
  ...["--service-cert", file("service.pem"), "--cert", file(`${self}.pem`), "--key", file(`${self}.key`)],
  ...["--peer", ids[peer], "--deadline", "20", "--json"],
];

/** The events that one end printed. */
const eventsOf = ({ stdout }: Finished): Record<string, unknown>[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>); // the command's own output
const resultOf = (end: Finished): Record<string, unknown> => eventsOf(end).at(-1) ?? {};

/** Starts an end that listens. @returns Its port, and what comes of it. */
async function listening(
  args: readonly string[],
): Promise<{ port: number; child: ChildProcess; end: Promise<Finished> }> {
  const child = launch(["channel", "listen", "0", ...args]);
  const end = finished(child);
  const [line] = await once(child.stdout ?? child, "data");
  return { port: Number(/"port":([0-9]+)/.exec(String(line))?.[1]), child, end };
}

async function pair(
  listen: { readonly self: Name; readonly args: readonly string[] },
  connect: { readonly self: Name; readonly args: readonly string[] },
): Promise<readonly [Finished, Finished]> {
  const { port, end } = await listening([...flags(listen.self, connect.self), ...listen.args]);
  const other = await sealane([
    "channel",
    "connect",
    `127.0.0.1:${port}`,
    ...flags(connect.self, listen.self),
    ...connect.args,
  ]);
  return [await end, other];
}

const COUNTS = (send: number, expected: number): string[] => [
  ...["--send-consensus", `${send}`, "--expect-consensus", `${expected}`],
  ...["--send-forwarded", `${send / 2}`, "--expect-forwarded", `${expected / 2}`],
];

describe.each(["1", "2"])("version %s", (version) => {
  const v = ["--version", version];

  test.concurrent.each<[Name, Name]>([
    ["a", "b"],
    ["b", "a"],
    ["c", "a"],
  ])("%s listens, %s connects, and each accepts all that the other sends", async (self, other) => {
    const ends = await pair(
      { self, args: [...v, ...COUNTS(40, 60)] },
      { self: other, args: [...v, ...COUNTS(60, 40)] },
    );
    for (const { code, stderr } of ends) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [listened, connected] = ends.map(resultOf);
    expect(listened).toMatchObject({ ok: true, accepted: { consensus: 60, forwarded: 30 }, exchanges: 1, refused: {} });
    expect(connected).toMatchObject({
      ok: true,
      accepted: { consensus: 40, forwarded: 20 },
      exchanges: 1,
      refused: {},
    });
    const output = ends.map(({ stdout }) => stdout).join();
    expect(secrets.some((secret) => output.includes(secret))).toBe(false);
  });

  test.concurrent("keys are renewed again and again and no message is lost", async () => {
    const limit = ["--message-limit", "30"];
    const ends = await pair(
      { self: "a", args: [...v, ...limit, ...COUNTS(150, 150)] },
      { self: "b", args: [...v, ...limit, ...COUNTS(150, 150)] },
    );
    for (const end of ends) {
      expect(end).toMatchObject({ code: 0, stderr: "" });
      expect(resultOf(end).exchanges).toBeGreaterThan(5);
    }
  });

  test.concurrent("an end that echoes sends all of it back, and ends well when the other does", async () => {
    const ends = await pair({ self: "a", args: [...v, "--echo"] }, { self: "b", args: [...v, ...COUNTS(50, 50)] });
    for (const end of ends) expect(end).toMatchObject({ code: 0, stderr: "" });
  });

  test.concurrent("an expectation that is not met is a failure", async () => {
    const [listened, connected] = await pair(
      { self: "a", args: [...v, "--expect-consensus", "3"] },
      { self: "b", args: [...v, "--send-consensus", "2"] },
    );
    expect(connected.code).toBe(0);
    expect(listened.code).toBe(1);
    expect(resultOf(listened)).toMatchObject({ ok: false, accepted: { consensus: 2 } });
    expect(listened.stderr).toMatch(ONE_SENTENCE);
    expect(listened.stderr).toContain("2 of 3 consensus");
  });
});

test("ends of two versions never agree, and each says what it refused", async () => {
  const short = ["--deadline", "1"];
  const ends = await pair(
    { self: "a", args: ["--version", "1", ...short] },
    { self: "b", args: ["--version", "2", ...short] },
  );
  for (const { code, stderr } of ends) {
    expect(code).toBe(1);
    expect(stderr).toMatch(ONE_SENTENCE);
    expect(stderr).toContain("no keys were agreed");
  }
});

test("a peer other than the one that was named is refused", async () => {
  const { port, end } = await listening([...flags("a", "c"), "--deadline", "1"]);
  const other = await sealane(["channel", "connect", `127.0.0.1:${port}`, ...flags("b", "a"), "--deadline", "1"]);
  expect(other.code).toBe(1);
  expect((await end).stderr).toContain("wrong-sender");
});

describe("mistakes are one sentence", () => {
  let server: Server;
  let port = 0;
  beforeAll(async () => {
    // Something that is there and speaks something else.
    server = createServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n".repeat(4)));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  afterAll(() => {
    server.close();
  });
  const connect = (to: number, args: readonly string[]): string[] => ["channel", "connect", `127.0.0.1:${to}`, ...args];
  const without = (args: readonly string[], flag: string, value: string): string[] =>
    args.map((arg, at) => (args[at - 1] === flag ? value : arg));

  test.concurrent.each<[string, number, () => string[], string]>([
    ["no version 3", 2, () => connect(1, [...flags("a", "b"), "--version", "3"]), "Allowed choices are 1, 2"],
    ["no certificate", 2, () => connect(1, []), "--service-cert"],
    ["a peer that is no id", 2, () => connect(1, without(flags("a", "b"), "--peer", "x")), "64 lower-case hex digits"],
    ["a port that is none", 2, () => ["channel", "listen", "70000", ...flags("a", "b")], "from 0 to 65535"],
    ["an address that is none", 2, () => ["channel", "connect", "nowhere", ...flags("a", "b")], "host:port"],
    ["a limit that leaves no room", 2, () => connect(1, [...flags("a", "b"), "--message-limit", "3"]), "from 4 to"],
    ["no such file", 1, () => connect(1, without(flags("a", "b"), "--key", file("none"))), "there is no such file"],
    [
      "a certificate for a key",
      1,
      () => connect(1, without(flags("a", "b"), "--key", file("a.pem"))),
      "node's private key",
    ],
    [
      "another node's key",
      1,
      () => connect(1, without(flags("a", "b"), "--key", file("b.key"))),
      "not the certificate of the key",
    ],
    [
      "a certificate of nobody",
      1,
      () => connect(1, without(flags("a", "b"), "--cert", file("a.self.pem"))),
      "is not endorsed by",
    ],
    ["oneself for a peer", 1, () => connect(1, flags("a", "a")), "no channel to itself"],
    ["nobody there", 1, () => connect(1, flags("a", "b")), "connection refused"],
    ["another protocol", 1, () => connect(port, flags("a", "b")), "framing"],
    ["a port that is taken", 1, () => ["channel", "listen", `${port}`, ...flags("a", "b")], "is taken"],
    [
      "nobody who comes",
      1,
      () => ["channel", "listen", "0", ...flags("a", "b"), "--deadline", "1"],
      "nobody connected within 1 s",
    ],
  ])("%s", async (_what, expected, args, part) => {
    const { code, stderr } = await sealane(args());
    expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringMatching(ONE_SENTENCE) });
    expect(stderr).toContain(part);
    expect(secrets.some((secret) => stderr.includes(secret))).toBe(false);
  });

  test("a signal ends it, with the signal's exit code", async () => {
    const { child, end } = await listening(flags("a", "b"));
    child.kill("SIGTERM");
    expect(await end).toMatchObject({ code: 143, stderr: expect.stringMatching(ONE_SENTENCE) });
  });
});
