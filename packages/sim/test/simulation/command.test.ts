/** The command from its arguments to its exit code, with runs in this process. */
import { expect, it } from "vitest";
import { type SimulationHost, simulationCommand } from "../../src/simulation/command.js";
import { type RunSettings, runSettings, type Summary, shrinkSettings } from "../../src/simulation/settings.js";

class Host implements SimulationHost {
  readonly workers = 1;
  readonly files = new Map<string, string>();
  readonly ran: RunSettings[] = [];
  readonly printed: string[] = [];
  readonly errors: string[] = [];
  #run: (settings: RunSettings) => Summary;

  constructor(run: (settings: RunSettings) => Summary = runSettings) {
    this.#run = run;
  }

  run(settings: RunSettings): Promise<Summary> {
    this.ran.push(settings);
    return Promise.resolve(this.#run(settings));
  }
  shrink(settings: RunSettings): Promise<Summary | undefined> {
    const plan = [{ atMs: 5, fault: { kind: "kill", node: 0, forMs: 1 } }] as const;
    return Promise.resolve(this.#run({ ...settings, plan }));
  }
  nowMs = () => 0;
  readText(path: string): string {
    const text = this.files.get(path);
    if (text === undefined) throw new Error("no such file");
    return text;
  }
  writeText(path: string, text: string): void {
    this.files.set(path, text);
  }
  print = (line: string) => void this.printed.push(line);
  printError = (line: string) => void this.errors.push(line);
}

const NOTHING: Omit<Summary, "settings" | "seed"> = {
  traceHash: "0",
  simulatedMs: 1_000,
  operations: { ok: 0, failed: 0, unknown: 0 },
  committed: 0,
  checks: 0,
  reached: {},
};
const isRight = (settings: RunSettings): Summary => ({ ...NOTHING, seed: settings.seed, settings });
const isWrong = (settings: RunSettings): Summary => ({
  ...isRight(settings),
  violation: { code: "agreement", message: "it broke", atMs: 5 },
});

it("runs seeds, counts every kind of fault, and says that nothing is wrong", async () => {
  const host = new Host();
  expect(
    await simulationCommand(["--seeds", "3..4", "--seconds=2", "--kinds", "kill,loss", "--nodes", "3"], host),
  ).toBe(0);
  expect(host.ran).toEqual([3, 4].map((seed) => ({ seed, durationMs: 2_000, kinds: ["kill", "loss"], nodes: 3 })));
  expect(host.printed.join("\n")).toMatch(/\| kill +\| +\d+ \|[\s\S]*2 runs[\s\S]*Nothing is wrong\./);
});

it("prints how to repeat a failing seed, and leaves a plan that runs again", async () => {
  const host = new Host(isWrong);
  expect(await simulationCommand(["--seed", "9", "--seconds", "2", "--out", "f.json"], host)).toBe(1);
  expect(host.errors.join("\n")).toContain("npx -y pnpm@12 sim --seed 9 --seconds 2");
  expect(host.errors.join("\n")).toContain("npx -y pnpm@12 sim --plan f.json");
  const again = new Host(isRight);
  again.files.set("f.json", host.files.get("f.json") ?? "");
  expect(await simulationCommand(["--plan", "f.json"], again)).toBe(0);
  expect(again.ran).toMatchObject([{ seed: 9, plan: [{ atMs: 5, fault: { kind: "kill" } }] }]);
});

it("says when a failure does not come again", async () => {
  const host = new Host(isWrong);
  host.shrink = () => Promise.resolve(undefined);
  expect(await simulationCommand(["--seed", "9"], host)).toBe(1);
  expect(host.errors.at(-1)).toContain("does not come from the seed");
});

it("prints its help, and the kinds there are", async () => {
  const host = new Host();
  expect(await simulationCommand(["--help"], host)).toBe(0);
  expect(host.printed[0]).toContain("Usage: sim [options]");
  expect(await simulationCommand(["--kinds", "list"], host)).toBe(0);
  expect(host.printed[1]).toContain("torn-write");
});

it.each([
  [["--what"], "There is no option --what."],
  [["seed"], '"seed" is no option.'],
  [["--seed"], "--seed needs a value."],
  [["--seed", "-1"], "--seed needs a whole number below 2^32"],
  [["--seed", "4294967296"], "--seed needs a whole number below 2^32"],
  [["--seeds", "5..1"], "--seeds needs two whole numbers"],
  [["--seeds", "1..2000000"], "--seeds takes at most"],
  [["--seed", "1", "--plan", "f"], "--seed and --plan exclude each other."],
  [["--nodes", "0"], "--nodes needs a whole number from 1 to 7"],
  [["--nodes", "1.5"], "--nodes needs a whole number from 1 to 7"],
  [["--intensity", "x"], "--intensity needs a number"],
  [["--kinds", "kill,flood"], 'There is no kind of fault "flood"'],
  [["--suite", "best"], "--suite is one of"],
  [["--help=yes"], "--help takes no value."],
  [["--plan", "absent"], "absent cannot be read"],
  [["--plan", "text"], "text is not JSON"],
  [["--plan", "other"], "other is no run"],
  [["--plan", "wrong"], "wrong is no run"],
])("refuses %j in one sentence", async (argv, sentence) => {
  const host = new Host();
  host.files.set("text", "{");
  host.files.set("other", "{}");
  host.files.set("wrong", '{"seed":1,"plan":[{"atMs":1,"fault":{"kind":"flood"}}]}');
  expect(await simulationCommand(argv, host)).toBe(2);
  expect(host.errors).toHaveLength(1);
  expect(host.errors[0]).toContain(sentence);
  expect(host.ran).toEqual([]);
});

it("shrinks nothing that does not fail", () => {
  expect(shrinkSettings({ seed: 1, durationMs: 1_000, plan: [] })).toBeUndefined();
});
