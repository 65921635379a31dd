/**
 * The command line as a whole: which commands there are, and how every failure ends in one sentence and an exit code.
 *
 * The files of the commands import only what flags need. What a command works with (keys, ledgers, HTTP, the node) is loaded once its
 * flags are right: it takes several times as long as answering `--help`.
 */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { CliError, EXIT_FAILURE, EXIT_OK, EXIT_USAGE } from "./cli-error.js";
import { addAppend } from "./commands/append.js";
import { addChannel } from "./commands/channel.js";
import { addGet } from "./commands/get.js";
import { addHistory } from "./commands/history.js";
import { addJoin } from "./commands/join.js";
import { addLedger } from "./commands/ledger.js";
import { addReceipt } from "./commands/receipt.js";
import { addRecover } from "./commands/recover.js";
import { addRotateSecret } from "./commands/rotate-secret.js";
import { addStart } from "./commands/start.js";
import { addStatus } from "./commands/status.js";
import { addRemove, addTransfer, addTrust } from "./commands/vote.js";
import type { Io } from "./io.js";
import { sentenceOf } from "./sentence.js";

/**
 * Runs one command to its end.
 * @param argv - Without the runtime and the script.
 * @returns the exit code: 0, 1 for a failure, 2 for wrong usage, 128 + n after a signal n.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync(argv, { from: "user" });
    return EXIT_OK;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      io.warnLine(`sealane: ${sentenceOf(error)}`);
      return error instanceof CliError ? error.exitCode : EXIT_FAILURE;
    }
    if (error.exitCode === 0) return EXIT_OK; // help or version was asked for, and is printed
    io.warnLine(`sealane: ${usageSentence(error, argv)}`);
    return EXIT_USAGE;
  }
}

function createProgram(io: Io): Command {
  const program = new Command("sealane")
    .description("Run nodes of a replicated, sealed ledger; write to it, read from it, verify it.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "explain the command")
    .enablePositionalOptions() // "--version" behind a command is that command's own
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.printLine(text.replace(/\n$/, "")), // `main` lets stdout drain before it exits
      writeErr: () => {}, // `run` prints one sentence instead
      outputError: () => {},
    })
    .addHelpText("after", "\nExample:\n  $ sealane start --data-dir ./node0");
  for (const add of [
    addStart,
    addJoin,
    addRecover,
    addTrust,
    addRemove,
    addTransfer,
    addRotateSecret,
    addStatus,
    addAppend,
    addGet,
    addHistory,
    addLedger,
    addReceipt,
    addChannel,
  ])
    add(program, io);
  return program;
}

function usageSentence(error: CommanderError, argv: readonly string[]): string {
  // The code for "help was shown because no command was given".
  if (error.code === "commander.help")
    return `name a command; "${["sealane", ...argv, "--help"].join(" ")}" lists them.`;
  return sentenceOf(new CliError(error.message.replace(/^error: /, "")));
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return String(Reflect.get(Object(manifest), "version"));
}
