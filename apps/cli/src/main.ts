#!/usr/bin/env node
import { run } from "./cli.js";
/** The `sealane` command: the process around `run`, and the last guard against whatever nobody foresaw. */
import { EXIT_FAILURE } from "./cli-error.js";
import { processIo } from "./io.js";
import { sentenceOf } from "./sentence.js";

const io = processIo();

process.on("uncaughtException", guard); // an unhandled rejection ends up here as well
process.exitCode = await run(process.argv.slice(2), io);
// Something may still be open, such as a stdin that nobody closes; what is written must get out first.
process.stdout.write("", () => process.exit());

function guard(error: unknown): void {
  io.warnLine(`sealane: ${sentenceOf(error)}`);
  process.exit(EXIT_FAILURE);
}
