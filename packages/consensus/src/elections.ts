/** How a replica becomes primary, helps another to, and stops being it (consensus spec §9). */
import {
  ELECTION_PRE_VOTE,
  ELECTION_REGULAR,
  type ElectionType,
  type NodeId,
  type ProposeRequestVote,
  type RequestVote,
  type RequestVoteResponse,
  seqno,
  VIEW_MAX,
  view,
} from "@sealane/wire";
import type { Entry, ReplicaOptions } from "./interface.js";
import type { Membership } from "./membership.js";
import type { Primary } from "./primary.js";
import type { ReplicaState } from "./replica-state.js";

export class Elections<E extends Entry> {
  readonly #state: ReplicaState<E>;
  readonly #membership: Membership<E>;
  readonly #primary: Primary<E>;
  readonly #preVote: boolean;
  readonly #sticky: boolean;

  constructor(
    state: ReplicaState<E>,
    membership: Membership<E>,
    primary: Primary<E>,
    { preVote = false, leaderStickiness = false }: ReplicaOptions,
  ) {
    this.#state = state;
    this.#membership = membership;
    this.#primary = primary;
    this.#preVote = preVote;
    this.#sticky = leaderStickiness;
  }

  /** §9.1. After the last view number there is (`VIEW_MAX`) comes none. */
  get mayCampaign(): boolean {
    const { log, isRetiredCommitted, view } = this.#state;
    return !isRetiredCommitted && log.ticking && log.configurations.newest !== undefined && view < VIEW_MAX;
  }

  start(): void {
    if (this.#preVote) this.#becomePreVoteCandidate();
    else this.#becomeCandidate();
  }

  /** §9.3. View and vote stay. */
  #becomePreVoteCandidate(): void {
    const state = this.#state;
    state.role = "pre-vote-candidate";
    state.primary = undefined;
    state.votes.clear();
    state.timer.restart(state.nowMs);
    state.announce();
    this.#requestVotes(ELECTION_PRE_VOTE);
    this.#addVote(state.id);
  }

