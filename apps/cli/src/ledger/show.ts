/** Prints a range of entries, each checked by itself. */
import {
  type DecodedEntry,
  decodeEntry,
  entriesFrom,
  LedgerError,
  type LedgerSecrets,
  type PlacedEntry,
} from "@sealane/ledger";
import { CliError, EXIT_USAGE } from "../cli-error.js";
import { nativeSuite } from "../inputs.js";
import type { Io } from "../io.js";
import { firstSeqno, openDirectory } from "./directory.js";
import { entryJson, entryLines } from "./render.js";
import { readLedgerSecrets } from "./secrets.js";

export interface ShowOptions {
  readonly from: number;
  readonly to?: number;
  readonly secrets?: string;
  readonly json?: boolean;
}

/** @throws {CliError} that names the first entry that cannot be read. */
export async function show(
  io: Io,
  directory: string,
  { from, to = Number.MAX_SAFE_INTEGER, secrets, json }: ShowOptions,
): Promise<void> {
  if (from > to) throw new CliError(`--from ${from} is behind --to ${to}`, { exitCode: EXIT_USAGE });
  const source = await openDirectory(directory);
  const keys = secrets === undefined ? undefined : await readLedgerSecrets(secrets);
  const first = await firstSeqno(source);
  if (from < first) io.warnLine(`the ledger starts with entry ${first}: those before it are not here`);
  // The end of an open chunk may be cut short, by a crash or by a node that is writing it now: the walk ends there.
  for await (const stored of entriesFrom(source, from)) {
    if (stored.seqno > to) return;
    const entry = decoded(stored, keys);
    const lines = json === true ? [JSON.stringify(entryJson(stored, entry))] : entryLines(stored, entry);
    for (const line of lines) if (!(await io.printLine(line))) return;
  }
}

function decoded({ file, offset, seqno, bytes }: PlacedEntry, secrets: LedgerSecrets | undefined): DecodedEntry {
  try {
    return decodeEntry(nativeSuite, secrets, bytes);
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    const hint = cause.code === "bad-tag" ? " (it was changed, or these are not its ledger secrets)" : "";
    throw new CliError(`entry ${seqno} (${file}, offset ${offset}) cannot be read: ${cause.message}${hint}`, { cause });
  }
}
