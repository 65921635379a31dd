/** The flags of commands that walk through a range of the past, and the walk as the client takes it. */
import type { RangeOptions } from "@sealane/client";
import { type Command, Option } from "commander";
import { CliError, EXIT_USAGE } from "../cli-error.js";
import { wholeNumber } from "../values.js";

export interface RangeFlags {
  readonly from?: number;
  readonly to?: number;
  readonly newestFirst?: boolean;
  readonly watch?: boolean;
  readonly limit?: number;
  readonly json?: boolean;
}

/** What a service answers in one page. */
const PAGE_ITEMS_MAX = 1_000;
const seqno = wholeNumber(1, Number.MAX_SAFE_INTEGER);

export function addRangeOptions(command: Command): Command {
  return command
    .option("--from <seqno>", "where to begin (default: 1)", seqno)
    .option("--to <seqno>", "where to end; waits for it (default: what is committed)", seqno)
    .option("--newest-first", "go from the newest to the oldest")
    .addOption(
      new Option("--watch", "go on with what is committed next, until it is stopped").conflicts(["to", "newestFirst"]),
    )
    .option("--limit <n>", "end after so many", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option("--json", "print each as one JSON line");
}

/** @throws {CliError} when the ends are the wrong way round. */
export function rangeOf({ from, to, newestFirst, watch, limit = PAGE_ITEMS_MAX }: RangeFlags): RangeOptions {
  if (from !== undefined && to !== undefined && from > to)
    throw new CliError(`--from ${from} is behind --to ${to}`, { exitCode: EXIT_USAGE });
  return { from, to, newestFirst, watch, pageSize: Math.min(limit, PAGE_ITEMS_MAX) };
}

/** Prints what comes, as long as somebody reads it, and no more than `limit`. */
export async function printEach<T>(
  items: AsyncIterable<T>,
  { limit = Number.POSITIVE_INFINITY }: RangeFlags,
  print: (item: T) => Promise<boolean>,
): Promise<void> {
  let left = limit;
  for await (const item of items) {
    if (!(await print(item))) return;
    left -= 1;
    if (left <= 0) return;
  }
}
