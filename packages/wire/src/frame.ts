/**
 * What stands in front of every message on a TCP connection between nodes (channel-v1-wire §2; the same in version 2). Read by hand, once
 * for every frame of a cluster, and the bound is checked before a byte of the payload is waited for.
 *
 *     0   u32  size: bytes that follow this field
 *     4   u64  type: 0 channel, 1 consensus, 2 forwarded
 *     12  u64  64, the length of the sender's id
 *     20       the sender's id, 64 lower-case hex digits in ASCII
 *     84       payload
 *
 * The sender's id is a claim. Only a channel that opens the payload proves it.
 */
import type { NodeId } from "./brands.js";
import { WireError } from "./errors.js";
import { readU64, writeU64 } from "./fields.js";

export const FRAME_CHANNEL = 0;
export const FRAME_CONSENSUS = 1;
export const FRAME_FORWARDED = 2;
export type FrameType = typeof FRAME_CHANNEL | typeof FRAME_CONSENSUS | typeof FRAME_FORWARDED;

/** Bytes in front of the payload. */
export const FRAME_HEADER_BYTES = 84;

const SIZE_BYTES = 4;
const ID_OFFSET = 20;
const ID_CHARS = 64;
/** Least value of `size`: a frame with an empty payload. */
const SIZE_MIN = FRAME_HEADER_BYTES - SIZE_BYTES;
const SIZE_MAX = 0xffff_ffff;

/**
 * The 84 bytes in front of a payload.
 * @param payloadBytes - Length of the payload, with the ledger entries behind it if there are any.
 * @throws {RangeError} when the frame's size would not fit its u32.
 */
export function encodeFrameHeader(type: FrameType, sender: NodeId, payloadBytes: number): Uint8Array {
  const size = SIZE_MIN + payloadBytes;
  if (!Number.isInteger(payloadBytes) || payloadBytes < 0 || size > SIZE_MAX) {
    throw new RangeError(`a frame cannot carry ${payloadBytes} bytes`);
  }
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  const data = new DataView(header.buffer);
  data.setUint32(0, size, true);
  writeU64(data, 4, type);
  writeU64(data, 12, ID_CHARS);
  for (let index = 0; index < ID_CHARS; index++) header[ID_OFFSET + index] = sender.charCodeAt(index);
  return header;
}

/** Where a frame lies in the buffer it was read into. The frame is complete when the buffer is filled up to `frameEnd`. */
export interface FrameHead {
  readonly type: FrameType;
  /** Claimed, not proven. */
  readonly sender: NodeId;
  readonly payloadOffset: number;
  readonly frameEnd: number;
}

/**
 * Reads the head of the frame that starts at `offset`, as soon as it is there. The payload need not be: the reader learns from `frameEnd`
 * how much to wait for, and a frame over the bound is refused when its first four bytes have come, so a peer cannot make it buffer more.
 * @param end - End of the bytes received so far.
 * @param maxBytes - Bound on the whole frame, from its size field to the end of its payload.
 * @returns `undefined` until all 84 bytes of the head have arrived.
 * @throws {WireError} `too-large`; `truncated` when the size leaves no room for a head; `unknown-kind` for a type other than 0, 1, 2;
 *   `malformed` for a sender id other than 64 lower-case hex digits. Close the connection: where the next frame starts is not known.
 */
export function parseFrameHead(
  buffer: Uint8Array,
  offset: number,
  end: number,
  maxBytes: number,
): FrameHead | undefined {
  const available = end - offset;
  if (available < SIZE_BYTES) return undefined;
  const data = new DataView(buffer.buffer, buffer.byteOffset + offset, available);
  const size = data.getUint32(0, true);
  if (SIZE_BYTES + size > maxBytes) {
    throw new WireError("too-large", `a frame of ${SIZE_BYTES + size} bytes is over the bound of ${maxBytes}`);
  }
  if (size < SIZE_MIN) throw new WireError("truncated", `a frame of size ${size} has no room for its own head`);
  if (available < FRAME_HEADER_BYTES) return undefined;
  const type = readU64(data, 4, "frame type");
  if (type !== FRAME_CHANNEL && type !== FRAME_CONSENSUS && type !== FRAME_FORWARDED) {
    throw new WireError("unknown-kind", `unknown frame type ${type}`);
  }
  if (readU64(data, 12, "sender id length") !== ID_CHARS) {
    throw new WireError("malformed", "the sender id of a frame has 64 characters");
  }
  const sender = readNodeId(buffer, offset + ID_OFFSET);
  return { type, sender, payloadOffset: offset + FRAME_HEADER_BYTES, frameEnd: offset + SIZE_BYTES + size };
}

function readNodeId(buffer: Uint8Array, offset: number): NodeId {
  const ascii = buffer.subarray(offset, offset + ID_CHARS);
  for (const char of ascii) {
    const isHexDigit = (char >= 0x30 && char <= 0x39) || (char >= 0x61 && char <= 0x66);
    if (!isHexDigit) throw new WireError("malformed", "the sender id of a frame is not lower-case hex");
  }
  return String.fromCharCode(...ascii) as NodeId; // 64 characters, each just checked to be a lower-case hex digit
}
