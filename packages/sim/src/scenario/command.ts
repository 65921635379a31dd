/** The scenario command: its arguments, what it prints, its exit code. Files and terminal are given, so that it runs anywhere. */
import { type CommandHost, EXIT_FAILED, EXIT_OK, EXIT_USAGE, splitOption } from "../command-line.js";
import { ScenarioError } from "./commands.js";
import { runScenario, type ScenarioObserver } from "./run.js";
import { Trace } from "./trace.js";
import { expectedTranscript, Transcript, withTranscript } from "./transcript.js";

export const SCENARIO_USAGE = `Runs raft scenario files against the consensus core.

Usage: scenario [options] FILE...

  --trace OUT.ndjson  write the trace of the one FILE, in the form that CCF's trace specification reads
  --expect            also compare with the golden output that each FILE keeps behind a line of ====
  --rewrite           put what happens now into each FILE as its golden output
  --seed N            seed of election timers and shuffles, a whole number (default 1)
  --help              print this

Markdown files are left out, so that a folder's README does no harm.
Exit codes: 0 all pass, 1 a scenario fails or differs from its golden output, 2 wrong usage or a file cannot be read or written.`;

interface Arguments {
  readonly files: readonly string[];
  readonly trace?: string;
  readonly golden?: "expect" | "rewrite";
  readonly seed: number;
  readonly help: boolean;
}

/** @returns the exit code. Never throws for what is in the arguments or files. */
export function scenarioCommand(argv: readonly string[], host: CommandHost): number {
  const parsed = parseArguments(argv);
  if (typeof parsed === "string") {
    host.printError(`${parsed} Try --help.`);
    return EXIT_USAGE;
  }
  if (parsed.help) {
    host.print(SCENARIO_USAGE);
    return EXIT_OK;
  }
  return Math.max(...parsed.files.map((file) => runFile(file, parsed, host)));
}

/** @returns a sentence when the arguments make no sense. */
function parseArguments(argv: readonly string[]): Arguments | string {
  const files: string[] = [];
  let [trace, golden, seed, help]: [string?, Arguments["golden"]?, number?, boolean?] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? "";
    const [name = "", inline] = argument.startsWith("--") ? splitOption(argument) : [argument];
    const value = () => inline ?? argv[++i];
    if (argument === "--") {
      files.push(...argv.slice(i + 1));
      break;
    }
    if (name === "--help" || name === "-h") help = true;
    else if (name === "--expect" || name === "--rewrite") {
      const wanted = name === "--expect" ? "expect" : "rewrite";
      if (golden !== undefined && golden !== wanted) return "--expect and --rewrite exclude each other.";
      golden = wanted;
    } else if (name === "--trace") {
      trace = value();
      if (trace === undefined || trace === "") return "--trace needs the name of the file to write.";
    } else if (name === "--seed") {
      const text = value() ?? "";
      if (!/^\d{1,9}$/.test(text)) return `--seed needs a whole number below 10^9, not "${text}".`;
      seed = Number(text);
    } else if (name.startsWith("-")) return `There is no option ${name}.`;
    else files.push(argument);
  }
  const scenarios = files.filter((file) => !file.endsWith(".md"));
  if (help !== true && scenarios.length === 0) return "No scenario file is named.";
  if (trace !== undefined && scenarios.length > 1) return `--trace takes one scenario file, not ${scenarios.length}.`;
  return {
    files: scenarios,
    ...(trace !== undefined && { trace }),
    ...(golden !== undefined && { golden }),
    seed: seed ?? 1,
    help: help ?? false,
  };
}

function runFile(file: string, { trace: traceFile, golden, seed }: Arguments, host: CommandHost): number {
  let text = "";
  const read = attempt(`${file}: cannot be read`, host, () => {
    text = host.readText(file);
  });
  if (!read) return EXIT_USAGE;
  const transcript = new Transcript();
  const trace = traceFile === undefined ? undefined : new Trace();
  const observers: ScenarioObserver[] = [transcript, ...(trace === undefined ? [] : [trace])];
  let code = EXIT_OK;
  try {
    for (const line of runScenario(text, { seed, observers })) host.print(line);
  } catch (error) {
    host.printError(failureText(file, error));
    code = EXIT_FAILED;
  }
  if (trace !== undefined && traceFile !== undefined) {
    code = Math.max(code, writeTrace(file, trace, traceFile, host)); // of a failed scenario: up to where it failed
  }
  if (code === EXIT_OK && golden === "rewrite") {
    const rewritten = withTranscript(text, transcript.text);
    const written = attempt(`${file}: cannot be written`, host, () => {
      if (rewritten !== text) host.writeText(file, rewritten);
    });
    if (!written) return EXIT_USAGE;
  }
  if (code === EXIT_OK && golden === "expect") code = compare(file, text, transcript.text, host);
  if (code === EXIT_OK) host.print(`ok ${file}`);
  return code;
}

function failureText(file: string, error: unknown): string {
  if (!(error instanceof ScenarioError)) return `${file}: ${reasonOf(error)}`;
  return error.line === 0
    ? `${file}: ${error.message}`
    : `${file}:${error.line}: ${error.message.replace(/^line \d+: /, "")}`;
}

function writeTrace(file: string, trace: Trace, traceFile: string, host: CommandHost): number {
  let text: string;
  try {
    text = trace.text;
  } catch (error) {
    host.printError(`${file}: ${reasonOf(error)}`);
    return EXIT_FAILED;
  }
  const written = attempt(`${traceFile}: cannot be written`, host, () => host.writeText(traceFile, text));
  return written ? EXIT_OK : EXIT_USAGE;
}

function compare(file: string, text: string, happened: string, host: CommandHost): number {
  const expected = expectedTranscript(text);
  if (expected === undefined) {
    host.printError(`${file}: it has no golden output; --rewrite puts it there`);
    return EXIT_FAILED;
  }
  const [were, are] = [expected.split("\n"), happened.split("\n")];
  const at = are.findIndex((line, index) => line !== were[index]);
  if (at < 0 && were.length === are.length) return EXIT_OK;
  const index = at < 0 ? are.length : at;
  const line = text.split("\n").length - were.length + index + 1;
  const [was, is] = [were[index], are[index]].map((each) => (each ? `"${each.trim()}"` : "nothing more"));
  host.printError(`${file}:${line}: golden output differs: ${was} is expected, ${is} happened`);
  return EXIT_FAILED;
}

/** @returns false after saying why. */
function attempt(what: string, host: CommandHost, action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    host.printError(`${what}: ${reasonOf(error)}`);
    return false;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
