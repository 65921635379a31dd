/** A ledger directory as it was named on the command line, read entry by entry without changing anything (ledger spec §1). */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { LedgerError, type LedgerFile, type LedgerSource, parseEntryHeader } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { CliError } from "../cli-error.js";

/** §1.2: the offset of the positions table comes first, 0 in an open chunk; entries follow. */
const CHUNK_HEADER_BYTES = 8;
const ENTRY_HEADER_BYTES = 8;
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

export interface StoredEntry {
  readonly file: string;
  readonly offset: number;
  readonly seqno: number;
  /** The whole entry. */
  readonly bytes: Uint8Array;
}

/**
 * The entries from one seqno to another, both included, in order. Entries before them are stepped over by their headers alone. The end
 * of an open chunk may be cut short, by a crash or by a node that is writing it now: the walk ends there.
 * @throws {CliError} that names the file and offset where no entry stands.
 */
export async function* readEntries(
  source: LedgerSource,
  from: number,
  to: number,
): AsyncGenerator<StoredEntry, void, undefined> {
  const chunks = (await source.files())
    .map((file) => ({ file, first: Number(CHUNK_NAME.exec(file.name)?.[1]) }))
    .filter(({ first }) => Number.isSafeInteger(first))
    .sort((a, b) => a.first - b.first);
  for (const [index, { file, first }] of chunks.entries()) {
    const next = chunks[index + 1]?.first ?? Number.POSITIVE_INFINITY;
    if (next > from && first <= to) yield* readChunk(file, first, from, to);
  }
}

async function* readChunk(
  file: LedgerFile,
  first: number,
  from: number,
  to: number,
): AsyncGenerator<StoredEntry, void, undefined> {
  const table = await tableOffset(file);
  const end = table === 0 ? file.size : Math.min(table, file.size);
  let offset = CHUNK_HEADER_BYTES;
  for (let seqno = first; seqno <= to && end - offset >= ENTRY_HEADER_BYTES; seqno += 1) {
    const length = headerAt(await file.read(offset, ENTRY_HEADER_BYTES), file, offset);
    if (length > end - offset) return;
    if (seqno >= from) {
      const bytes = await file.read(offset, length);
      if (bytes.length < length) return;
      yield { file: file.name, offset, seqno, bytes };
    }
    offset += length;
  }
}

/** 0 in an open chunk, and in one so short that it has no header yet. */
async function tableOffset(file: LedgerFile): Promise<number> {
  const bytes = await file.read(0, CHUNK_HEADER_BYTES);
  if (bytes.length < CHUNK_HEADER_BYTES) return 0;
  const offset = new DataView(bytes.buffer, bytes.byteOffset, CHUNK_HEADER_BYTES).getBigUint64(0, true);
  return Number(offset < BigInt(file.size) ? offset : file.size);
}

function headerAt(bytes: Uint8Array, file: LedgerFile, offset: number): number {
  try {
    return parseEntryHeader(bytes).bytes;
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new CliError(`${file.name} holds no entry at offset ${offset}: ${cause.message}`, { cause });
  }
}

export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
