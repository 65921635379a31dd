import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServiceIdentity, pemEncode } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ONE_SENTENCE, sealane } from "./command.js";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sealane-usage-"));
  await writeFile(join(dir, "text.pem"), "not a certificate\n");
  const times = { notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000) };
  const { certificate } = createServiceIdentity(nativeSuite, { name: "service", ...times });
  await writeFile(join(dir, "service.pem"), pemEncode("CERTIFICATE", certificate));
});
afterAll(() => rm(dir, { recursive: true }));

const NODE = "0a".repeat(32);
const COMMANDS = [
  ["start"],
  ["join"],
  ["recover"],
  ["trust"],
  ["remove"],
  ["transfer"],
  ["rotate-secret"],
  ["status"],
  ["append"],
  ["get"],
  ["history", "key"],
  ["history", "entry"],
  ["history", "entries"],
  ["ledger", "verify"],
  ["ledger", "show"],
  ["ledger", "figures"],
  ["ledger", "archive"],
  ["ledger", "recover-secrets"],
  ["receipt", "get"],
  ["receipt", "verify"],
  ["channel", "listen"],
  ["channel", "connect"],
];

test.concurrent.each(COMMANDS.map((words) => [words.join(" "), words] as const))(
  "%s --help explains itself with an example",
  async (name, words) => {
    const { code, stdout, stderr } = await sealane([...words, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Usage: sealane ${name} `);
    expect(stdout).toContain(`Example:\n  $ sealane ${name} `);
  },
);

test("the command itself and its version", async () => {
  const help = await sealane(["--help"]);
  for (const [word = ""] of COMMANDS) expect(help.stdout).toContain(`\n  ${word} `);
  expect(help.stdout).toContain("Example:");
  expect(await sealane(["--version"])).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: "",
  });
});

test.concurrent.each(COMMANDS.map((words) => [words.join(" "), words] as const))(
  "%s with a wrong flag says so in one sentence",
  async (_name, words) => {
    const { code, stdout, stderr } = await sealane([...words, "--bogus"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(ONE_SENTENCE);
  },
);

test.concurrent.each([
  [["start", "--data-dir", "d", "--member-cert", "a", "--member-encryption-key", "b", "--member-encryption-key", "c"]],
  [["ledger", "recover-secrets", "d", "--out", "o"]],
  [["history", "key", "a/b"]],
  [["history", "key", "k", "--from", "0"]],
  [["history", "key", "k", "--from", "3", "--to", "2"]],
  [["history", "entries", "--to", "99999999999999999999"]],
  [["history", "entries", "--limit", "0"]],
  [["history", "entry", "2"]],
])("%j is refused before anything is asked", async (words) => {
  const service = words[0] === "history" ? ["--service-cert", join(dir, "service.pem")] : [];
  const { code, stdout, stderr } = await sealane([...words, ...service]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(ONE_SENTENCE);
});

test.concurrent.each<[string, () => string[], string]>([
  ["a missing certificate", () => ["status", "--service-cert", join(dir, "none.pem")], "there is no such file"],
  ["a directory for a certificate", () => ["status", "--service-cert", dir], "it is a directory"],
  [
    "text for a certificate",
    () => ["get", "k", "--service-cert", join(dir, "text.pem")],
    "is not the service certificate",
  ],
  [
    "text for a member's key",
    () => ["trust", NODE, "--member-key", join(dir, "text.pem"), "--service-cert", join(dir, "service.pem")],
    "private key",
  ],
  [
    "text for a member",
    () => ["start", "--data-dir", join(dir, "d"), "--member-cert", join(dir, "text.pem")],
    "member",
  ],
  [
    "a missing input file",
    () => ["append", join(dir, "none"), "--service-cert", join(dir, "text.pem")],
    "no such file",
  ],
  ["a directory for an input file", () => ["append", dir, "--service-cert", join(dir, "text.pem")], "is a directory"],
  ["a missing ledger", () => ["ledger", "verify", join(dir, "none")], "is not a directory"],
  ["a directory without a ledger", () => ["ledger", "show", dir], "holds no ledger"],
  [
    "no key to recover with",
    () => ["ledger", "recover-secrets", dir, "--encryption-key", join(dir, "none"), "--out", join(dir, "out")],
    "holds no ledger",
  ],
  ["figures of a directory without a ledger", () => ["ledger", "figures", dir], "holds no ledger"],
  [
    "a receipt from a node without a certificate",
    () => ["receipt", "get", "https://127.0.0.1:1", "2.1"],
    "give --service-cert",
  ],
  ["a receipt out of a directory without a ledger", () => ["receipt", "get", dir, "2.1"], "holds no ledger"],
  [
    "a missing receipt",
    () => ["receipt", "verify", join(dir, "none"), "--service-cert", join(dir, "service.pem")],
    "none",
  ],
  [
    "text for a receipt",
    () => ["receipt", "verify", join(dir, "text.pem"), "--service-cert", join(dir, "service.pem")],
    "malformed",
  ],
  [
    "a data directory below a file",
    () => ["start", "--data-dir", join(dir, "text.pem", "d"), "--node", "127.0.0.1:0", "--api", "127.0.0.1:0"],
    "text.pem",
  ],
])("%s fails with one sentence and exit code 1", async (_what, args, part) => {
  const { code, stdout, stderr } = await sealane(args());
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(ONE_SENTENCE);
  expect(stderr).toContain(part);
});

test.each(["--node", "--api"])("a port that is taken fails with one sentence: %s", async (flag) => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const other = flag === "--node" ? "--api" : "--node";
  const args = ["start", "--data-dir", join(dir, `taken${flag}`), flag, `127.0.0.1:${port}`, other, "127.0.0.1:0"];
  const { code, stdout, stderr } = await sealane(args);
  server.close();
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(ONE_SENTENCE);
  expect(stderr).toContain(String(port));
});

test("a flag may come from the environment", async () => {
  const { code, stderr } = await sealane(["status"], { env: { SEALANE_SERVICE_CERT: join(dir, "none.pem") } });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("none.pem") });
});

test("a closed stdout is no failure", async () => {
  expect(await sealane(["--help"], { closeStdout: true })).toMatchObject({ code: 0, stderr: "" });
});

test("an error nobody foresaw is one sentence too", async () => {
  const preload = join(dir, "late.mjs");
  // As soon as the command listens for what nobody caught, and while it waits for lines.
  await writeFile(
    preload,
    `const timer = setInterval(() => {
      if (process.listenerCount("uncaughtException") === 0) return;
      clearInterval(timer);
      throw new Error("late\\nand long");
    }, 1);`,
  );
  const { code, stderr } = await sealane(["append", "-", "--service-cert", join(dir, "service.pem")], {
    env: { NODE_OPTIONS: `--import ${preload}` },
    keepStdinOpen: true,
  });
  expect({ code, stderr }).toEqual({ code: 1, stderr: "sealane: unexpected failure: late and long.\n" });
});
