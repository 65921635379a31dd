/** What an observer is shown of a consensus header. */
import type { ConsensusMessage, NodeId } from "@sealane/wire";
import type { Direction, NodeEvent } from "./types.js";

/** @param bytes - Of the whole frame. @param entries - How many are behind the header. */
export function headerEvent(
  peer: NodeId,
  direction: Direction,
  message: ConsensusMessage,
  bytes: number,
  entries: number,
  atMs: number,
): NodeEvent {
  const { type: kind, view } = message;
  const range =
    message.type === "append-entries"
      ? { seqno: message.seqno, prevSeqno: message.prevSeqno, commitSeqno: message.commitSeqno }
      : message.type === "append-entries-response"
        ? { seqno: message.lastSeqno }
        : {};
  return { type: "header", peer, direction, kind, view, ...range, bytes, entries, atMs };
}
