/** Sends consensus messages: the header sealed for one peer, and the very bytes of the ledger behind it. */
import {
  type AppendEntries,
  type ConsensusMessage,
  decodeConsensus,
  encodeConsensus,
  equalBytes,
  FRAME_CONSENSUS,
  type NodeId,
  seqno,
} from "@sealane/wire";
import { headerEvent } from "./header-event.js";
import type { Payload } from "./payloads.js";
import type { Peers } from "./peers.js";
import type { ReplicatedLog } from "./replicated-log.js";
import type { StoredEntries } from "./stored-entries.js";
import type { NodeEvent, Output } from "./types.js";

/** What one `read` brings for a peer, in bytes: what fits behind one header. */
const READ_BYTES_MAX = 4 * 1024 * 1024;

/** What messages are made of and sealed with, and who takes them. */
export interface SenderParts {
  readonly log: {
    readonly replica: Pick<ReplicatedLog["replica"], "role" | "view">;
    readonly payloads: Pick<ReplicatedLog["payloads"], "of" | "from" | "isBeforeMemory">;
  };
  readonly peers: Pick<Peers, "seal">;
  readonly stored: Pick<StoredEntries, "read">;
  /** At once: a channel's records must leave in the order they were sealed. */
  readonly transmit: (output: Extract<Output, { type: "transmit" }>) => void;
  /** Undefined when nobody watches: events cost a little for every message. */
  readonly observe: ((event: NodeEvent) => void) | undefined;
}

export class MessageSender {
  readonly #parts: SenderParts;
  /** Peers for whom entries are being read from storage. */
  readonly #reads = new Set<NodeId>();

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Seals the header for this one peer, and puts the very bytes of the ledger behind it. */
  send(to: NodeId, message: ConsensusMessage, nowMs: number): void {
    if (message.type !== "append-entries") {
      this.#transmit(to, message, undefined, nowMs);
      return;
    }
    const { payloads } = this.#parts.log;
    const payload = payloads.of(message);
    if (payload !== undefined) this.#transmit(to, message, payload, nowMs);
    else if (payloads.isBeforeMemory(message)) this.#readFor(to, message);
    // Else they were rolled back in the meantime, and the next message says so (consensus spec §7.5).
  }

  /** A header that was queued before there were keys: its entries are attached now, if they are still what it names. */
  sendSealed(to: NodeId, header: Uint8Array, trailer: Uint8Array): void {
    const { message, entriesDigest: digest } = decodeConsensus(header);
    const payload = message.type === "append-entries" ? this.#parts.log.payloads.of(message) : undefined;
    if (digest !== undefined && (payload === undefined || !equalBytes(payload.digest, digest))) return;
    const parts = [header, trailer, ...(payload?.entries ?? [])];
    this.#parts.transmit({ type: "transmit", to, frameType: FRAME_CONSENSUS, parts });
  }

  /** Entries that are no longer in memory come from storage, for one message per peer at a time; further ones are as good as lost. */
  #readFor(to: NodeId, message: AppendEntries): void {
    if (this.#reads.has(to)) return;
    this.#reads.add(to);
    const range = { from: seqno(message.prevSeqno + 1), through: message.seqno, bytesMax: READ_BYTES_MAX };
    this.#parts.stored.read(range, (entries, nowMs) => this.#handleRead(to, message, entries, nowMs));
  }

  #handleRead(to: NodeId, message: AppendEntries, entries: readonly Uint8Array[], nowMs: number): void {
    this.#reads.delete(to);
    const { replica, payloads } = this.#parts.log;
    if (replica.role !== "primary" || replica.view !== message.view) return;
    // A node that goes on from a snapshot does not know how large the entries before it are, and asks for more than one message takes.
    const last = seqno(message.prevSeqno + entries.length);
    if (entries.length === 0 || last > message.seqno) return;
    this.#transmit(to, { ...message, seqno: last }, payloads.from(entries), nowMs);
  }

  #transmit(to: NodeId, message: ConsensusMessage, payload: Payload | undefined, nowMs: number): void {
    const header = encodeConsensus(message, payload?.digest);
    const trailer = this.#parts.peers.seal(to, header, nowMs);
    if (trailer === undefined) return; // queued until there are keys
    const parts = [header, trailer, ...(payload?.entries ?? [])];
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const count = message.type === "append-entries" ? message.seqno - message.prevSeqno : 0;
    this.#parts.observe?.(headerEvent(to, "sent", message, bytes, count, nowMs));
    this.#parts.transmit({ type: "transmit", to, frameType: FRAME_CONSENSUS, parts });
  }
}
