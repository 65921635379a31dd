/** Runs the built command as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));
if (!existsSync(MAIN)) throw new Error("the command is not built: run `pnpm build` first");

/** What a run sees of the environment of the tests: with the last two, what it prints is searched for the keys it uses. */
const INHERITED = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => ["PATH", "NODE_OPTIONS", "SEALANE_WATCH"].includes(name)),
);

/** A run that takes longer is killed, and fails its test. */
const RUN_MS_MAX = 120_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Written to stdin, which then ends; without it stdin ends at once. */
  readonly input?: string;
  /** Leaves stdin open after `input`. */
  readonly keepStdinOpen?: boolean;
  /** Closes our end of its stdout at once. */
  readonly closeStdout?: boolean;
}

/** Starts the command and lets it run. */
export function launch(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { env: { ...INHERITED, ...env } });
}

export async function sealane(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = launch(args, options.env);
  if (options.closeStdout === true) child.stdout?.destroy();
  child.stdin?.on("error", () => {}); // it may end before it has read everything
  child.stdin?.write(options.input ?? "");
  if (options.keepStdinOpen !== true) child.stdin?.end();
  return finished(child);
}

export async function finished(child: ChildProcess): Promise<Finished> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), RUN_MS_MAX);
  const code = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
  });
  clearTimeout(timer);
  return { code, stdout, stderr };
}

/** One sentence behind the command's name, in one line, and nothing that looks like a stack. */
export const ONE_SENTENCE = /^sealane: (?!.*\bat .*\.js:\d)[^\n]+[.!?)]\n$/;
