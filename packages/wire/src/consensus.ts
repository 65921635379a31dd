/**
 * The bytes of the replication messages (consensus spec §13, channel-v1-wire §9, channel-v2 §5). They are the header of a record that the
 * channel authenticates but does not encrypt. Little-endian, packed; the kind is a u64 at offset 0.
 *
 *     append-entries            0  | 8 seqno | 16 prevSeqno | 24 view | 32 prevView | 40 commitSeqno | 48 viewOfSeqno | 56 u8 0
 *                                  | version 2 only: 57 entriesDigest (32)                          57 or 89 bytes
 *     append-entries-response   1  | 8 view | 16 lastSeqno | 24 u8 0 = success, 1 = failure         25 bytes
 *     request-vote              3  | 8 view | 16 lastCommittableSeqno | 24 viewOfLastCommittableSeqno | 32 u32 election   36 bytes
 *     request-vote-response     4  | 8 view | 16 u8 granted | 17 u32 election                       21 bytes
 *     propose-request-vote      5  | 8 view                                                         16 bytes
 *
 * Fields are u64 unless marked. Kind 2 is reserved. What a message means, and whether it is stale, is not decided here.
 */
import type { Seqno } from "./brands.js";
import { type ConsensusMessage, ELECTION_PRE_VOTE, ELECTION_REGULAR, type ElectionType } from "./consensus-message.js";
import { WireError } from "./errors.js";
import { type LayoutOptions, readFlag, readU64, readView, writeU64, writeView } from "./fields.js";

const APPEND_ENTRIES = 0;
const APPEND_ENTRIES_RESPONSE = 1;
const REQUEST_VOTE = 3;
const REQUEST_VOTE_RESPONSE = 4;
const PROPOSE_REQUEST_VOTE = 5;

const KIND_BYTES = 8;
const APPEND_ENTRIES_V1_BYTES = 57;
/** Bytes of `entriesDigest`: SHA-256 over the digests of the entries behind the header (channel-v2 §5). */
export const ENTRIES_DIGEST_BYTES = 32;
const APPEND_ENTRIES_V2_BYTES = APPEND_ENTRIES_V1_BYTES + ENTRIES_DIGEST_BYTES;
const APPEND_ENTRIES_RESPONSE_BYTES = 25;
const REQUEST_VOTE_BYTES = 36;
const REQUEST_VOTE_RESPONSE_BYTES = 21;
const PROPOSE_REQUEST_VOTE_BYTES = 16;

export interface DecodedConsensus {
  readonly message: ConsensusMessage;
  /** 32 bytes, a view of the input; present exactly for append-entries of version 2. The receiver compares it with the entries. */
  readonly entriesDigest?: Uint8Array;
}

/**
 * The header of a consensus record.
 * @param entriesDigest - 32 bytes, for append-entries of version 2. May be left out when the message covers no entries: 32 zero bytes.
 * @throws {TypeError} when a digest is missing, misplaced, or not 32 bytes.
 * @throws {RangeError} when a number does not fit its field. Both are bugs of the caller.
 */
export function encodeConsensus(
  message: ConsensusMessage,
  entriesDigest?: Uint8Array,
  { version = 2 }: LayoutOptions = {},
): Uint8Array {
  if (entriesDigest !== undefined && (message.type !== "append-entries" || version === 1)) {
    throw new TypeError("only append-entries of version 2 carries an entries digest");
  }
  const bytes = new Uint8Array(headerBytes(kindOf(message), version));
  const data = new DataView(bytes.buffer);
  writeU64(data, 0, kindOf(message));
  switch (message.type) {
    case "append-entries":
      if (message.seqno < message.prevSeqno) throw new RangeError("append-entries ends before it starts");
      writeU64(data, 8, message.seqno);
      writeU64(data, 16, message.prevSeqno);
      writeView(data, 24, message.view);
      writeView(data, 32, message.prevView);
      writeU64(data, 40, message.commitSeqno);
      writeView(data, 48, message.viewOfSeqno);
      if (entriesDigest !== undefined) {
        if (entriesDigest.length !== ENTRIES_DIGEST_BYTES) throw new TypeError("an entries digest has 32 bytes");
        bytes.set(entriesDigest, APPEND_ENTRIES_V1_BYTES);
      } else if (version === 2 && message.seqno !== message.prevSeqno) {
        throw new TypeError("append-entries that covers entries needs their digest");
      }
      return bytes;
    case "append-entries-response":
      writeView(data, 8, message.view);
      writeU64(data, 16, message.lastSeqno);
      data.setUint8(24, message.success ? 0 : 1);
      return bytes;
    case "request-vote":
      writeView(data, 8, message.view);
      writeU64(data, 16, message.lastCommittableSeqno);
      writeView(data, 24, message.viewOfLastCommittableSeqno);
      data.setUint32(32, message.election, true);
      return bytes;
    case "request-vote-response":
      writeView(data, 8, message.view);
      data.setUint8(16, message.granted ? 1 : 0);
      data.setUint32(17, message.election, true);
      return bytes;
    case "propose-request-vote":
      writeView(data, 8, message.view);
      return bytes;
  }
}

/**
 * How many bytes of a consensus payload are the header, by its kind alone: the record's trailer and the ledger entries follow.
 * @throws {WireError} `truncated` when the payload is shorter than that, `unknown-kind`.
 */
