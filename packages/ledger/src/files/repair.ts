/**
 * What a crash may leave of the last chunk, and how it is repaired (ledger spec §1.2, "torn tail").
 *
 * A crash loses what was written since the last fdatasync: the file is shorter, or sectors of it were never written and read as zeros. So
 * the walk stops at the first entry that runs beyond the end of the file, or whose frame cannot be read and lies in such a sector, or that
 * `isIntact` refuses; and at whatever follows an entry that ends the chunk (a positions table whose header was never written). Anything
 * else that is wrong was not made by a crash: it is reported and left alone, as is damage at or below `durable`, which no crash can make.
 */
import { type EntryHeader, parseEntryHeader } from "../entry-header.js";
import { LedgerError } from "../errors.js";
import { type LedgerFile, WindowReader } from "../ledger-source.js";
import { FLAG_CHUNK_ENDS_AFTER, IV_OFFSET, PUBLIC_OFFSET } from "../limits.js";
import { CHUNK_HEADER_BYTES } from "./chunk.js";
import { Positions } from "./positions.js";

/** The least that disks write as a whole. */
const SECTOR_BYTES = 512;

export interface OpenChunkScan {
  readonly positions: Positions;
  /** End of the last whole entry; what follows is to be cut off. */
  readonly end: number;
  /** The last whole entry carries "chunk ends after me". */
  readonly ends: boolean;
}

export interface ScanOptions {
  /** Seqno of the chunk's first entry. */
  readonly first: number;
  /** Entries up to here are known to have been durable. */
  readonly durable: number;
  /** Judges whole entries above `durable`. */
  readonly isIntact: (entry: Uint8Array) => boolean;
}

/** Walks the entries of an open chunk. @throws {LedgerError} `corrupt`. */
export async function scanOpenChunk(
  file: LedgerFile,
  { first, durable, isIntact }: ScanOptions,
): Promise<OpenChunkScan> {
  const reader = new WindowReader(file);
  const positions = new Positions();
  let end = CHUNK_HEADER_BYTES;
  let ends = false;
  while (end < file.size && !ends) {
    const seqno = first + positions.count;
    const header = await readFrame(reader, file, end, seqno);
    if (header === "torn") break;
    if (seqno > durable && !isIntact(await reader.take(end, header.bytes))) break;
    positions.push(end);
    end += header.bytes;
    ends = (header.flags & FLAG_CHUNK_ENDS_AFTER) !== 0;
  }
  if (ends) await checkTableRemnant(file, end, positions);
  const last = first + positions.count - 1;
  if (last < durable) {
    throw new LedgerError(
      "corrupt",
      `${file.name} ends after entry ${last}, at offset ${end}, but ${durable} had been durable`,
    );
  }
  return { positions, end, ends };
}

async function readFrame(
  reader: WindowReader,
  file: LedgerFile,
  offset: number,
  seqno: number,
): Promise<EntryHeader | "torn"> {
  if (file.size - offset < PUBLIC_OFFSET) return "torn";
  const frame = await reader.take(offset, PUBLIC_OFFSET);
  try {
    const header = parseEntryHeader(frame);
    if (header.bytes > file.size - offset) return "torn";
    const data = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    if (data.getBigUint64(IV_OFFSET, true) === BigInt(seqno)) return header;
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
  }
  if (await touchesLostSector(reader, file, offset)) return "torn";
  throw new LedgerError("corrupt", `${file.name} holds no entry ${seqno} at offset ${offset}`);
}

/** Whether one of the sectors that hold the frame at `offset` reads as zeros, from the frame's start on. */
async function touchesLostSector(reader: WindowReader, file: LedgerFile, offset: number): Promise<boolean> {
  for (let start = offset; start < offset + PUBLIC_OFFSET; ) {
    const sectorEnd = (Math.floor(start / SECTOR_BYTES) + 1) * SECTOR_BYTES;
    const stop = Math.min(sectorEnd, file.size);
    const sector = await reader.take(start, stop - start);
    if (sector.every((byte) => byte === 0)) return true;
    start = sectorEnd;
  }
  return false;
}

/** Behind an entry that ends the chunk only a positions table, or what a crash left of one, may stand. */
async function checkTableRemnant(file: LedgerFile, end: number, positions: Positions): Promise<void> {
  const table = positions.encode();
  const length = file.size - end;
  const remnant = length > table.length ? undefined : await file.read(end, length);
  if (remnant === undefined || !remnant.every((byte, index) => byte === 0 || byte === table[index])) {
    throw new LedgerError("corrupt", `${file.name} goes on at offset ${end}, behind an entry that ends the chunk`);
  }
}
