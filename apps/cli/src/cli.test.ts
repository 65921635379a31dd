import { expect, test } from "vitest";
import { FakeIo } from "../test/fake-io.js";
import { run } from "./cli.js";

const NODE = "0a".repeat(32);
/** Arguments that are right, so that each case below is wrong in one thing. */
const SERVICE = ["--service-cert", "text.pem"];
const USAGE_ERRORS: [string[], string][] = [
  [[], "name a command"],
  [["ledger"], "name a command"],
  [["bogus"], "unknown command 'bogus'"],
  [["ledger", "bogus"], "unknown command 'bogus'"],
  [["--bogus"], "unknown option '--bogus'"],
  [["start"], "--data-dir"],
  [["start", "--data-dir", "d", "--bogus"], "unknown option '--bogus'"],
  [["start", "--data-dir", "d", "extra"], "too many arguments"],
  [["start", "--data-dir", "d", "--node", "nowhere"], "--node"],
  [["start", "--data-dir", "d", "--api", "h:70000"], "--api"],
  [["start", "--data-dir", "d", "--heartbeat", "0"], "--heartbeat"],
  [["start", "--data-dir", "d", "--election-timeout", "soon"], "--election-timeout"],
  [["start", "--data-dir", "d", "--node", "0.0.0.0:7001"], "--published-node"],
  [["start", "--data-dir", "d", "--api", "[::]:8001"], "--published-api"],
  [["join", "--data-dir", "d", ...SERVICE], "--url"],
  [["join", "--data-dir", "d", "--url", "http://h:1", ...SERVICE], "https"],
  [["join", "--data-dir", "d", "--url", "https://h:1"], "--service-cert"],
  [["join", "--data-dir", "d", "--url", "https://h:1", ...SERVICE, "--bogus"], "--bogus"],
  [["trust", "short", "--member-key", "k", ...SERVICE], "node id"],
  [["trust", NODE, ...SERVICE], "--member-key"],
  [["remove", NODE, ...SERVICE], "--member-key"],
  [["remove", "short", "--member-key", "k", ...SERVICE], "node id"],
  [["trust", "--member-key", "k", ...SERVICE], "node-id"],
  [["trust", NODE, "--member-key", "k", ...SERVICE, "--bogus"], "--bogus"],
  [["status"], "--service-cert"],
  [["status", ...SERVICE, "--timeout", "-1"], "--timeout"],
  [["status", ...SERVICE, "--bogus"], "--bogus"],
  [["append", ...SERVICE, "--in-flight", "1025"], "--in-flight"],
  [["append", ...SERVICE, "--prefix", "a/b"], "--prefix"],
  [["append", ...SERVICE, "--bogus"], "--bogus"],
  [["get", ...SERVICE], "key"],
  [["get", "a b", ...SERVICE], "key"],
  [["get", "..", ...SERVICE], "key"],
  [["get", "k", ...SERVICE, "--bogus"], "--bogus"],
  [["ledger", "verify"], "dir"],
  [["ledger", "verify", ".", "--bogus"], "--bogus"],
  [["ledger", "archive", "."], "target"],
  [["ledger", "archive", ".", "there", "--below", "0"], "--below"],
  [["ledger", "show", ".", "--from", "0"], "--from"],
  [["ledger", "show", ".", "--from", "3", "--to", "2"], "--to"],
  [["ledger", "show", ".", "--bogus"], "--bogus"],
];

test.each(USAGE_ERRORS)("%j is refused with one sentence and exit code 2", async (args, part) => {
  const io = new FakeIo();
  expect(await run(args, io)).toBe(2);
  expect(io.out).toEqual([]);
  expect(io.err).toEqual([expect.stringMatching(/^sealane: [^\n]+[.!?)]$/)]);
  expect(io.err[0]).toContain(part);
});

test("whatever a command throws becomes one sentence and exit code 1", async () => {
  const io = new FakeIo();
  io.onStopSignal = () => {
    throw new Error("boom\n    at somewhere");
  };
  expect(await run(["start", "--data-dir", "/tmp/never-made"], io)).toBe(1);
  expect(io.err).toEqual(["sealane: unexpected failure: boom     at somewhere."]);
});
