/** `sealane append`: writes each line of NDJSON as one record and prints the transaction that holds it. */
import { setMaxListeners } from "node:events";
import type { Command } from "commander";
import { parseLines, splitLines } from "../append/lines.js";
import { appendInOrder, type KeyedRecord, type Outcome } from "../append/pipeline.js";
import { progress } from "../append/progress.js";
import { openSource, type Source } from "../append/source.js";
import { CliError } from "../cli-error.js";
import { type Io, type StopSignal, signalExitCode } from "../io.js";
import { sentenceOf } from "../sentence.js";
import { keyPrefix, wholeNumber } from "../values.js";
import { addServiceOptions, type ServiceOptions, withService } from "./service-options.js";

interface AppendOptions extends ServiceOptions {
  readonly prefix?: string;
  readonly inFlight: number;
}

const IN_FLIGHT_DEFAULT = 64;
const IN_FLIGHT_MAX = 1024;
/** Each connection costs both ends a TLS handshake; more of them do not make the service any faster. */
const CONNECTIONS_MAX = 32;

export function addAppend(program: Command, io: Io): void {
  const command = program
    .command("append")
    .summary("write NDJSON records")
    .description(
      "Write newline-delimited JSON, one committed record a line, and print `txid key` for each in the order of the lines. " +
        "The key is PREFIX-LINE, so running the same input again writes nothing twice.",
    )
    .argument("[file]", "the lines, or - for stdin", "-")
    .option(
      "--prefix <name>",
      "what keys begin with (default: a hash of the file's content, random for stdin)",
      keyPrefix,
    )
    .option("--in-flight <n>", "records on their way at one time", wholeNumber(1, IN_FLIGHT_MAX), IN_FLIGHT_DEFAULT);
  addServiceOptions(command)
    .addHelpText("after", "\nExample:\n  $ sealane append records.ndjson --service-cert service.pem > transactions.txt")
    .action((file: string, options: AppendOptions) => append(io, file, options));
}

async function append(io: Io, file: string, options: AppendOptions): Promise<void> {
  const source = await openSource(file, io);
  const prefix = options.prefix ?? source.prefix;
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // each write under way listens to it, and they are bounded by --in-flight
  let stoppedBy: StopSignal | undefined;
  const ignoreSignals = io.onStopSignal((signal) => {
    if (stoppedBy !== undefined) io.exit(signalExitCode(signal));
    stoppedBy = signal;
    stopping.abort();
  });
  try {
    const outcome = await withService(
      options,
      (client) => {
        const put = async ({ key, value }: KeyedRecord): Promise<string> =>
          (await client.put(key, value, { signal: stopping.signal })).txId;
        return appendSource(io, source, { prefix, put, inFlightMax: options.inFlight, signal: stopping.signal });
      },
      Math.min(options.inFlight, CONNECTIONS_MAX),
    );
    if (stoppedBy !== undefined) {
      const message = `stopped after ${outcome.committed} records; ${again(prefix)}`;
      throw new CliError(message, { exitCode: signalExitCode(stoppedBy) });
    }
    throwFailure(outcome, source, prefix);
  } finally {
    ignoreSignals();
    await source.close();
  }
}

export interface AppendTask {
  readonly prefix: string;
  readonly put: (record: KeyedRecord) => Promise<string>;
  readonly inFlightMax: number;
  readonly signal?: AbortSignal;
}

/** Everything between the input and the service; takes any `put`, so that it can be tested without one. */
export async function appendSource(io: Io, source: Source, task: AppendTask): Promise<Outcome> {
  const bar = progress(io, source.linesTotal);
  try {
    return await appendInOrder(keyed(parseLines(splitLines(source.chunks)), task.prefix), {
      ...task,
      async emit({ line, key }, txId) {
        bar.clear();
        await io.printLine(`${txId} ${key}`); // a closed stdout ends the output, not the writing
        bar.advance(line);
      },
    });
  } finally {
    bar.stop();
  }
}

async function* keyed(
  lines: AsyncIterable<{ readonly line: number; readonly value: unknown }>,
  prefix: string,
): AsyncGenerator<KeyedRecord, void, undefined> {
  for await (const { line, value } of lines) yield { line, key: `${prefix}-${line}`, value };
}

function throwFailure({ failed, inputError, committed }: Outcome, { name }: Source, prefix: string): void {
  if (failed !== undefined) {
    const reason = withoutStop(sentenceOf(failed.error));
    throw new CliError(`line ${failed.record.line} of ${name} is not committed: ${reason}; ${again(prefix)}`, {
      cause: failed.error,
    });
  }
  if (inputError !== undefined) {
    const reason = withoutStop(sentenceOf(inputError));
    throw new CliError(
      `${name}: ${reason}; ${committed} records before it are committed and nothing after it was sent`,
      {
        cause: inputError,
      },
    );
  }
}

function again(prefix: string): string {
  return `run it again with --prefix ${prefix} to go on, no line is written twice`;
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
