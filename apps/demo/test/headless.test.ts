/** The script, as built, with all of its 5,000 lines: nothing lost, nothing doubled, nothing shown. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Report } from "../src/report.js";
import { runDemo } from "./built.js";

const LINES = 5_000;

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sealane-headless-test-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test("the script holds from the first line to the verdict", { timeout: 240_000 }, async () => {
  const file = join(dir, "out.json");
  const secretsFile = join(dir, "secrets.json");
  const args = [
    "--headless",
    "--report",
    file,
    "--lines",
    String(LINES),
    "--data-dir",
    join(dir, "data"),
    "--export-secrets",
    secretsFile,
  ];
  const { code, stdout, stderr } = await runDemo(args).ended;
  // The file was written by writeReport from a value of this type.
  const report = JSON.parse(await readFile(file, "utf8")) as Report;
  const failed = report.steps.filter((step) => !step.ok);
  expect(failed, `${stdout}${stderr}`).toEqual([]);
  expect(code, stderr).toBe(0);
  expect(report.verdict).toBe("pass");
  expect(report.steps).toHaveLength(17);
  expect(report.counts).toMatchObject({
    lines: LINES,
    acknowledged: LINES,
    records: LINES,
    receipts: 100,
    acknowledgedThroughPrimary: LINES / 2,
    acknowledgedThroughBackup: LINES / 2,
  });
  expect(report.counts.refusedWithoutQuorum).toBeGreaterThan(0);
  expect(report.counts.capturedBytes).toBeGreaterThan(LINES * 100);
  expect(stdout).toMatch(/PASS in/);

  expect(JSON.parse(await readFile(secretsFile, "utf8"))).toEqual([
    { from_seqno: 1, key: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ]);
  expect((await stat(secretsFile)).mode & 0o777).toBe(0o600);
});
