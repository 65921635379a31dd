/** A ledger directory as it was named on the command line, and where its parts lie (ledger spec §1). */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { LedgerSource } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { CliError } from "../cli-error.js";

/** §1.1; files with a further suffix are set aside. */
const CHUNK_NAME = /^ledger_([1-9][0-9]{0,15})(-[0-9]+(\.committed)?)?$/;

/**
 * The ledger in `path`: the directory of the chunks, or a node's data directory with the chunks in `ledger/`.
 * @throws {CliError} when it is no directory or holds no ledger.
 */
export async function openDirectory(path: string): Promise<LedgerSource> {
  if (!(await isDirectory(path))) throw new CliError(`"${path}" is not a directory`);
  for (const directory of [path, join(path, "ledger")]) {
    if (!(await isDirectory(directory))) continue;
    const source = ledgerDirectory(directory);
    const files = await source.files();
    if (files.some(({ name }) => CHUNK_NAME.test(name))) return source;
  }
  throw new CliError(`"${path}" holds no ledger: there is no file ledger_… in it`);
}

/** Where the chunks lie: `path` itself, or `ledger/` in it. @throws {CliError} as `openDirectory`. */
export async function chunkDirectory(path: string): Promise<string> {
  await openDirectory(path);
  const inside = join(path, "ledger");
  const names = (await ledgerDirectory(path).files()).map(({ name }) => name);
  return names.some((name) => CHUNK_NAME.test(name)) ? path : inside;
}

/** Where the snapshots of the ledger in `path` lie: `snapshots/` in it, or beside the chunks. `undefined` when there is no such directory. */
export async function snapshotsOf(path: string): Promise<string | undefined> {
  for (const directory of [join(path, "snapshots"), join(await chunkDirectory(path), "..", "snapshots")]) {
    if (await isDirectory(directory)) return directory;
  }
  return undefined;
}

/** Seqno of the first entry. */
export async function firstSeqno(source: LedgerSource): Promise<number> {
  const firsts = (await source.files()).map(({ name }) => Number(CHUNK_NAME.exec(name)?.[1] ?? Number.NaN));
  return Math.min(...firsts.filter((first) => Number.isSafeInteger(first)));
}

export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
