/**
 * What a primary knows of each other node (consensus spec §3.2 `all_other_nodes`). Says who gets append-entries; never used to
 * count a quorum. A record outlives its node's configuration, down to the retirement-committed entry (spec §10.3, §16 B15).
 */
import { type NodeId, type Seqno, seqno } from "@sealane/wire";
import { ascending } from "./configurations.js";

export interface PeerProgress {
  /** The last entry sent, acknowledged or not. */
  sentSeqno: Seqno;
  /** The last entry known to be held. Grows only while this node is primary of one view; moved by ACKs alone. */
  matchSeqno: Seqno;
  /** When a response, or else the present role, last set the acknowledgement timer to zero. */
  lastAckMs: number;
}

export class Peers {
  readonly #records = new Map<NodeId, PeerProgress>();
  #ids: readonly NodeId[] = [];

  /** Ascending: the order in which peers are sent to (spec §2). */
  get ids(): readonly NodeId[] {
    return this.#ids;
  }

  get(node: NodeId): PeerProgress | undefined {
    return this.#records.get(node);
  }

  /** In ascending order of id. Adding or deleting while iterating does not disturb it. */
  *[Symbol.iterator](): Iterator<[NodeId, PeerProgress]> {
    for (const id of this.#ids) {
      const record = this.#records.get(id);
      if (record !== undefined) yield [id, record];
    }
  }

  /** §10.3: a new record starts just above the log's end, with nothing known to be held. */
  add(node: NodeId, lastSeqno: Seqno, nowMs: number): PeerProgress {
    const record: PeerProgress = { sentSeqno: seqno(lastSeqno + 1), matchSeqno: seqno(0), lastAckMs: nowMs };
    this.#records.set(node, record);
    this.#ids = ascending(this.#records.keys());
    return record;
  }

  delete(node: NodeId): boolean {
    const known = this.#records.delete(node);
    if (known) this.#ids = ascending(this.#records.keys());
    return known;
  }

  /** §9.4, §9.5: every change of role zeroes the acknowledgement timers. */
  restartAckTimers(nowMs: number): void {
    for (const record of this.#records.values()) record.lastAckMs = nowMs;
  }
}
