/**
 * Frames from other nodes: the channel opens them, the codec reads them, and what they hold goes on to the log or to the requests. Anything
 * wrong with one is a refusal without effect, seen only in events and counters.
 */
import { type DecodedEntry, entriesDigest, LedgerError, splitEntries } from "@sealane/ledger";
import {
  consensusHeaderBytes,
  decodeConsensus,
  decodeForwardedHeader,
  equalBytes,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  type FrameType,
  forwardedHeaderBytes,
  type NodeId,
  type Seqno,
  seqno,
  WireError,
} from "@sealane/wire";
import type { ClientRequests } from "./client-requests.js";
import { headerEvent } from "./header-event.js";
import type { JoinedNodes } from "./joined-nodes.js";
import type { Peers } from "./peers.js";
import type { ReplicatedLog } from "./replicated-log.js";
import type { CoreConfig, NodeEvent } from "./types.js";

/** What frames are opened with, and whom they are for. */
export interface FrameParts {
  readonly peers: Pick<Peers, "handleExchange" | "open" | "isLeaving">;
  readonly log: Pick<ReplicatedLog, "decodeAll" | "handleMessage">;
  readonly joined: Pick<JoinedNodes, "handleAcknowledgement">;
  readonly requests: Pick<ClientRequests, "handleForwarded">;
  /** Undefined when nobody watches: events cost a little for every message. */
  readonly observe: ((event: NodeEvent) => void) | undefined;
}

export class Frames {
  readonly #suite: CoreConfig["suite"];
  readonly #parts: FrameParts;

  constructor(suite: CoreConfig["suite"], parts: FrameParts) {
    this.#suite = suite;
    this.#parts = parts;
  }

  /**
   * @param from - The id the frame claims to come from; believed only after a tag or a signature has proved it.
   * @returns whether the frame proved that `from` is at the other end of the connection.
   */
  handleFrame(from: NodeId, frameType: FrameType, payload: Uint8Array, nowMs: number): boolean {
    const { peers, observe } = this.#parts;
    if (frameType === FRAME_CHANNEL) return peers.handleExchange(from, payload, nowMs);
    try {
      return frameType === FRAME_CONSENSUS
        ? this.#openConsensus(from, payload, nowMs)
        : this.#openForwarded(from, payload, nowMs);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      observe?.({ type: "rejected", peer: from, code: error.code, atMs: nowMs });
      return false;
    }
  }

  #openConsensus(from: NodeId, payload: Uint8Array, nowMs: number): boolean {
    const { peers, log, joined, observe } = this.#parts;
    const headerBytes = consensusHeaderBytes(payload);
    const opened = peers.open(from, FRAME_CONSENSUS, headerBytes, payload, nowMs);
    if (opened === undefined) return false;
    // A removed node that was not told may still campaign (consensus spec §11.1, Completed). It could win, and would do no harm but delay.
    if (peers.isLeaving(from)) return true;
    const { message, entriesDigest: digest } = decodeConsensus(opened.header);
    const first = seqno(message.type === "append-entries" ? message.prevSeqno + 1 : 0);
    const decoded = digest === undefined ? [] : this.#decodeEntries(opened.rest, first, digest);
    if (decoded === undefined) {
      // The header is the peer's, the entries behind it are not what it sent: as good as lost, and sent again.
      observe?.({ type: "rejected", peer: from, code: "entries-digest", atMs: nowMs });
      return true;
    }
    observe?.(headerEvent(from, "received", message, payload.length, decoded.length, nowMs));
    log.handleMessage(from, message, decoded, nowMs);
    if (message.type === "append-entries-response" && message.success) {
      joined.handleAcknowledgement(from, message.lastSeqno, nowMs);
    }
    return true;
  }

  /** @returns undefined when the entries are not those that the header's digest names; nothing of them is used then. */
  #decodeEntries(bytes: Uint8Array, first: Seqno, digest: Uint8Array): DecodedEntry[] | undefined {
    try {
      const entries = splitEntries(bytes);
      const decoded = this.#parts.log.decodeAll(entries, first);
      const digests = entries.map((entry, index) => decoded[index]?.writeSetDigest ?? this.#suite.sha256(entry));
      return equalBytes(entriesDigest(this.#suite, digests), digest) ? decoded : undefined;
    } catch (error) {
      if (error instanceof LedgerError) return undefined;
      throw error;
    }
  }

  #openForwarded(from: NodeId, payload: Uint8Array, nowMs: number): boolean {
    const { peers, requests, observe } = this.#parts;
    const headerBytes = forwardedHeaderBytes(payload);
    const opened = peers.open(from, FRAME_FORWARDED, headerBytes, payload, nowMs);
    if (opened === undefined) return false;
    const header = decodeForwardedHeader(opened.header);
    const { type: what, commandId } = header;
    observe?.({
      type: "forwarded",
      peer: from,
      direction: "received",
      what,
      commandId,
      bytes: payload.length,
      atMs: nowMs,
    });
    requests.handleForwarded(from, header, opened.plaintext, nowMs);
    return true;
  }
}
