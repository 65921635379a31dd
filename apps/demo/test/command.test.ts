/** The command itself: help, one sentence for each mistake, and no process left behind. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClusterView } from "../src/feed.js";
import { isAlive, runDemo } from "./built.js";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sealane-demo-test-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test("--help says what is possible and ends well", { timeout: 20_000 }, async () => {
  const { code, stdout, stderr } = await runDemo(["--help"]).ended;
  expect(code).toBe(0);
  expect(stderr).toBe("");
  for (const flag of ["--nodes", "--port", "--data-dir", "--headless", "--report", "--lines", "--export-secrets"])
    expect(stdout).toContain(flag);
});

describe("a mistake is one clear sentence and a non-zero exit", { timeout: 20_000 }, () => {
  test.each([
    [["--fast"], /unknown option '--fast'/],
    [["--nodes", "8"], /--nodes takes a whole number from 1 to 7/],
    [["--nodes", "two"], /--nodes takes a whole number/],
    [["--nodes"], /argument missing/],
    [["--port", "70000"], /--port takes a whole number from 0 to 65535/],
    [["extra"], /too many arguments/],
    [["--report", "x.json"], /--report only makes sense together with --headless/],
    [["--lines", "500"], /--lines only makes sense together with --headless/],
    [["--headless", "--lines", "3"], /--lines takes a whole number from 100/],
    [["--headless", "--port", "4600"], /--port makes no sense together with --headless/],
    [["--headless", "--nodes", "3"], /--headless runs a pair/],
    [
      ["--headless", "--report", "/does/not/exist/report.json"],
      /the report cannot be written to \/does\/not\/exist\/report.json/,
    ],
    [["--headless", "--export-secrets", "/does/not/exist/s.json"], /the ledger secrets cannot be written/],
    [["--data-dir", "/proc/nothing"], /the data directory \/proc\/nothing cannot be used/],
    [["--data-dir", "/dev/null/data"], /the data directory \/dev\/null\/data cannot be used/],
  ])("%j", async (args, sentence) => {
    const { code, stdout, stderr } = await runDemo(args).ended;
    expect(code).not.toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^demo: [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
  });

  test("a taken port", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const { code, stderr } = await runDemo(["--port", String(port)]).ended;
    other.close();
    expect(code).not.toBe(0);
    expect(stderr).toBe(`demo: port ${port} is taken: choose another with --port\n`);
  });

  test("a directory that holds something else, for the script", async () => {
    await writeFile(join(dir, "letter.txt"), "dear reader");
    const { code, stderr } = await runDemo(["--headless", "--data-dir", dir]).ended;
    expect(code).not.toBe(0);
    expect(stderr).toBe(`demo: ${dir} is not empty: the script needs a new directory\n`);
    expect(await readdir(dir)).toEqual(["letter.txt"]);
  });

  test("a damaged cluster.json", async () => {
    const damaged = await mkdtemp(join(dir, "damaged-"));
    await writeFile(join(damaged, "cluster.json"), '{"nodes":[{"api":1}]}');
    const { code, stderr } = await runDemo(["--port", "0", "--data-dir", damaged]).ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^demo: .*cluster.json is damaged/);
  });
});

test("a pair comes up, ends on SIGTERM, and comes back from its directory as the same nodes; no process is left", {
  timeout: 90_000,
}, async () => {
  const data = join(dir, "pair");
  const ids: (string | null)[][] = [];
  for (let run = 0; run < 2; run++) {
    const demo = runDemo(["--port", "0", "--data-dir", data]);
    const [, url] = await demo.printed(/page\s+(http:\S+)/);
    await demo.printed(/Ctrl-C ends everything/);
    const answer = await fetch(`${url}api/cluster`);
    // The server answers with the view of feed.ts.
    const { nodes } = (await answer.json()) as ClusterView;
    expect(nodes.map((node) => node.process)).toEqual(["up", "up"]);
    expect(nodes.flatMap((node) => node.channels.map((channel) => channel.state))).toEqual([
      "ESTABLISHED",
      "ESTABLISHED",
    ]);
    ids.push(nodes.map((node) => node.id));
    demo.child.kill("SIGTERM");
    const { code, stderr } = await demo.ended;
    expect(stderr).toBe("");
    expect(code).toBe(0);
    for (const { pid } of nodes) expect(pid === null || isAlive(pid)).toBe(false);
  }
  expect(ids[1]).toEqual(ids[0]);
});

test("the nodes end when the supervisor is killed outright", { timeout: 60_000 }, async () => {
  const demo = runDemo(["--port", "0", "--data-dir", join(dir, "orphans")]);
  const [, url] = await demo.printed(/page\s+(http:\S+)/);
  await demo.printed(/Ctrl-C ends everything/);
  // The server answers with the view of feed.ts.
  const { nodes } = (await (await fetch(`${url}api/cluster`)).json()) as ClusterView;
  demo.child.kill("SIGKILL");
  await demo.ended;
  const pids = nodes.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  expect(pids).toHaveLength(2);
  await expect.poll(() => pids.filter(isAlive), { timeout: 20_000 }).toEqual([]);
});

test("nobody reads the output any more: the demo still ends in order and leaves nothing behind", {
  timeout: 60_000,
}, async () => {
  const temporary = await mkdtemp(join(dir, "tmp-"));
  const demo = runDemo(["--port", "0"], { TMPDIR: temporary });
  await demo.printed(/Ctrl-C ends everything/);
  expect(await readdir(temporary)).toHaveLength(1);
  demo.child.stdout?.destroy();
  demo.child.kill("SIGTERM");
  expect((await demo.ended).code).toBe(0);
  expect(await readdir(temporary)).toEqual([]);
});

test("a second signal ends the demo at once, and still leaves nothing behind", { timeout: 60_000 }, async () => {
  const temporary = await mkdtemp(join(dir, "tmp-"));
  const demo = runDemo(["--port", "0"], { TMPDIR: temporary });
  await demo.printed(/Starting 2 nodes/);
  demo.child.kill("SIGINT");
  await demo.printed(/Stopping/);
  demo.child.kill("SIGINT");
  await demo.ended;
  expect(await readdir(temporary)).toEqual([]);
});
