/** The simulation command: its arguments, what it prints, its exit code. Runs happen where the host has them run. */
import { type CommandHost, EXIT_FAILED, EXIT_OK, EXIT_USAGE, splitOption } from "../command-line.js";
import { FAULT_KINDS, type FaultKind } from "../faults/fault.js";
import { campaignSettings, parseSettings, type RunSettings, SUITES, type SuiteName, type Summary } from "./settings.js";

export interface SimulationHost extends CommandHost {
  /** How many runs go on at a time. */
  readonly workers: number;
  run(settings: RunSettings): Promise<Summary>;
  /** As `shrinkSettings`. */
  shrink(settings: RunSettings): Promise<Summary | undefined>;
  /** ms, of a clock that only goes forward. */
  nowMs(): number;
}

export const SIMULATION_USAGE = `Runs whole clusters in virtual time, under faults, and checks everything. One seed decides all of a run.

Usage: sim [options]

  --seed N          one seed, a whole number below 2^32 (default 1)
  --seeds A..B      several
  --plan FILE       run again what a failing seed has left: JSON with settings and faults
  --campaign        settings drawn from each seed: short wild runs, hours of quieter ones, some with real cryptography
  --nodes N         at the start, 1 to 7 (default 3)
  --clients N       0 to 100 (default 3)
  --seconds N       virtual, while faults happen (default 60)
  --intensity X     faults in ten virtual seconds (default 8)
  --kinds A,B       only these kinds of fault; "--kinds list" names them all
  --suite NAME      ${SUITES.join(", ")} (default ${SUITES[0]})
  --no-shrink       do not look for a smaller plan when a seed fails
  --out FILE        where the smallest failing run goes (default sim-SEED.json)
  --help            print this

Exit codes: 0 nothing is wrong, 1 a run fails, 2 wrong usage or a file cannot be read or written.`;

type Arguments = {
  readonly runs: readonly RunSettings[];
  readonly shrinks: boolean;
  readonly out: string | undefined;
};

const VALUES = [
  "--seed",
  "--seeds",
  "--plan",
  "--nodes",
  "--clients",
  "--seconds",
  "--intensity",
  "--kinds",
  "--suite",
  "--out",
];
const FLAGS = ["--campaign", "--no-shrink", "--help"];
const SEEDS_MAX = 1_000_000;

/** @returns the exit code. Never throws for what is in the arguments or files. */
export async function simulationCommand(argv: readonly string[], host: SimulationHost): Promise<number> {
  const options = optionsIn(argv);
  if (typeof options === "string") return refuse(host, options);
  if (options.has("--help")) {
    host.print(SIMULATION_USAGE);
    return EXIT_OK;
  }
  if (options.get("--kinds") === "list") {
    host.print(FAULT_KINDS.join("\n"));
    return EXIT_OK;
  }
  const parsed = argumentsOf(options, host);
  return typeof parsed === "string" ? refuse(host, parsed) : await runAll(parsed, host);
}

function refuse(host: SimulationHost, why: string): number {
  host.printError(`${why} Try --help.`);
  return EXIT_USAGE;
}

/** @returns a sentence when the arguments make no sense. */
function optionsIn(argv: readonly string[]): ReadonlyMap<string, string> | string {
  const options = new Map<string, string>();
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = splitOption(argv[i] ?? "");
    if (name === "-h") options.set("--help", "");
    else if (FLAGS.includes(name)) {
      if (inline !== undefined) return `${name} takes no value.`;
      options.set(name, "");
    } else if (VALUES.includes(name)) {
      const value = inline ?? argv[++i];
      if (value === undefined || value === "" || value.startsWith("--")) return `${name} needs a value.`;
      options.set(name, value);
    } else return name.startsWith("-") ? `There is no option ${name}.` : `"${name}" is no option.`;
  }
  return options;
}

