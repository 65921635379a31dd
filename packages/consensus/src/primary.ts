/** What a primary does: accept entries, send them, count who holds them (consensus spec §6, §7, §8.8, §8.9). */
import { type AppendEntriesResponse, type NodeId, type Seqno, seqno, type View } from "@sealane/wire";
import type { Entry } from "./interface.js";
import type { Membership } from "./membership.js";
import type { PeerProgress } from "./peers.js";
import type { ReplicaState } from "./replica-state.js";

export class Primary<E extends Entry> {
  readonly #state: ReplicaState<E>;
  readonly #membership: Membership<E>;

  constructor(state: ReplicaState<E>, membership: Membership<E>) {
    this.#state = state;
    this.#membership = membership;
  }

  /** §6. */
  replicate(of: View, entries: readonly E[]): void {
    const state = this.#state;
    // A primary that is retired-committed has no role any more, so the first test covers that case of the spec too.
    if (state.role !== "primary" || of !== state.view) {
      this.#refuse();
      return;
    }
    for (const entry of entries) {
      if (!this.#membership.isNext(entry, of)) {
        this.#refuse();
        return;
      }
      this.#membership.append(entry);
      state.lease?.appended(entry.seqno, state.nowMs);
      if (entry.signature) state.shouldSign = false;
      if (state.batch.add(entry.bytes) && !state.eagerSend) this.sendToAll();
    }
    if (state.isAlone) this.updateCommit();
  }

  /** Lets the owner drop what it has put in its ledger and store beyond the log. */
  #refuse(): void {
    this.#state.outputs.push({ type: "rollback", to: this.#state.log.lastSeqno });
  }

  /** §7.1: what a tick does once the heartbeat is due. */
  heartbeat(): void {
    this.#state.timer.zero(this.#state.nowMs);
    this.#state.batch.update();
    this.sendToAll();
  }

  sendToAll(): void {
    for (const [node, peer] of this.#state.peers) this.#state.sendAppendEntries(node, peer);
  }

  /** Our `eagerSend`: what a peer has not been sent leaves at the end of the owner's turn, not with the next heartbeat. */
  sendUnsent(): void {
    if (this.#state.role !== "primary") return;
    for (const [node, peer] of this.#state.peers) this.#sendBacklog(node, peer);
  }

  #sendBacklog(node: NodeId, peer: PeerProgress): void {
    const { log, sender } = this.#state;
    if (peer.sentSeqno < log.lastSeqno && sender.mayFill(peer)) this.#state.sendAppendEntries(node, peer);
  }

  /** §8.8. */
  receiveResponse(from: NodeId, message: AppendEntriesResponse): void {
    const { log, peers, role, view, nowMs } = this.#state;
    const peer = peers.get(from);
    if (peer === undefined || role !== "primary") return;
    peer.lastAckMs = nowMs;
    if (message.view > view) {
      this.#state.becomeAwareOfNewView(message.view);
      return;
    }
    if (!message.success) {
      // A NACK of whatever age is a hint where to go on, and never progress (spec §16 B3, B8, B13).
      const match = log.highestPossibleMatch(message.view, message.lastSeqno);
      peer.sentSeqno = seqno(Math.max(Math.min(match, peer.sentSeqno), peer.matchSeqno));
      return;
    }
    if (message.view !== view || message.lastSeqno < peer.matchSeqno) return;
    if (message.lastSeqno > log.lastSeqno) return; // was never sent in this view: forged, and must not count later
    peer.matchSeqno = message.lastSeqno;
    this.updateCommit();
    if (this.#state.role === "primary" && this.#state.sender.bounded) this.#sendBacklog(from, peer);
  }

  /** §8.9. This node counts itself only where it is a member, and in `durable` mode only up to its durable seqno. */
  updateCommit(): void {
    const { id, log, peers, gate, view } = this.#state;
    const own = gate.durableSeqno(log.lastSeqno);
    const reached = (node: NodeId): Seqno => (node === id ? own : (peers.get(node)?.matchSeqno ?? seqno(0)));
    const agreed = log.configurations.agreedSeqno(reached);
    const to = agreed && log.committable.highestAtOrBelow(agreed);
    // Never an entry of an older view by itself (spec §16 B2): wait for a signature of this one.
    if (to !== undefined && log.viewOf(to) === view) this.#membership.commit(to);
  }
}
