/** The messages a stand-alone end sends, and how long the headers of those it gets are: real ones of their kinds, with no meaning to anybody. */
import {
  consensusHeaderBytes,
  encodeConsensus,
  encodeForwardedHeader,
  encodeForwardedRequest,
  FRAME_CONSENSUS,
  type FrameType,
  forwardedHeaderBytes,
  seqno,
  utf8,
  view,
  WireError,
  Writer,
} from "@sealane/wire";

export type ProtocolVersion = 1 | 2;

const VIEW = view(2);
/** channel-v1-wire §10, by kind: two versions of commands and responses that no node of today sends, and that of today. */
const FORWARDED_HEADER_BYTES_V1 = [9, 9, 17, 17, 25, 18] as const;

/** A heartbeat: append-entries that covers no entries. @param number - From 1. */
export function consensusHeader(version: ProtocolVersion, number: number): Uint8Array {
  const message = {
    type: "append-entries",
    seqno: seqno(number),
    prevSeqno: seqno(number),
    view: VIEW,
    prevView: VIEW,
    commitSeqno: seqno(number),
    viewOfSeqno: VIEW,
  } as const;
  return encodeConsensus(message, undefined, { version });
}

export function forwardedCommand(
  version: ProtocolVersion,
  number: number,
): { header: Uint8Array; plaintext: Uint8Array } {
  const header = encodeForwardedHeader({ type: "command", commandId: number, view: VIEW }, { version });
  const path = `/records/${number}`;
  if (version === 2) {
    const body = new Uint8Array(0);
    return { header, plaintext: encodeForwardedRequest({ sessionId: 1, method: "GET", path, body }) };
  }
  const request = utf8(`GET ${path} HTTP/1.1\r\nhost: node\r\n\r\n`);
  return { header, plaintext: new Writer().u64(1).u8(0).bytes(request).done() };
}

/** Length of the header at the start of a payload; undefined when it is of no known kind or cut short. */
export function headerBytesOf(version: ProtocolVersion, frameType: FrameType, payload: Uint8Array): number | undefined {
  try {
    if (frameType === FRAME_CONSENSUS) return consensusHeaderBytes(payload, { version });
    if (version === 2) return forwardedHeaderBytes(payload);
    return payload.subarray(1, 8).every((byte) => byte === 0) ? FORWARDED_HEADER_BYTES_V1[payload[0] ?? 6] : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
