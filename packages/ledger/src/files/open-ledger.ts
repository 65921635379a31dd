/** Opening a ledger directory for writing: what is there is put in order, checked, and its torn tail repaired (ledger spec §1). */
import { type Seqno, seqno } from "@sealane/wire";
import { type ChunkName, parseChunkName } from "../chunk-name.js";
import { LedgerError } from "../errors.js";
import type { LedgerFile } from "../ledger-source.js";
import { CHUNK_HEADER_BYTES, Chunk, type ChunkContext } from "./chunk.js";
import type { Disk, DiskFile } from "./disk.js";
import { FileLedger, QUEUE_BYTES_MAX_DEFAULT } from "./file-ledger.js";
import { POSITION_BYTES } from "./positions.js";
import { scanOpenChunk } from "./repair.js";

export interface OpenLedgerOptions {
  /**
   * The last entry known to have been durable, for example the commit seqno the node kept elsewhere. A repair never cuts at or below it:
   * damage there is `corrupt`. Default 0: every cut-short entry in the last file counts as torn.
   */
  readonly durable?: Seqno;
  /**
   * Judges the entries of the last, open file above `durable`; the first one it refuses, and all after it, count as torn. Give it a
   * decoder with the ledger secrets: a crash can also leave an entry whose frame is whole and whose contents are not. Default: all pass.
   */
  readonly isIntact?: (entry: Uint8Array) => boolean;
  /** The newest snapshot at hand: where the ledger of an empty directory goes on from. Default: none, it starts with entry 1. */
  readonly snapshot?: Seqno;
  /** Bytes that may wait to be written. Default 64 MiB. */
  readonly queueBytesMax?: number;
  /** Recent entries kept in memory for readers, in bytes. Default 4 MiB. */
  readonly tailBytesMax?: number;
}

export interface OpenedLedger {
  readonly storage: FileLedger;
  /** Bytes cut off the last file, because a crash had torn them. */
  readonly repairedBytes: number;
  /** Every entry found, from `storage.firstSeqno` to the last one kept, read as they are asked for. */
  readonly entries: AsyncIterable<Uint8Array>;
  /** The same from `from` on, which is at most one behind the last: what comes after a snapshot. @throws {RangeError} for another seqno. */
  entriesFrom(from: Seqno): AsyncIterable<Uint8Array>;
}

/**
 * Opens a ledger directory, creating it if it is missing. Only one process may have it open: that is the caller's business.
 *
 * A directory whose older chunks were archived starts behind entry 1. The ledger then goes on from a snapshot at `storage.firstSeqno` − 1 or
 * later; which of them fits, the caller decides, with `entriesFrom`. An empty directory goes on from any: see `snapshot`, and `storage.startAfter`.
 * @param directory - Holds the chunk files and nothing else that starts with `ledger_`.
 * @throws {LedgerError} `corrupt` for what no crash leaves: a gap between files, two files for one seqno, a table that does not fit its
 * file, an unreadable entry before the tail. Nothing was changed then. `storage-failed` when the operating system failed.
 * @example
 * const { storage, entries } = await openLedgerOn(disk, "data/ledger");
 * for await (const bytes of entries) ledger.appendReplicated(decodeEntry(suite, secrets, bytes));
 */
export async function openLedgerOn(
  disk: Disk,
  directory: string,
  options: OpenLedgerOptions = {},
): Promise<OpenedLedger> {
  const { durable = 0, isIntact = () => true, snapshot = seqno(0) } = options;
  const { queueBytesMax = QUEUE_BYTES_MAX_DEFAULT, tailBytesMax } = options;
  const context: ChunkContext = { disk, directory, stats: { syncs: 0, writes: 0, directorySyncs: 0 } };
  try {
    await disk.makeDirectory(directory);
    const { chunks, repairedBytes } = await openChunks(context, orderNames(await disk.list(directory)), {
      durable,
      isIntact,
      snapshot,
    });
    const storage = new FileLedger(context, chunks, queueBytesMax, tailBytesMax);
    if (chunks.length === 0) storage.startAfter(snapshot);
    const last = storage.lastSeqno;
    return {
      storage,
      repairedBytes,
      entries: readFrom(storage, storage.firstSeqno, last),
      entriesFrom: (from) => {
        if (from < storage.firstSeqno || from > last + 1)
          throw new RangeError(`entry ${from} does not go on from ${storage.firstSeqno} to ${last}`);
        return readFrom(storage, from, last);
      },
    };
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause;
    const reason = cause instanceof Error ? cause.message : "unknown";
    throw new LedgerError("storage-failed", `cannot open the ledger: ${reason}`, { cause });
  }
}