function argumentsOf(options: ReadonlyMap<string, string>, host: SimulationHost): Arguments | string {
  const common = { shrinks: !options.has("--no-shrink"), out: options.get("--out") };
  const sources = ["--seed", "--seeds", "--plan"].filter((name) => options.has(name));
  if (sources.length > 1) return `${sources.join(" and ")} exclude each other.`;
  const settings = settingsIn(options);
  if (typeof settings === "string") return settings;
  const plan = options.get("--plan");
  if (plan !== undefined) {
    const saved = readPlan(plan, host);
    return typeof saved === "string" ? saved : { ...common, runs: [{ ...saved, ...settings }] };
  }
  const seeds = seedsIn(options);
  if (typeof seeds === "string") return seeds;
  const drawn = options.has("--campaign") ? campaignSettings : (seed: number) => ({ seed });
  return { ...common, runs: seeds.map((seed) => ({ ...drawn(seed), ...settings })) };
}

function settingsIn(options: ReadonlyMap<string, string>): Omit<RunSettings, "seed"> | string {
  const numbers: Record<string, number> = {};
  for (const [option, name, least, most, unit] of [
    ["--nodes", "nodes", 1, 7, 1],
    ["--clients", "clients", 0, 100, 1],
    ["--seconds", "durationMs", 1, 1_000_000, 1_000],
    ["--intensity", "intensity", 0, 1_000, 1],
  ] as const) {
    const text = options.get(option);
    if (text === undefined) continue;
    const isWhole = option === "--intensity" || /^\d+$/.test(text);
    const value = Number(text);
    if (!isWhole || !(value >= least && value <= most)) {
      return `${option} needs a ${option === "--intensity" ? "" : "whole "}number from ${least} to ${most}, not "${text}".`;
    }
    numbers[name] = value * unit;
  }
  const kinds = options.get("--kinds")?.split(",");
  const unknown = kinds?.find((kind) => !isKind(kind));
  if (unknown !== undefined) return `There is no kind of fault "${unknown}"; --kinds list names them.`;
  const suite = options.get("--suite");
  if (suite !== undefined && !isSuite(suite)) return `--suite is one of ${SUITES.join(", ")}, not "${suite}".`;
  return {
    ...numbers,
    ...(kinds !== undefined && { kinds: kinds.filter(isKind) }),
    ...(suite !== undefined && { suite }),
  };
}

function isKind(text: string): text is FaultKind {
  const kinds: readonly string[] = FAULT_KINDS;
  return kinds.includes(text);
}

function isSuite(text: string): text is SuiteName {
  const names: readonly string[] = SUITES;
  return names.includes(text);
}

