/** The scenario command, without a terminal: what it prints and writes, and its exit codes. */
import { describe, expect, test } from "vitest";
import type { CommandHost } from "../src/command-line.js";
import { scenarioCommand } from "../src/scenario/command.js";

const good = "start_node,0\nemit_signature,2\nstate_all\n";
const golden = `${good.trimEnd()}
====
start_node,0
  0 is primary in 2
  0 appends 2.1{0}
  0 counts {0}@1
`;

class MemoryHost implements CommandHost {
  readonly files: Map<string, string>;
  readonly out: string[] = [];
  readonly errors: string[] = [];

  constructor(files: Readonly<Record<string, string>>) {
    this.files = new Map(Object.entries(files));
  }

  readText(path: string): string {
    const text = this.files.get(path);
    if (text === undefined) throw new Error("no such file");
    return text;
  }

  writeText(path: string, text: string): void {
    if (path.startsWith("/no/")) throw new Error("no such folder");
    this.files.set(path, text);
  }

  print(line: string): void {
    this.out.push(line);
  }

  printError(line: string): void {
    this.errors.push(line);
  }
}

function run(argv: string, files: Readonly<Record<string, string>> = { good }) {
  const host = new MemoryHost(files);
  const code = scenarioCommand(argv.split(" "), host);
  return { code, host, errors: host.errors, out: host.out };
}

describe("the scenario command", () => {
  test("runs files and says so", () => {
    expect(run("good good").out).toEqual(
      expect.arrayContaining(["0: leadership P membership A @2.2 (committed 2)", "ok good"]),
    );
    expect(run("good").code).toBe(0);
  });

  test("--help prints the usage", () => {
    const { code, out } = run("--help");
    expect(code).toBe(0);
    expect(out.join("\n")).toContain("--rewrite");
  });

  test.each([
    ["no file", "--expect", "No scenario file is named. Try --help."],
    ["an unknown option", "--frob good", "There is no option --frob. Try --help."],
    ["a trace without a name", "good --trace", "--trace needs the name of the file to write. Try --help."],
    ["a trace of two files", "--trace t good good", "--trace takes one scenario file, not 2. Try --help."],
    ["two kinds of golden output", "--expect --rewrite good", "--expect and --rewrite exclude each other. Try --help."],
    ["a seed that is no number", "--seed=x good", '--seed needs a whole number below 10^9, not "x". Try --help.'],
    ["a file that is not there", "other", "other: cannot be read: no such file"],
    ["a trace that cannot be written", "good --trace /no/where", "/no/where: cannot be written: no such folder"],
  ])("%s is wrong usage", (_, argv, error) => {
    const { code, errors } = run(argv);
    expect(errors).toEqual([error]);
    expect(code).toBe(2);
  });

  test.each([
    ["a failing line", `${good}assert_commit_idx,0,7\n`, "bad:4: assert_commit_idx,0,7: commit is 2"],
    ["an unknown command", `${good}\nfrob,1\n`, "bad:5: frob,1: unknown command"],
    ["a wrong number of fields", "start_node\n", "bad:1: start_node: it takes 1 field, not 0"],
    ["no primary at the end", "create_new_node,0\n", "bad: at the end: loop_until_sync: there is no primary"],
  ])("%s is named with its file and line", (_, bad, error) => {
    const { code, errors, out } = run("bad good", { bad, good });
    expect(errors).toEqual([error]);
    expect(code).toBe(1);
    expect(out).toContain("ok good"); // the others run all the same
  });

  test("Markdown files are left out", () => {
    expect(run("README.md good", { "README.md": "# words", good })).toMatchObject({ code: 0, errors: [] });
  });

  test("--trace writes one object a line", () => {
    const { host } = run("good --trace out.ndjson");
    const lines = (host.files.get("out.ndjson") ?? "").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).msg.function)).toEqual(["bootstrap", "replicate", "commit"]);
  });

  test("--rewrite puts golden output behind the scenario, --expect compares with it", () => {
    const { host } = run("--rewrite good");
    const rewritten = host.files.get("good") ?? "";
    expect(rewritten.startsWith(golden)).toBe(true);
    expect(run("--expect good", { good: rewritten })).toMatchObject({ code: 0, errors: [] });
    expect(run("--rewrite good", { good: rewritten }).host.files.get("good")).toBe(rewritten);
  });

  test("--expect names the first line that differs", () => {
    const changed = golden.replace("0 is primary in 2", "0 is primary in 3");
    const { code, errors } = run("--expect good", { good: changed });
    expect(code).toBe(1);
    expect(errors).toEqual([
      'good:6: golden output differs: "0 is primary in 3" is expected, "0 is primary in 2" happened',
    ]);
    expect(run("--expect good").errors).toEqual(["good: it has no golden output; --rewrite puts it there"]);
  });
});
