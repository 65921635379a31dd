/**
 * What a crash may leave of the last chunk, and how it is repaired (ledger spec §1.2, "torn tail").
 *
 * A crash loses what was written since the last fdatasync: the file is shorter, or pages of it are zeros. So the walk stops at the first
 * entry that runs beyond the end of the file or begins with zeros, and at whatever follows an entry that ends the chunk (a positions table
 * whose header was never written). Anything else that is wrong was not made by a crash: it is reported and left alone, as is a tear below
 * `durable`, which no crash can make.
 */
import { parseEntryHeader } from "../entry-header.js";
import { LedgerError } from "../errors.js";
import { type LedgerFile, WindowReader } from "../ledger-source.js";
import {
  ENTRY_HEADER_BYTES,
  FLAG_CHUNK_ENDS_AFTER,
  IV_OFFSET,
  PUBLIC_LENGTH_OFFSET,
  PUBLIC_OFFSET,
} from "../limits.js";
import { CHUNK_HEADER_BYTES } from "./chunk.js";
import { Positions } from "./positions.js";

export interface OpenChunkScan {
  readonly positions: Positions;
  /** End of the last whole entry; what follows is to be cut off. */
  readonly end: number;
  /** The last whole entry carries "chunk ends after me". */
  readonly ends: boolean;
}

/**
 * Walks the entries of an open chunk.
 * @param first - Seqno of its first entry.
 * @param durable - Entries up to here are known to have been durable.
 * @throws {LedgerError} `corrupt`.
 */
export async function scanOpenChunk(file: LedgerFile, first: number, durable: number): Promise<OpenChunkScan> {
  const reader = new WindowReader(file);
  const positions = new Positions();
  let end = CHUNK_HEADER_BYTES;
  let ends = false;
  while (end < file.size && !ends) {
    const seqno = first + positions.count;
    const entry = await readFrame(reader, file, end, seqno);
    if (entry === "torn") break;
    positions.push(end);
    end += entry.bytes;
    ends = (entry.flags & FLAG_CHUNK_ENDS_AFTER) !== 0;
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
): Promise<{ readonly bytes: number; readonly flags: number } | "torn"> {
  if (file.size - offset < PUBLIC_OFFSET) return "torn";
  const frame = await reader.take(offset, PUBLIC_OFFSET);
  if (isZero(frame.subarray(0, ENTRY_HEADER_BYTES)) || isZero(frame.subarray(IV_OFFSET, PUBLIC_LENGTH_OFFSET)))
    return "torn";
  try {
    const header = parseEntryHeader(frame);
    if (header.bytes > file.size - offset) return "torn";
    const data = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    if (data.getBigUint64(IV_OFFSET, true) !== BigInt(seqno)) throw new LedgerError("bad-iv", "another seqno");
    return header;
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new LedgerError("corrupt", `${file.name} holds no entry ${seqno} at offset ${offset}`, { cause });
  }
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

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
