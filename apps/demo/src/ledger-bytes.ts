/**
 * The entries of a ledger directory as raw bytes (ledger spec §1.2), read by a second hand: deliberately not with the code that
 * wrote them, so that comparing two directories or a capture with a directory does not trust that code.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DemoError } from "./errors.js";

const CHUNK_NAME = /^ledger_(\d+)(?:-(\d+))?(?:\.committed)?$/;
const CHUNK_HEADER_BYTES = 8;
const ENTRY_HEADER_BYTES = 8;

export interface LedgerBytes {
  readonly lastSeqno: number;
  /** The whole entry with this seqno; undefined beyond the end. */
  entry(seqno: number): Uint8Array | undefined;
}

/** @throws {DemoError} when chunks do not follow each other or an entry is cut short. */
export async function readLedgerBytes(dir: string): Promise<LedgerBytes> {
  const chunks: { readonly file: string; readonly first: number }[] = [];
  for (const file of await readdir(dir)) {
    const match = CHUNK_NAME.exec(file);
    if (match !== null) chunks.push({ file, first: Number(match[1]) });
  }
  chunks.sort((a, b) => a.first - b.first);
  const entries: Uint8Array[] = [];
  for (const { file, first } of chunks) {
    if (first !== entries.length + 1)
      throw new DemoError(`${join(dir, file)} starts at ${first}, but ${entries.length + 1} is next`);
    const bytes = await readFile(join(dir, file));
    const tableOffset = Number(bytes.readBigUInt64LE(0));
    const end = tableOffset === 0 ? bytes.length : tableOffset;
    for (let offset = CHUNK_HEADER_BYTES; offset < end; ) {
      if (end - offset < ENTRY_HEADER_BYTES) throw new DemoError(`${join(dir, file)} is cut short at ${offset}`);
      const next = offset + ENTRY_HEADER_BYTES + bytes.readUIntLE(offset + 2, 6);
      if (next > end) throw new DemoError(`${join(dir, file)} is cut short at ${offset}`);
      entries.push(bytes.subarray(offset, next));
      offset = next;
    }
  }
  return { lastSeqno: entries.length, entry: (seqno) => entries[seqno - 1] };
}

/** @returns the first seqno up to `last` at which the two differ, or undefined when they hold the same bytes. */
export function firstDifference(a: LedgerBytes, b: LedgerBytes, last: number): number | undefined {
  for (let seqno = 1; seqno <= last; seqno++) {
    const left = a.entry(seqno);
    const right = b.entry(seqno);
    if (left === undefined || right === undefined || Buffer.compare(left, right) !== 0) return seqno;
  }
  return undefined;
}
