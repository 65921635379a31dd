/** The command line. Every wrong flag is one sentence. */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { DemoError } from "./errors.js";
import { LINES_MAX, LINES_MIN } from "./headless.js";

export const NODES_MAX = 7;
const PORT_MAX = 65_535;

export interface Options {
  readonly nodes: number;
  readonly port: number;
  readonly headless: boolean;
  readonly report: string | undefined;
  readonly lines: number;
  readonly dataDir: string | undefined;
  readonly exportSecrets: string | undefined;
}

const EXAMPLES = `
Examples:
  pnpm dev                                   a pair and its page on http://127.0.0.1:4600/
  pnpm dev --nodes 3 --data-dir /tmp/sea     three nodes that can be started again later
  pnpm dev --headless --report out.json      the script without a browser; exit code 0 only if all holds`;

/**
 * @param args - Without the interpreter and the script.
 * @returns undefined when `--help` was asked for and has been printed.
 * @throws {DemoError} for anything that does not make sense.
 */
export function parseOptions(args: readonly string[]): Options | undefined {
  const command = new Command("demo")
    .description(
      "Runs real Sealane nodes on this machine: a primary and a backup, with a page that shows what they exchange.",
    )
    .option("--nodes <n>", `how many nodes to run, 1 to ${NODES_MAX} (default: 2)`, whole("--nodes", 1, NODES_MAX))
    .option(
      "--port <port>",
      "where to serve the page on 127.0.0.1 (default: 4600; 0 takes any free port)",
      whole("--port", 0, PORT_MAX),
    )
    .option(
      "--data-dir <dir>",
      "keep the nodes' data here and start from it again; without it, in a temporary directory",
    )
    .option("--headless", "run the script without a page: write, kill, restart, verify", false)
    .option("--report <file>", "with --headless: write what was found as JSON")
    .option(
      "--lines <n>",
      "with --headless: how many lines to write (default: 5000)",
      whole("--lines", LINES_MIN, LINES_MAX),
    )
    .option("--export-secrets <file>", "with --headless: write the throw-away ledger secrets for an outside verifier")
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", EXAMPLES)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed" || error.code === "commander.help") return undefined;
    throw new DemoError(`${error.message.replace(/^error: /, "")} (--help shows what is possible)`);
  }
  // Every option above has the type its parser gives; commander itself only knows `any`.
  const given = command.opts<{
    nodes?: number;
    port?: number;
    headless: boolean;
    report?: string;
    lines?: number;
    dataDir?: string;
    exportSecrets?: string;
  }>();
  if (!given.headless) {
    for (const [flag, value] of [
      ["--report", given.report],
      ["--lines", given.lines],
      ["--export-secrets", given.exportSecrets],
    ] as const) {
      if (value !== undefined) throw new DemoError(`${flag} only makes sense together with --headless`);
    }
  } else {
    if (given.port !== undefined)
      throw new DemoError("--port makes no sense together with --headless: there is no page");
    if (given.nodes !== undefined && given.nodes !== 2)
      throw new DemoError("--headless runs a pair: leave out --nodes");
  }
  return {
    nodes: given.nodes ?? 2,
    port: given.port ?? 4_600,
    headless: given.headless,
    report: given.report,
    lines: given.lines ?? 5_000,
    dataDir: given.dataDir,
    exportSecrets: given.exportSecrets,
  };
}

function whole(flag: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`${flag} takes a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}