function seedsIn(options: ReadonlyMap<string, string>): readonly number[] | string {
  const range = options.get("--seeds");
  const text = range ?? options.get("--seed") ?? "1";
  const [, first = text, last = first] = range === undefined ? [] : (/^(\d+)\.\.(\d+)$/.exec(range) ?? [range, "", ""]);
  const [from, to] = [first, last].map((part) => (/^\d{1,10}$/.test(part) ? Number(part) : Number.NaN));
  if (from === undefined || to === undefined || !(from <= to && to < 2 ** 32)) {
    return range === undefined
      ? `--seed needs a whole number below 2^32, not "${text}".`
      : `--seeds needs two whole numbers below 2^32, the lower one first, as in 1..100, not "${range}".`;
  }
  if (to - from >= SEEDS_MAX) return `--seeds takes at most ${SEEDS_MAX} seeds.`;
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function readPlan(file: string, host: SimulationHost): RunSettings | string {
  let text: string;
  try {
    text = host.readText(file);
  } catch (error) {
    return `${file} cannot be read: ${reasonOf(error)}.`;
  }
  try {
    return (
      parseSettings(JSON.parse(text)) ?? `${file} is no run: it needs a seed, and a plan of faults with their times.`
    );
  } catch (error) {
    return `${file} is not JSON: ${reasonOf(error)}.`;
  }
}

async function runAll({ runs, shrinks, out }: Arguments, host: SimulationHost): Promise<number> {
  const beganMs = host.nowMs();
  const summaries: Summary[] = [];
  const waiting = [...runs];
  const work = async (): Promise<void> => {
    for (let settings = waiting.shift(); settings !== undefined; settings = waiting.shift()) {
      const summary = await host.run(settings);
      summaries.push(summary);
      if (summary.violation !== undefined) host.printError(violationText(summary));
    }
  };
  await Promise.all(Array.from({ length: Math.min(host.workers, runs.length) }, work));
  host.print(tableOf(summaries, (host.nowMs() - beganMs) / 1_000));
  const [failed] = summaries.filter(({ violation }) => violation !== undefined).sort((a, b) => a.seed - b.seed);
  if (failed === undefined) return EXIT_OK;
  if (shrinks) return await shrinkAndSave(failed, out, host);
  return EXIT_FAILED;
}

async function shrinkAndSave(failed: Summary, out: string | undefined, host: SimulationHost): Promise<number> {
  host.printError(`Looking for less that fails like seed ${failed.seed} …`);
  const smaller = await host.shrink(failed.settings);
  if (smaller === undefined) {
    host.printError("It did not fail again: something in it does not come from the seed.");
    return EXIT_FAILED;
  }
  const file = out ?? `sim-${failed.seed}.json`;
  host.printError(JSON.stringify(smaller.settings, null, 2));
  try {
    host.writeText(file, `${JSON.stringify(smaller.settings, null, 2)}\n`);
  } catch (error) {
    host.printError(`${file} cannot be written: ${reasonOf(error)}`);
    return EXIT_USAGE;
  }
  host.printError(`${smaller.violation?.code}: ${smaller.violation?.message}`);
  host.printError(`Run it with: npx -y pnpm@12 sim --plan ${file}`);
  return EXIT_FAILED;
}

function violationText({ settings, violation }: Summary): string {
  return `seed ${settings.seed}: ${violation?.code}: ${violation?.message}\nRepeat it with: ${repeatCommand(settings)}`;
}

/** The command that runs the same again. */
export function repeatCommand(settings: RunSettings): string {
  const { seed, nodes, clients, durationMs, intensity, kinds, suite, plan, thinkMs, electionTimeoutMs } = settings;
  const command = "npx -y pnpm@12 sim";
  if (plan !== undefined) return `${command} --plan FILE, with the file it came from`;
  if (thinkMs !== undefined || electionTimeoutMs !== undefined || isCampaign(settings)) {
    return `${command} --campaign --seed ${seed}`;
  }
  const options = [
    ...(nodes === undefined ? [] : [`--nodes ${nodes}`]),
    ...(clients === undefined ? [] : [`--clients ${clients}`]),
    ...(durationMs === undefined ? [] : [`--seconds ${durationMs / 1_000}`]),
    ...(intensity === undefined ? [] : [`--intensity ${intensity}`]),
    ...(kinds === undefined ? [] : [`--kinds ${kinds.join(",")}`]),
    ...(suite === undefined ? [] : [`--suite ${suite}`]),
  ];
  return [command, `--seed ${seed}`, ...options].join(" ");
}

function isCampaign(settings: RunSettings): boolean {
  return JSON.stringify(campaignSettings(settings.seed)) === JSON.stringify(settings);
}

function tableOf(summaries: readonly Summary[], seconds: number): string {
  const reached = new Map<string, number>();
  let [simulatedMs, committed, checks, ok, failed, unknown] = [0, 0, 0, 0, 0, 0];
  for (const summary of summaries) {
    for (const [kind, times] of Object.entries(summary.reached)) reached.set(kind, (reached.get(kind) ?? 0) + times);
    simulatedMs += summary.simulatedMs;
    committed += summary.committed;
    checks += summary.checks;
    ok += summary.operations.ok;
    failed += summary.operations.failed;
    unknown += summary.operations.unknown;
  }
  const hours = simulatedMs / 3_600_000;
  const rate = simulatedMs / 1_000 / seconds;
  const violations = summaries.filter(({ violation }) => violation !== undefined).length;
  const rows = FAULT_KINDS.map((kind) => `| ${kind.padEnd(20)} | ${String(reached.get(kind) ?? 0).padStart(9)} |`);
  return [
    `| ${"fault".padEnd(20)} |   reached |`,
    `| ${"-".repeat(20)} | ${"-".repeat(8)}: |`,
    ...rows,
    "",
    `${summaries.length} runs, ${hours.toFixed(2)} cluster-hours in ${seconds.toFixed(0)} s (${rate.toFixed(0)} simulated s/s)`,
    `${ok} operations answered, ${failed} refused, ${unknown} open; ${committed} entries committed; invariants checked ${checks} times`,
    ...(summaries.length === 1 ? [`trace ${summaries[0]?.traceHash}`] : []),
    violations === 0 ? "Nothing is wrong." : `${violations} runs fail.`,
  ].join("\n");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
