/**
 * What an eavesdropper on the node-to-node ports learned, judged from the recorded bytes alone and the ledger file: every byte must
 * be a frame of the protocol (so none is TLS), every consensus header must be readable, no record may stand in plain text, and the
 * entries must be the very bytes of the ledger.
 */
import { consensusHeaderBytes, decodeConsensus, FRAME_CHANNEL, FRAME_CONSENSUS, parseFrameHead } from "@sealane/wire";
import type { Capture, CapturedStream } from "./capture.js";
import { TokenSearch } from "./token-search.js";

/** keyId ‖ counter ‖ tag (channel-v2.md §5). */
const TRAILER_BYTES = 28;
const ENTRY_HEADER_BYTES = 8;
const ENTRY_SIZE_OFFSET = 2;
const ENTRY_SIZE_BYTES = 6;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;

export interface CaptureFindings {
  readonly bytes: number;
  readonly streams: number;
  readonly frames: { readonly channel: number; readonly consensus: number; readonly forwarded: number };
  /** Append-entries headers with entries behind them, and how many entries those were. */
  readonly batches: number;
  readonly entries: number;
  /** Entries whose bytes stand in the ledger at their seqno, and ones that a later view replaced. */
  readonly entriesAsInLedger: number;
  readonly entriesReplaced: number;
  readonly views: readonly number[];
  /** One sentence for each thing that must not be; empty when all holds. */
  readonly problems: readonly string[];
}

/**
 * @param ledgerEntry - The whole entry with this seqno in the ledger file, or undefined beyond its end.
 * @param secretTexts - ASCII texts of at least 4 characters that must not be on the wire.
 */
export function checkCapture(
  capture: Capture,
  ledgerEntry: (seqno: number) => Uint8Array | undefined,
  secretTexts: Iterable<string>,
): CaptureFindings {
  const problems: string[] = [];
  const counts = { channel: 0, consensus: 0, forwarded: 0 };
  const totals = { batches: 0, entries: 0, entriesAsInLedger: 0, entriesReplaced: 0 };
  const views = new Set<number>();
  const search = new TokenSearch(secretTexts);
  if (capture.truncated)
    problems.push(`The recording stopped at ${capture.bytesMax} bytes and proves nothing about the rest.`);
  for (const stream of capture.streams) {
    const name = streamName(stream);
    const bytes = Buffer.concat(stream.chunks);
    if (bytes[0] === TLS_HANDSHAKE && bytes[1] === TLS_MAJOR) problems.push(`${name} starts like TLS.`);
    const found = search.find(bytes);
    if (found !== undefined) problems.push(`${name} shows "${found.needle}" in plain text at byte ${found.offset}.`);
    try {
      for (const { type, payload } of framesOf(bytes)) {
        if (type === FRAME_CHANNEL) counts.channel += 1;
        else if (type !== FRAME_CONSENSUS) counts.forwarded += 1;
        else {
          counts.consensus += 1;
          checkConsensus(payload);
        }
      }
    } catch (error) {
      problems.push(
        `${name} holds bytes that are no frame: ${error instanceof Error ? error.message : String(error)}.`,
      );
    }
  }
  if (counts.consensus === 0) problems.push("No consensus header was seen at all.");
  if (totals.entriesAsInLedger === 0) problems.push("No ledger entry was seen at all.");
  return {
    bytes: capture.bytes,
    streams: capture.streams.length,
    frames: counts,
    ...totals,
    views: [...views].sort((a, b) => a - b),
    problems,
  };

  function checkConsensus(payload: Uint8Array): void {
    const headerBytes = consensusHeaderBytes(payload);
    const { message } = decodeConsensus(payload.subarray(0, headerBytes));
    views.add(message.view);
    const entries = payload.subarray(headerBytes + TRAILER_BYTES);
    if (message.type !== "append-entries") {
      if (entries.length > 0) problems.push(`${entries.length} bytes follow a ${message.type}.`);
      return;
    }
    let seqno = message.prevSeqno as number;
    if (entries.length > 0) totals.batches += 1;
    for (let offset = 0; offset < entries.length; ) {
      const entry = entryAt(entries, offset);
      offset += entry.length;
      seqno += 1;
      totals.entries += 1;
      const stored = ledgerEntry(seqno);
      if (stored !== undefined && Buffer.compare(stored, entry) === 0) totals.entriesAsInLedger += 1;
      else if (stored === undefined || viewOf(stored) > viewOf(entry)) totals.entriesReplaced += 1;
      else problems.push(`Entry ${viewOf(entry)}.${seqno} on the wire is not the one in the ledger file.`);
    }
    if (seqno !== message.seqno)
      problems.push(`A header names entries up to ${message.seqno}, but they end at ${seqno}.`);
  }
}

interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** The frames of a stream. The last one may be cut short: that is how a killed process ends its stream. */
function* framesOf(bytes: Uint8Array): Generator<Frame> {
  let offset = 0;
  for (;;) {
    const head = parseFrameHead(bytes, offset, bytes.length, FRAME_BYTES_MAX);
    if (head === undefined || head.frameEnd > bytes.length) return;
    yield { type: head.type, payload: bytes.subarray(head.payloadOffset, head.frameEnd) };
    offset = head.frameEnd;
  }
}

/** ledger spec §2: u8 version ‖ u8 flags ‖ u48 size of what follows. */
function entryAt(bytes: Uint8Array, offset: number): Uint8Array {
  const left = bytes.length - offset;
  if (left < ENTRY_HEADER_BYTES) throw new Error(`an entry header is cut short after ${left} bytes`);
  const size = Buffer.from(bytes.buffer, bytes.byteOffset + offset, ENTRY_HEADER_BYTES).readUIntLE(
    ENTRY_SIZE_OFFSET,
    ENTRY_SIZE_BYTES,
  );
  if (ENTRY_HEADER_BYTES + size > left) throw new Error(`an entry of ${size} bytes is cut short`);
  return bytes.subarray(offset, offset + ENTRY_HEADER_BYTES + size);
}

/** ledger spec §2.1: the IV at byte 24 is u64 seqno ‖ u32 view. */
function viewOf(entry: Uint8Array): number {
  return entry.length < 36 ? 0 : new DataView(entry.buffer, entry.byteOffset, entry.byteLength).getUint32(32, true);
}

function streamName({ dialler, listener, direction }: CapturedStream): string {
  const from = dialler.slice(0, 8);
  return direction === "to-listener"
    ? `The stream ${from}… → node ${listener}`
    : `The stream node ${listener} → ${from}…`;
}
