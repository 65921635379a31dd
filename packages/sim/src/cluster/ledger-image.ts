/** Reads a ledger file back after a crash, by the rules of the ledger's own repair (ledger `files/repair.ts`; ledger spec §1.2). */
import { LedgerError, parseEntryHeader } from "@sealane/ledger";

/** What stands before the first entry of a chunk file. */
export const LEDGER_HEADER_BYTES = 8;
/** Size, tag, IV and the length of the public domain of an entry (ledger spec §2): less than this is no entry. */
const FRAME_BYTES = 44;
/** The seqno stands in the IV (ledger spec §2.2). */
const SEQNO_OFFSET = 24;
const SECTOR_BYTES = 512;

/**
 * @param first - Seqno of the first entry.
 * @param durable - Entries up to here are known to have been durable; damage there is "corrupt".
 * @param isIntact - Whether an entry can be read by itself; asked above `durable`.
 * @returns The entries up to the torn tail; "corrupt" for what no crash leaves.
 */
export function readLedgerImage(
  image: Uint8Array,
  first: number,
  durable: number,
  isIntact: (entry: Uint8Array) => boolean,
): Uint8Array[] | "corrupt" {
  const entries: Uint8Array[] = [];
  for (let at = LEDGER_HEADER_BYTES; at < image.length; ) {
    const next = first + entries.length;
    const bytes = readFrame(image, at, next);
    if (bytes === "corrupt") return "corrupt";
    if (bytes === "torn") break;
    const entry = image.slice(at, at + bytes);
    if (next > durable && !isIntact(entry)) break;
    entries.push(entry);
    at += bytes;
  }
  return first + entries.length - 1 < durable ? "corrupt" : entries;
}

function readFrame(image: Uint8Array, at: number, seqno: number): number | "torn" | "corrupt" {
  if (image.length - at < FRAME_BYTES) return "torn";
  try {
    const { bytes } = parseEntryHeader(image, at);
    if (bytes > image.length - at) return "torn";
    const data = new DataView(image.buffer, image.byteOffset + at);
    if (data.getBigUint64(SEQNO_OFFSET, true) === BigInt(seqno)) return bytes;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
  }
  return touchesLostSector(image, at) ? "torn" : "corrupt";
}

function touchesLostSector(image: Uint8Array, at: number): boolean {
  for (let start = at; start < at + FRAME_BYTES; ) {
    const sectorEnd = Math.min(image.length, (Math.floor(start / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (image.subarray(start, sectorEnd).every((byte) => byte === 0)) return true;
    start = sectorEnd;
  }
  return false;
}