type Judge = Required<Pick<OpenLedgerOptions, "isIntact" | "snapshot">> & { readonly durable: number };

async function* readFrom(storage: FileLedger, from: Seqno, last: Seqno): AsyncGenerator<Uint8Array> {
  for (let next = from; next <= last; ) {
    for (const entry of await storage.read(next, last)) {
      yield entry;
      next = seqno(next + 1);
    }
  }
}

function orderNames(names: readonly string[]): ChunkName[] {
  const chunks: ChunkName[] = [];
  for (const name of names) {
    const parsed = parseChunkName(name);
    if (parsed === undefined) throw new LedgerError("corrupt", `${name} is no name of a chunk file`);
    if (parsed !== "other") chunks.push(parsed);
  }
  return chunks.sort((a, b) => a.first - b.first);
}

async function openChunks(
  context: ChunkContext,
  names: readonly ChunkName[],
  judge: Judge,
): Promise<{ chunks: Chunk[]; repairedBytes: number }> {
  const chunks: Chunk[] = [];
  let repairedBytes = 0;
  for (const [index, name] of names.entries()) {
    const previous = chunks.at(-1);
    if (previous !== undefined && (name.first !== previous.last + 1 || (name.committed && !previous.committed))) {
      throw new LedgerError(
        "corrupt",
        `${name.name} does not follow ${previous.name}, which ends with entry ${previous.last}`,
      );
    }
    const file = await context.disk.open(`${context.directory}/${name.name}`, "read");
    let opened: { chunk: Chunk | undefined; repairedBytes: number };
    try {
      opened = await openChunk(context, name, file, index === names.length - 1, judge);
    } finally {
      await file.close();
    }
    repairedBytes += opened.repairedBytes;
    if (opened.chunk !== undefined) chunks.push(opened.chunk);
  }
  const last = chunks.at(-1)?.last ?? judge.snapshot;
  if (last < judge.durable)
    throw new LedgerError("corrupt", `the ledger ends with entry ${last}, but ${judge.durable} had been durable`);
  return { chunks, repairedBytes };
}

async function openChunk(
  context: ChunkContext,
  name: ChunkName,
  file: DiskFile,
  isLast: boolean,
  judge: Judge,
): Promise<{ chunk: Chunk | undefined; repairedBytes: number }> {
  const size = await file.size();
  const header = await file.read(0, CHUNK_HEADER_BYTES);
  const tableOffset =
    header.length < CHUNK_HEADER_BYTES ? 0n : new DataView(header.buffer, header.byteOffset).getBigUint64(0, true);
  if (tableOffset !== 0n) return { chunk: finishedChunk(context, name, Number(tableOffset), size), repairedBytes: 0 };

  if (name.last !== undefined || !isLast)
    throw new LedgerError("corrupt", `${name.name} is not finished, but its name or a later file says so`);
  const source: LedgerFile = { name: name.name, size, read: (position, length) => file.read(position, length) };
  const { positions, end, ends } = await scanOpenChunk(source, { first: name.first, ...judge });
  const chunk = new Chunk(context, {
    first: name.first,
    last: name.first + positions.count - 1,
    name: name.name,
    end,
    committed: false,
    positions,
  });
  if (positions.count === 0) {
    await chunk.remove(); // its creation was torn, or its only entry
    await context.disk.syncDirectory(context.directory);
    return { chunk: undefined, repairedBytes: size };
  }
  if (end < size) await chunk.cut();
  if (ends) await chunk.finish();
  return { chunk, repairedBytes: size - end };
}

/** A finished chunk is taken by its table's size and place; the entries themselves are checked when they are read. */
function finishedChunk(context: ChunkContext, name: ChunkName, tableOffset: number, size: number): Chunk {
  const count = (size - tableOffset) / POSITION_BYTES;
  const last = name.first + count - 1;
  const fits = tableOffset > CHUNK_HEADER_BYTES && tableOffset < size && Number.isSafeInteger(count);
  if (!fits || (name.last !== undefined && name.last !== last)) {
    throw new LedgerError("corrupt", `the positions table of ${name.name} does not fit its size or name`);
  }
  return new Chunk(context, { first: name.first, last, name: name.name, end: tableOffset, committed: name.committed });
}
