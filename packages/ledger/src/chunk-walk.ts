/** The chunk files of a ledger in order, and the entries in them from any seqno on (ledger spec §1). Reads what is there; judges nothing. */
import { type ChunkName, parseChunkName } from "./chunk-name.js";
import { parseEntryHeader } from "./entry-header.js";
import { LedgerError } from "./errors.js";
import { type LedgerFile, type LedgerSource, WindowReader } from "./ledger-source.js";
import { ENTRY_HEADER_BYTES } from "./limits.js";

/** §1.2: the offset of the positions table, 0 in an open chunk. */
export const CHUNK_HEADER_BYTES = 8;

export interface ChunkFile extends ChunkName {
  readonly file: LedgerFile;
}

/** @throws {LedgerError} `bad-file-name`. */
export function orderChunks(files: readonly LedgerFile[]): ChunkFile[] {
  const chunks: ChunkFile[] = [];
  for (const file of files) {
    const name = parseChunkName(file.name);
    if (name === undefined) throw new LedgerError("bad-file-name", `${file.name} is no name of a chunk file`);
    if (name !== "other") chunks.push({ ...name, file });
  }
  return chunks.sort((a, b) => a.first - b.first);
}

/** One entry where it lies. */
export interface PlacedEntry {
  readonly seqno: number;
  readonly file: string;
  readonly offset: number;
  /** Of the whole entry. */
  readonly bytes: Uint8Array;
}

/**
 * The entries from `from` on, one at a time. Chunks before it are not opened; entries before it in its chunk are stepped over by their
 * headers. Ends at the end of the ledger, or where the last entry of an open chunk is cut short, as by a node that is writing it now.
 * @throws {LedgerError} `bad-file-name`, `gap`, `bad-positions`, and what `parseEntryHeader` throws.
 */
export async function* entriesFrom(source: LedgerSource, from: number): AsyncGenerator<PlacedEntry, void, undefined> {
  const chunks = orderChunks(await source.files());
  const start = Math.max(
    0,
    chunks.findLastIndex(({ first }) => first <= from),
  );
  let next = chunks[start]?.first;
  for (const { file, first, name } of chunks.slice(start)) {
    if (first !== next) throw new LedgerError("gap", `${name} does not follow entry ${(next ?? 0) - 1}`);
    const reader = new WindowReader(file);
    const end = await endOfEntries(file, reader);
    for (let offset = CHUNK_HEADER_BYTES; end - offset >= ENTRY_HEADER_BYTES; next++) {
      const length = entryLength(await reader.take(offset, ENTRY_HEADER_BYTES), name, offset);
      if (length > end - offset) return;
      if (next >= from) yield { seqno: next, file: file.name, offset, bytes: await reader.take(offset, length) };
      offset += length;
    }
  }
}

function entryLength(header: Uint8Array, name: string, offset: number): number {
  try {
    return parseEntryHeader(header).bytes;
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new LedgerError(cause.code, `${name} holds no entry at offset ${offset}: ${cause.message}`, { cause });
  }
}

async function endOfEntries(file: LedgerFile, reader: WindowReader): Promise<number> {
  if (file.size < CHUNK_HEADER_BYTES) return 0;
  const header = await reader.take(0, CHUNK_HEADER_BYTES);
  const table = new DataView(header.buffer, header.byteOffset).getBigUint64(0, true);
  if (table > BigInt(file.size)) throw new LedgerError("bad-positions", `${file.name} has its table outside the file`);
  return table === 0n ? file.size : Number(table);
}