export function consensusHeaderBytes(payload: Uint8Array, { version = 2 }: LayoutOptions = {}): number {
  if (payload.length < KIND_BYTES) throw new WireError("truncated", "a consensus message starts with 8 bytes of kind");
  const data = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const length = headerBytes(readU64(data, 0, "consensus message kind"), version);
  if (payload.length < length) {
    throw new WireError("truncated", `a consensus header of ${length} bytes was cut to ${payload.length}`);
  }
  return length;
}

/**
 * The message of a header: exactly the bytes `consensusHeaderBytes` counts.
 * @throws {WireError} `truncated`, `trailing`, `unknown-kind`; `out-of-range` for a view above 2^31 − 1, a seqno above 2^53 − 1, a flag or
 *   election type other than 0 and 1, or a seqno below `prevSeqno`.
 */
export function decodeConsensus(header: Uint8Array, { version = 2 }: LayoutOptions = {}): DecodedConsensus {
  const length = consensusHeaderBytes(header, { version });
  if (header.length > length)
    throw new WireError("trailing", `${header.length - length} bytes follow a consensus header`);
  const data = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const kind = readU64(data, 0, "consensus message kind");
  switch (kind) {
    case APPEND_ENTRIES: {
      const seqno = readSeqno(data, 8, "seqno");
      const prevSeqno = readSeqno(data, 16, "prevSeqno");
      const view = readView(data, 24, "view");
      const prevView = readView(data, 32, "prevView");
      const commitSeqno = readSeqno(data, 40, "commitSeqno");
      const viewOfSeqno = readView(data, 48, "viewOfSeqno");
      if (seqno < prevSeqno) throw new WireError("out-of-range", "append-entries ends before it starts");
      if (data.getUint8(56) !== 0) throw new WireError("out-of-range", "the unused byte of append-entries is not 0");
      const message = { type: "append-entries", seqno, prevSeqno, view, prevView, commitSeqno, viewOfSeqno } as const;
      return version === 1 ? { message } : { message, entriesDigest: header.subarray(APPEND_ENTRIES_V1_BYTES) };
    }
    case APPEND_ENTRIES_RESPONSE: {
      const view = readView(data, 8, "view");
      const lastSeqno = readSeqno(data, 16, "lastSeqno");
      // On this wire 0 is success and 1 is failure (channel-v1-wire §9, §13).
      const success = !readFlag(data, 24, "success");
      return { message: { type: "append-entries-response", view, lastSeqno, success } };
    }
    case REQUEST_VOTE: {
      const view = readView(data, 8, "view");
      const lastCommittableSeqno = readSeqno(data, 16, "lastCommittableSeqno");
      const viewOfLastCommittableSeqno = readView(data, 24, "viewOfLastCommittableSeqno");
      const election = readElection(data, 32);
      return { message: { type: "request-vote", view, lastCommittableSeqno, viewOfLastCommittableSeqno, election } };
    }
    case REQUEST_VOTE_RESPONSE: {
      const view = readView(data, 8, "view");
      const granted = readFlag(data, 16, "granted");
      const election = readElection(data, 17);
      return { message: { type: "request-vote-response", view, granted, election } };
    }
    case PROPOSE_REQUEST_VOTE:
      return { message: { type: "propose-request-vote", view: readView(data, 8, "view") } };
    default:
      throw new WireError("unknown-kind", `unknown consensus message kind ${kind}`);
  }
}

function kindOf(message: ConsensusMessage): number {
  switch (message.type) {
    case "append-entries":
      return APPEND_ENTRIES;
    case "append-entries-response":
      return APPEND_ENTRIES_RESPONSE;
    case "request-vote":
      return REQUEST_VOTE;
    case "request-vote-response":
      return REQUEST_VOTE_RESPONSE;
    case "propose-request-vote":
      return PROPOSE_REQUEST_VOTE;
  }
}

function headerBytes(kind: number, version: 1 | 2): number {
  switch (kind) {
    case APPEND_ENTRIES:
      return version === 1 ? APPEND_ENTRIES_V1_BYTES : APPEND_ENTRIES_V2_BYTES;
    case APPEND_ENTRIES_RESPONSE:
      return APPEND_ENTRIES_RESPONSE_BYTES;
    case REQUEST_VOTE:
      return REQUEST_VOTE_BYTES;
    case REQUEST_VOTE_RESPONSE:
      return REQUEST_VOTE_RESPONSE_BYTES;
    case PROPOSE_REQUEST_VOTE:
      return PROPOSE_REQUEST_VOTE_BYTES;
    default:
      throw new WireError("unknown-kind", `unknown consensus message kind ${kind}`);
  }
}

function readSeqno(data: DataView, offset: number, field: string): Seqno {
  return readU64(data, offset, field) as Seqno; // readU64 gives an integer from 0 to 2^53 - 1, which is what a Seqno is
}

function readElection(data: DataView, offset: number): ElectionType {
  const value = data.getUint32(offset, true);
  if (value !== ELECTION_PRE_VOTE && value !== ELECTION_REGULAR) {
    throw new WireError("out-of-range", "the election type is neither 0 nor 1");
  }
  return value;
}
