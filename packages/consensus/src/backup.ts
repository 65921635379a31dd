/** How append-entries are received and answered (consensus spec §8.1–§8.6). The sender need not be known. */
import { type AppendEntries, type NodeId, type Seqno, seqno, type View } from "@sealane/wire";
import type { Entry } from "./interface.js";
import type { Membership } from "./membership.js";
import type { ReplicaState } from "./replica-state.js";

export class Backup<E extends Entry> {
  readonly #state: ReplicaState<E>;
  readonly #membership: Membership<E>;

  constructor(state: ReplicaState<E>, membership: Membership<E>) {
    this.#state = state;
    this.#membership = membership;
  }

  /** @param entries - those behind the message that could be decoded, from `prevSeqno + 1` on. */
  receiveAppendEntries(from: NodeId, message: AppendEntries, entries: readonly E[]): void {
    const state = this.#state;
    const { log } = state;

    // §8.1
    const sameView = message.view === state.view;
    if (sameView && state.role === "primary") return; // two primaries in one view: excluded by §15 MoreThanOneLeaderInv
    if (message.view > state.view || (sameView && state.role === "candidate")) state.becomeAwareOfNewView(message.view);
    else if (sameView && state.role === "pre-vote-candidate") this.#abandonPreVote();
    if (message.view < state.view) {
      this.#nack(from);
      return;
    }

    // §8.2. Nothing is truncated here, whatever the role.
    const prevView = log.viewOf(message.prevSeqno);
    if (prevView !== message.prevView) {
      if (prevView === 0) this.#nack(from);
      else this.#nackEstimate(from, message.prevView, message.prevSeqno);
      return;
    }

    // §8.3
    state.timer.restart(state.nowMs);
    state.contact.heard(state.nowMs);
    state.primary = from;
    state.announce();
    if (message.prevSeqno < log.commitSeqno || message.prevSeqno > log.lastSeqno) return;

    // §8.4
    const heldTo = seqno(Math.min(message.seqno, log.lastSeqno));
    const conflict = log.history.firstOutside(message.viewOfSeqno, message.prevSeqno, heldTo);
    if (conflict !== undefined) {
      if (!state.isNewFollower) return; // a late message of this view, which has had its one truncation (§16 B10)
      state.isNewFollower = false;
      state.rollback(seqno(conflict - 1));
    }
    if (log.lastSeqno < message.seqno && entries.length < message.seqno - message.prevSeqno) {
      this.#nack(from); // something that is needed did not decode: nothing is executed
      return;
    }

    // §8.5
    while (log.lastSeqno < message.seqno) {
      const entry = entries[log.lastSeqno - message.prevSeqno];
      if (entry === undefined || !this.#membership.isNext(entry, message.viewOfSeqno)) {
        this.#nack(from); // §7.5: header and payload disagree. What was appended before stays.
        return;
      }
      this.#membership.append(entry);
      state.outputs.append(entry);
      if (entry.signature) this.#commitIfPossible(message);
    }
    this.#commitIfPossible(message);
    this.#ack(from, message.seqno);
  }

  /**
   * Append-entries of this view received as a pre-vote candidate. The spec treats it like a new view and drops the unsigned
   * tail. But unlike a candidate, this node may have acknowledged that tail in this very view: the primary would never go back
   * below what it counts as matched, and the node would be left behind for the rest of the view. So it keeps its log. As with a
   * new view it may truncate once: it may have entered this view by its own candidacy, with the truncation of the view before used up.
   */
  #abandonPreVote(): void {
    this.#state.role = "backup";
    this.#state.isNewFollower = true;
    this.#state.votes.clear();
    this.#state.announce();
  }

  /**
   * §8.5 `commit_if_possible`, with one more bound. The spec asks for the highest signature at or below the primary's commit
   * seqno. But the log may go on behind `message.seqno` with signatures of an older view that this message says nothing of: a
   * late NACK made the primary start low, and its first message ends where its next view begins. What the message covers
   * is what is known to be equal, so no more than that is committed; the rest follows with the next message.
   */
  #commitIfPossible(message: AppendEntries): void {
    const limit = seqno(Math.min(message.commitSeqno, message.seqno));
    const to = this.#state.log.committable.highestAtOrBelow(limit);
    if (to !== undefined) this.#membership.commit(to);
  }

  // §8.6: the three replies.

  /** Says that the entries up to the seqno of that very message are held, and nothing about later ones (spec §16 B5). */
  #ack(to: NodeId, lastSeqno: Seqno): void {
    const { gate, view } = this.#state;
    gate.send(to, { type: "append-entries-response", view, lastSeqno, success: true }, lastSeqno);
  }

  #nack(to: NodeId): void {
    const { log, view } = this.#state;
    this.#state.send(to, { type: "append-entries-response", view, lastSeqno: log.lastSeqno, success: false });
  }

  /** The view is that of the estimate, not ours: it may be far older. */
  #nackEstimate(to: NodeId, of: View, at: Seqno): void {
    const { log } = this.#state;
    const lastSeqno = log.highestPossibleMatch(of, at);
    const view = log.viewOf(lastSeqno);
    this.#state.send(to, { type: "append-entries-response", view, lastSeqno, success: false });
  }
}