  /** §9.4. */
  #becomeCandidate(): void {
    const state = this.#state;
    state.role = "candidate";
    state.primary = undefined;
    state.votes.clear();
    state.setHardState(view(state.view + 1), state.id);
    state.timer.restart(state.nowMs);
    state.peers.restartAckTimers(state.nowMs);
    state.announce();
    this.#requestVotes(ELECTION_REGULAR);
    this.countOwnVote();
  }

  /** In `durable` mode an own vote is worth as much as a peer's: nothing until it cannot be forgotten. */
  countOwnVote(): void {
    if (this.#state.gate.hardStateDurable) this.#addVote(this.#state.id);
  }

  #requestVotes(election: ElectionType): void {
    const { id, log, view } = this.#state;
    const lastCommittableSeqno = log.lastCommittableSeqno; // never the last entry (spec §16 B11)
    const viewOfLastCommittableSeqno = log.viewOf(lastCommittableSeqno);
    for (const node of log.configurations.nodes) {
      if (node === id) continue;
      const candidacy = { view, lastCommittableSeqno, viewOfLastCommittableSeqno, election };
      this.#state.send(node, { type: "request-vote", ...candidacy });
    }
  }

  /** §9.4: elected when a majority of every active configuration has granted. */
  #addVote(from: NodeId): void {
    const { log, role, votes } = this.#state;
    votes.add(from);
    if (!log.configurations.everyQuorum((node) => votes.has(node))) return;
    if (role === "pre-vote-candidate") this.#becomeCandidate();
    else if (role === "candidate") this.becomePrimary();
  }

  /** §9.5. */
  becomePrimary(): void {
    const state = this.#state;
    const { log, peers, nowMs } = state;
    if (state.isRetiredCommitted) return;
    // The spec keeps the tail while nothing is committed, for the sake of a genesis entry. With a signature above it that
    // reason is gone, and a restarted node whose commit hint was lost must not continue an unsigned tail of an older view.
    if (log.lastCommittableSeqno > 0) state.rollback(log.lastCommittableSeqno);
    state.role = "primary";
    state.lease?.restart();
    state.primary = state.id;
    state.shouldSign = true;
    state.timer.zero(nowMs);
    peers.restartAckTimers(nowMs);
    state.announce();
    if (state.isAlone) this.#primary.updateCommit();
    for (const [node, peer] of peers) {
      peer.matchSeqno = seqno(0);
      peer.sentSeqno = log.lastSeqno;
      state.sendAppendEntries(node, peer);
    }
    this.#membership.askForCleanup(); // an earlier primary may have died between the two retirement entries (§16 B14)
  }

  /** §9.6: a primary that hears from no majority of some configuration steps down, in the same view. */
  checkQuorum(): void {
    const { id, log, peers, nowMs, electionTimeoutMs } = this.#state;
    const heard = (node: NodeId) => nowMs - (peers.get(node)?.lastAckMs ?? 0) < electionTimeoutMs;
    if (log.configurations.newest === undefined) return;
    if (!log.configurations.everyQuorum((node) => node === id || heard(node))) this.#state.becomeBackup();
  }

  /** §9.7. The sender need not be known, and a retired node answers too. */
  receiveRequestVote(from: NodeId, message: RequestVote): void {
    const state = this.#state;
    const { election } = message;
    if (state.view > message.view || this.#sticksToPrimary(election)) {
      this.#reply(from, false, election);
      return;
    }
    if (state.view < message.view) state.becomeAwareOfNewView(message.view);
    const regular = election !== ELECTION_PRE_VOTE;
    const free = state.primary === undefined && (state.votedFor === undefined || state.votedFor === from);
    const granted = this.#isUpToDate(message) && (free || !regular);
    if (granted && regular) {
      state.timer.restart(state.nowMs);
      state.setHardState(state.view, from);
    }
    this.#reply(from, granted, election);
  }

  /**
   * Our options `leaderStickiness` (pre-votes) and `readLease` (pre-votes and votes). The request has no effect at all then, also if it is of a
   * later view: whoever is in one tells the primary so in answer to its next append-entries.
   */
  #sticksToPrimary(election: ElectionType): boolean {
    const { role, contact, nowMs, lease } = this.#state;
    const refuses = lease !== undefined || (this.#sticky && election === ELECTION_PRE_VOTE);
    return refuses && (role === "primary" || contact.isRecent(nowMs));
  }

  /** Compares last signatures, by view and then by seqno. */
  #isUpToDate({ lastCommittableSeqno, viewOfLastCommittableSeqno }: RequestVote): boolean {
    const own = this.#state.log.lastCommittableSeqno;
    const viewOfOwn = this.#state.log.viewOf(own);
    return (
      viewOfLastCommittableSeqno > viewOfOwn ||
      (viewOfLastCommittableSeqno === viewOfOwn && lastCommittableSeqno >= own)
    );
  }

  #reply(to: NodeId, granted: boolean, election: ElectionType): void {
    this.#state.send(to, { type: "request-vote-response", view: this.#state.view, granted, election });
  }

  /** §9.8. */
  receiveRequestVoteResponse(from: NodeId, message: RequestVoteResponse): void {
    const { peers, role, view } = this.#state;
    const awaited = message.election === ELECTION_PRE_VOTE ? "pre-vote-candidate" : "candidate";
    if (role !== awaited || peers.get(from) === undefined) return;
    if (message.view > view) this.#state.becomeAwareOfNewView(message.view);
    else if (message.view === view && message.granted) this.#addVote(from);
  }

  /** §9.9: a retiring primary names this node as its successor. No pre-vote, no waiting. */
  receiveProposeRequestVote(message: ProposeRequestVote): void {
    if (message.view === this.#state.view && this.mayCampaign) this.#becomeCandidate();
  }
}
