import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseScenario, ScenarioError } from "../src/scenario/commands.js";
import { runScenario } from "../src/scenario/run.js";
import { expectedTranscript, Transcript } from "../src/scenario/transcript.js";

const shared = process.env.SEALANE_SHARED ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
const OWN = fileURLToPath(new URL("../../consensus/scenarios", import.meta.url));

describe.each([
  ["public", join(shared, "raft-scenarios")],
  ["own", OWN],
])("the %s scenario files", (_, folder) => {
  if (!existsSync(folder)) {
    test.skip("skipped: no raft-scenarios folder; set SEALANE_SHARED to the folder that holds it", () => {});
    return;
  }
  const files = readdirSync(folder).filter((name) => !name.endsWith(".md"));
  test("are there", () => expect(files.length).toBeGreaterThan(0));
  describe.each(files)("%s", (name) => {
    const text = readFileSync(join(folder, name), "utf8");
    test("passes with the shortest and the longest election timers", () => {
      runScenario(text, { random: () => 0 });
      runScenario(text, { random: (max) => max });
    });
    test.each([1, 2, 3])("passes with seed %i", (seed) => {
      runScenario(text, { seed });
    });
    test.runIf(folder === OWN)("says in a comment what it shows, and does what its golden output says", () => {
      const transcript = new Transcript();
      runScenario(text, { observers: [transcript] });
      expect(text).toMatch(/^# .{40}/);
      expect(transcript.text).toBe(expectedTranscript(text));
    });
  });
});

test("there are at least 40 scenarios of our own", () => {
  expect(readdirSync(OWN).filter((name) => !name.endsWith(".md")).length).toBeGreaterThanOrEqual(40);
});

describe("the scenario language", () => {
  const start = "start_node,0\nemit_signature,2\n";

  test("comments and trailing blanks go, inner blanks stay, ==== ends the file", () => {
    expect(parseScenario("a,b c # d\n\n  \nreplicate,2,x y\n====\nz")).toEqual([
      { line: 1, name: "a", fields: ["b c"] },
      { line: 4, name: "replicate", fields: ["2", "x y"] },
    ]);
  });

  test.each([
    ["an unknown command", `${start}nonsense\n`, 3],
    ["a wrong number of fields", "start_node\n", 1],
    ["a view without primary", `${start}emit_signature,3\n`, 3],
    ["an assertion that does not hold", `${start}assert_commit_idx,0,3\n`, 3],
    ["an absent detail", `${start}assert_!detail,0,retirement_phase,Ordered\n`, 3],
    ["a file that ends without primary", "create_new_node,0\n", 0],
    ["a node that exists", `${start}trust_node,2,0\n`, 3],
  ])("%s is an error with its line", (_, text, line) => {
    expect(() => runScenario(text)).toThrow(expect.objectContaining({ name: "ScenarioError", line }));
    expect(() => runScenario(text)).toThrow(ScenarioError);
  });

  test("the old form of a start: nodes that know of each other without a log entry", () => {
    runScenario(`nodes,0,1,2
connect,0,1
connect,0,2
connect,1,2
periodic_one,0,100
dispatch_all
assert_detail,0,current_view,1
replicate,1,a
emit_signature,1
periodic_one,0,10
dispatch_all
periodic_one,0,10
dispatch_all
assert_commit_idx,1,2`);
  });

  test("prints states, logs and messages", () => {
    const printed = runScenario(
      `${start}trust_node,2,1\nstate_all\nsummarise_log,0\nsummarise_messages,0,1\nshuffle_all\n`,
    );
    expect(printed).toEqual([
      "0: leadership P membership A @2.3 (committed 2)",
      "1: leadership ? membership A @0.0 (committed 0)",
      "0: 2.1 [2.2] 2.3",
      "0->1: AE(t2, (2.2, 2.2])",
    ]);
  });
});
