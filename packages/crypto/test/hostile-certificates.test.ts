/**
 * Certificates somebody might show, good and bad, one name each: our verdict is the one in the table, the same in both suites, and the same as
 * OpenSSL's except where the table says why not. OpenSSL here is its own command: `openssl verify` with the service as the only trusted
 * certificate, for TLS servers or clients, at security level 2 (no SHA-1, no key that cannot be read), at a fixed time.
 */

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { CertificateError, type CryptoSuite, nobleSuite, pemEncode, verifyEndorsement } from "../src/index.js";
import { nativeSuite } from "../src/native.js";
import { CHAIN_CASES } from "./certificates/chain-cases.js";
import { CONTENT_CASES } from "./certificates/content-cases.js";
import { ENCODING_CASES } from "./certificates/encoding-cases.js";
import { EXTENSION_CASES } from "./certificates/extension-cases.js";
import type { CertificateCase, Shown } from "./certificates/issue.js";
import { service } from "./forge.js";

/** Within the validity of every certificate that is not wrong about just that. */
const NOW_MS = Date.parse("2026-07-01T12:00:00Z");
const CASES_MIN = 80;

const TABLES: Readonly<Record<string, readonly CertificateCase[]>> = {
  "written wrongly": ENCODING_CASES,
  "with content that is wrong": CONTENT_CASES,
  "with extensions": EXTENSION_CASES,
  "of the wrong issuer, anchor or algorithm": CHAIN_CASES,
};

describe.each(Object.entries(TABLES))("a certificate %s", (_, table) => {
  test.each(table.map(([verdict, name, make]) => ({ verdict, name, make })))("$verdict: $name", ({ verdict, make }) => {
    const certificates = shown(make());
    for (const suite of [nativeSuite, nobleSuite]) {
      expect(verdictOf(suite, certificates), `${suite.name} suite`).toBe(verdict);
    }
  });
});

test(`there are at least ${CASES_MIN} bad ones, each with a name of its own`, () => {
  const all = Object.values(TABLES).flat();
  expect(all.filter(([verdict]) => verdict !== "accepted").length).toBeGreaterThanOrEqual(CASES_MIN);
  expect(new Set(all.map(([, name]) => name)).size).toBe(all.length);
});

const version = opensslVersion();
if (version === undefined) {
  test.skip("no openssl command found: its verdicts were not compared with ours", () => undefined);
} else {
  test(`${version} accepts what we accept, except where the table says why not`, { timeout: 60_000 }, async () => {
    const all = Object.values(TABLES).flat();
    const verdicts = await opensslVerdicts(all.map(([, , make]) => shown(make())));
    const differences: string[] = [];
    for (const [index, [verdict, name, , departure]] of all.entries()) {
      const ours = verdict === "accepted";
      const theirs = verdicts[index] === true;
      const reason = ours
        ? departure !== undefined && "looser" in departure
        : departure !== undefined && "stricter" in departure;
      if (ours !== theirs && !reason)
        differences.push(`${name}: we say ${verdict}, OpenSSL ${theirs ? "accepts" : "refuses"}`);
      // The reasons are those for OpenSSL 3.0; a later one may refuse more, which then needs no reason.
      if (ours === theirs && departure !== undefined && version.startsWith("OpenSSL 3.0.")) {
        differences.push(`${name}: OpenSSL agrees, so there is nothing to explain`);
      }
    }
    expect(differences.join("\n")).toBe("");
  });
}

function shown(made: Uint8Array | Shown): Required<Shown> {
  return made instanceof Uint8Array
    ? { leaf: made, anchor: service.certificate }
    : { anchor: service.certificate, ...made };
}

function verdictOf(suite: CryptoSuite, { leaf, anchor }: Required<Shown>): string {
  try {
    verifyEndorsement(suite, leaf, anchor, { nowMs: NOW_MS });
    return "accepted";
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

/** One run of the command for all certificates that share an anchor, and for each purpose: starting it costs more than all it does. */
async function opensslVerdicts(all: readonly Required<Shown>[]): Promise<readonly boolean[]> {
  const folder = mkdtempSync(join(tmpdir(), "sealane-certificates-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, der: Uint8Array) => writeFileSync(join(folder, name), pemEncode("CERTIFICATE", der));
  const byAnchor = new Map<string, { readonly anchor: string; readonly files: string[] }>();
  for (const [index, { leaf, anchor }] of all.entries()) {
    const key = Buffer.from(anchor).toString("hex");
    const group = byAnchor.get(key) ?? { anchor: `anchor-${index}.pem`, files: [] };
    if (group.files.length === 0) write(group.anchor, anchor);
    byAnchor.set(key, group);
    write(`${index}.pem`, leaf);
    group.files.push(`${index}.pem`);
  }
  const accepted = new Set<string>();
  for (const { anchor, files } of byAnchor.values()) {
    for (const purpose of ["sslserver", "sslclient"]) {
      const words = ["-auth_level", "2", "-attime", String(NOW_MS / 1_000), "-purpose", purpose, "-CAfile", anchor];
      const output = await run(folder, ["verify", "-no-CApath", "-no-CAstore", ...words, ...files]);
      for (const [, file = ""] of output.matchAll(/^(\S+): OK$/gm)) accepted.add(file);
    }
  }
  return all.map((_, index) => accepted.has(`${index}.pem`));
}

/** What it prints on standard output; the exit code only says that one of many was refused. */
function run(folder: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile("openssl", words, { cwd: folder }, (_, stdout) => resolve(stdout));
  });
}

function opensslVersion(): string | undefined {
  try {
    const text = execFileSync("openssl", ["version"], { stdio: "pipe" }).toString();
    return /^OpenSSL 3\.\S+/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}
