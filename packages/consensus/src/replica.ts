/**
 * One node of the replicated log (consensus spec §6–§12). Sans-IO: inputs and the time go into `handle`, outputs are polled.
 *
 * Read it with the spec beside it: the methods stand in the order of its sections and cite them. State that has rules of its own is
 * in pieces with their own tests (`Log` and what it is made of, `Peers`, `ElectionTimer`, `DurabilityGate`, ...); what is
 * left here is who may do what, when.
 *
 * Where this differs from the spec, for safety (each has a test):
 *   - a backup commits at most up to the seqno of the message it accepted (`#commitIfPossible`);
 *   - a vote is forgotten only in a new view (`#becomeAwareOfNewView`);
 *   - a new primary drops its unsigned tail also when it has signatures but no commit yet (`#becomePrimary`).
 */
import {
  type AppendEntries,
  type AppendEntriesResponse,
  type ConsensusMessage,
  ELECTION_PRE_VOTE,
  ELECTION_REGULAR,
  type ElectionType,
  type NodeId,
  type ProposeRequestVote,
  type RequestVote,
  type RequestVoteResponse,
  type Seqno,
  seqno,
  type TxId,
  VIEW_MAX,
  type View,
  view,
} from "@sealane/wire";
import { AppendSender } from "./append-sender.js";
import { assert } from "./assert.js";
import { BatchSize } from "./batch-size.js";
import { DurabilityGate } from "./durability-gate.js";
import { ElectionTimer } from "./election-timer.js";
import type {
  Configuration,
  Entry,
  Input,
  Output,
  ReplicaOptions,
  RetirementPhase,
  Role,
  TxStatus,
  ViewStart,
} from "./interface.js";
import { Log } from "./log.js";
import { OutputQueue } from "./output-queue.js";
import { type PeerProgress, Peers } from "./peers.js";
import { isWellFormed } from "./well-formed.js";

const ELECTION_TIMEOUT_MS = 5_000; // spec §3.2
const HEARTBEAT_MS = 100; // spec §3.2
const UNCOMMITTED_MAX = 10_000; // entries, spec §3.2
/** Bytes. A sixty-fourth of the largest frame between nodes, and far above the 20,000 that batches aim at. */
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** spec §3.2, §12.1: the first view of a service is 2. */
const STARTING_VIEW_INCREMENT = 2;

/** What an observer may see of a peer. Times are those of the owner's clock. */
export interface PeerState extends Readonly<PeerProgress> {
  readonly node: NodeId;
}

/**
 * The replication core of one node. After every `handle`, drain `pollOutput` and carry the outputs out in order.
 * Nothing a peer sends makes `handle` throw; misuse by the owner (a token never given out, `start` beside a known primary) does.
 * @example
 * const replica = new Replica({ id, random: (max) => randomInt(max + 1), durability: "durable" });
 * replica.handle({ type: "tick" }, performance.now());
 * for (let output = replica.pollOutput(); output !== undefined; output = replica.pollOutput()) carryOut(output);
 */
export class Replica<E extends Entry = Entry> {
  readonly id: NodeId;
  readonly #electionTimeoutMs: number;
  readonly #heartbeatMs: number;
  readonly #preVote: boolean;
  readonly #eagerSend: boolean;
  readonly #uncommittedMax: number;

  readonly #log: Log;
  readonly #peers = new Peers();
  readonly #batch = new BatchSize();
  readonly #sender: AppendSender;
  readonly #gate: DurabilityGate;
  readonly #timer: ElectionTimer;
  readonly #outputs = new OutputQueue<E>();

  #role: Role = "none";
  /** Only grows. Invariant: the views of all entries are at most this. */
  #view: View = view(0);
  /** In the present view. Forgotten only when the view grows. */
  #votedFor: NodeId | undefined;
  #primary: NodeId | undefined;
  /** Who granted this candidacy, this node included. */
  readonly #votes = new Set<NodeId>();
  /** One truncation for a proven conflict is allowed (spec §8.4). */
  #isNewFollower = false;
  #shouldSign = false;
  /** Undefined until the first input, unless given. Never goes back. */
  #nowMs: number;
  #clockStarted: boolean;

  constructor(options: ReplicaOptions) {
    const { restored } = options;
    this.id = options.id;
    this.#electionTimeoutMs = options.electionTimeoutMs ?? ELECTION_TIMEOUT_MS;
    this.#heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
    assert(
      0 < this.#heartbeatMs && this.#heartbeatMs < this.#electionTimeoutMs,
      "heartbeats are more frequent than elections",
    );
    this.#preVote = options.preVote ?? false;
    this.#eagerSend = options.eagerSend ?? false;
    this.#uncommittedMax = options.uncommittedMax ?? UNCOMMITTED_MAX;
    this.#log = new Log(options.id, restored);
    this.#sender = new AppendSender(this.#log, this.#batch, {
      messageBytesMax: options.messageBytesMax ?? MESSAGE_BYTES_MAX,
      inFlightBytesMax: options.inFlightBytesMax ?? Number.POSITIVE_INFINITY,
    });
    this.#gate = new DurabilityGate(options.durability, this.#log.lastSeqno);
    this.#nowMs = options.nowMs ?? 0;
    this.#clockStarted = options.nowMs !== undefined;
    this.#timer = new ElectionTimer(this.#electionTimeoutMs, options.random, this.#nowMs);
    if (restored !== undefined) this.#restore(restored.hardState.view, restored.hardState.votedFor);
  }

  // Getters.

  get view(): View {
    return this.#view;
  }

  get votedFor(): NodeId | undefined {
    return this.#votedFor;
  }

  get role(): Role {
    return this.#role;
  }

  /** The primary of the present view, if it is known. */
  get primary(): NodeId | undefined {
    return this.#primary;
  }

  /** Elections are allowed: this node has seen its own membership signed (spec §9.1). */
  get ticking(): boolean {
    return this.#log.ticking;
  }

  get lastSeqno(): Seqno {
    return this.#log.lastSeqno;
  }

  get commitSeqno(): Seqno {
    return this.#log.commitSeqno;
  }

  /** The last signature held, or else the commit seqno (spec §3.2 *lci*). */
  get lastCommittableSeqno(): Seqno {
    return this.#log.lastCommittableSeqno;
  }

  /** Signatures held above the commit seqno, ascending. */
  get committableSeqnos(): readonly Seqno[] {
    return this.#log.committable.all;
  }

  /** Entries up to here survive a restart. In `ephemeral` mode: the last seqno. */
  get durableSeqno(): Seqno {
    return this.#gate.durableSeqno(this.#log.lastSeqno);
  }

  get viewHistory(): readonly ViewStart[] {
    return this.#log.history.starts;
  }

  /** The active configurations, oldest (current) first. */
  get configurations(): readonly Configuration[] {
    return this.#log.configurations.all;
  }

  /** Nodes of all active configurations, ascending. */
  get activeNodes(): readonly NodeId[] {
    return this.#log.configurations.nodes;
  }

  /** Undefined while this node is not being retired (spec §11.1). */
  get retirementPhase(): RetirementPhase | undefined {
    return this.#log.retirement.phase;
  }

  /** Nodes removed by a committed configuration that may not be switched off yet, ascending (spec §11.2). */
  get removedNodes(): readonly NodeId[] {
    return this.#log.removedNodes.removed;
  }

  /** Primary that has not yet signed in its view: sign at once (spec §5). */
  get shouldSign(): boolean {
    return this.#role === "primary" && this.#shouldSign;
  }

  /** Too much is uncommitted: answer clients with a retryable error (spec §6). */
  get atCapacity(): boolean {
    return this.#uncommittedMax !== 0 && this.lastSeqno - this.commitSeqno >= this.#uncommittedMax;
  }

  /** Ascending by node. Meaningful on the primary. */
  get peers(): readonly PeerState[] {
    return Array.from(this.#peers, ([node, progress]) => ({ node, ...progress }));
  }

  /** The view of an entry; 0 when the log does not hold it (spec §3.2). */
  viewAt(at: Seqno): View {
    return this.#log.viewOf(at);
  }

  /** What to tell a client about a transaction id (spec §4). */
  status(txId: TxId): TxStatus {
    return this.#log.status(txId);
  }

  // Inputs and outputs (spec §2).

  /** @param nowMs - the owner's monotonic clock. A step back counts as no time passed. */
  handle(input: Input<E>, nowMs: number): void {
    this.#outputs.resume();
    this.#setClock(nowMs);
    switch (input.type) {
      case "tick":
        this.#tick();
        break;
      case "message":
        this.#receive(input.from, input.message, input.entries ?? []);
        break;
      case "replicate":
        this.#replicate(input.view, input.entries);
        break;
      case "flush":
        if (this.#eagerSend) this.#sendUnsent();
        break;
      case "persisted":
        this.#persisted(input.token);
        break;
      case "start":
        this.#start();
        break;
      case "join":
        this.#join(input);
        break;
      case "start-ticking":
        this.#log.startTicking();
        break;
      default:
        input satisfies never;
    }
    this.#endInput();
  }

  /** The next output, or undefined after the `wait` that ends each input's outputs. */
  pollOutput(): Output<E> | undefined {
    return this.#outputs.poll();
  }

  #setClock(nowMs: number): void {
    if (!this.#clockStarted) {
      this.#clockStarted = true;
      this.#nowMs = nowMs;
      if (this.#role === "none") this.#timer.zero(nowMs);
      else this.#timer.restart(nowMs); // restored: nodes that start together do not campaign together
      this.#peers.restartAckTimers(nowMs);
    }
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  /** What must be stored comes out before what is sent; what is sent waits in the gate for what it depends on. */
  #endInput(): void {
    this.#announce();
    const request = this.#gate.nextToken(this.#log.lastSeqno);
    if (request !== undefined) {
      const hardState = { view: this.#view, votedFor: this.#votedFor };
      this.#outputs.push({ type: "persist", token: request.token, ...(request.hardState ? { hardState } : {}) });
    }
    for (const { to, message } of this.#gate.release()) this.#outputs.push({ type: "send", to, message });
    this.#outputs.push({ type: "wait", untilMs: this.#dueMs() });
  }

  #dueMs(): number {
    if (this.#role === "primary") return this.#timer.reachesMs(this.#heartbeatMs);
    return this.#mayCampaign() ? this.#timer.reachesMs(this.#electionTimeoutMs) : Number.POSITIVE_INFINITY;
  }

  /** Reports role, view and primary if one of them changed since the last report. */
  #announce(): void {
    this.#outputs.announce({ type: "role", role: this.#role, view: this.#view, primary: this.#primary });
  }

  #setHardState(of: View, votedFor: NodeId | undefined): void {
    if (of === this.#view && votedFor === this.#votedFor) return;
    this.#view = of;
    this.#votedFor = votedFor;
    this.#gate.hardStateSet();
  }

  // Spec §6: the primary accepts entries.

  #replicate(of: View, entries: readonly E[]): void {
    // A primary that is retired-committed has no role, so the first test covers that case too.
    if (this.#role !== "primary" || of !== this.#view) {
      this.#refuse();
      return;
    }
    for (const entry of entries) {
      if (!this.#isNext(entry, of)) {
        this.#refuse();
        return;
      }
      this.#append(entry);
      if (entry.signature) this.#shouldSign = false;
      if (this.#batch.add(entry.bytes)) this.#sendToAll();
    }
    if (this.#isAlone()) this.#updateCommit();
  }

  /** Lets the owner drop what it has put in its ledger and store beyond the log. */
  #refuse(): void {
    this.#outputs.push({ type: "rollback", to: this.#log.lastSeqno });
  }

  #isNext(entry: E, of: View): boolean {
    return entry.seqno === this.#log.lastSeqno + 1 && entry.view === of && entry.configuration?.length !== 0;
  }

  /**
   * Appends one entry; its configuration becomes active first, so that on the primary a new node's first message ends before
   * the entry that added it (spec §10.3). A backup does it in the other order in the spec, with no difference: it sends nothing.
   */
  #append(entry: E): void {
    if (entry.configuration !== undefined && this.#log.addConfiguration(entry.seqno, entry.configuration)) {
      this.#refreshPeers();
    }
    this.#log.append(entry);
    this.#gate.appended();
  }

  #rollback(to: Seqno): void {
    if (to === this.#log.lastSeqno) return;
    this.#log.rollback(to);
    this.#gate.rolledBack(to);
    this.#outputs.push({ type: "rollback", to });
  }

  #isAlone(): boolean {
    return this.#log.configurations.nodes.every((node) => node === this.id);
  }

  // Spec §7: sending append-entries.

  #tick(): void {
    const elapsedMs = this.#timer.elapsedMs(this.#nowMs);
    if (this.#role !== "primary") {
      if (this.#mayCampaign() && elapsedMs >= this.#electionTimeoutMs) this.#startElection();
      return;
    }
    if (elapsedMs >= this.#heartbeatMs) {
      this.#timer.zero(this.#nowMs);
      this.#batch.update();
      this.#sendToAll();
    }
    this.#checkQuorum();
  }

  #sendToAll(): void {
    for (const [node, peer] of this.#peers) this.#sendAppendEntries(node, peer, seqno(peer.sentSeqno + 1));
  }

  /** Our `eagerSend`: what a peer has not been sent leaves at the end of the owner's turn instead of with the next heartbeat. */
  #sendUnsent(): void {
    if (this.#role !== "primary") return;
    for (const [node, peer] of this.#peers) this.#sendBacklog(node, peer);
  }

  #sendBacklog(node: NodeId, peer: PeerProgress): void {
    if (peer.sentSeqno >= this.#log.lastSeqno || !this.#sender.mayFill(peer)) return;
    this.#sendAppendEntries(node, peer, seqno(peer.sentSeqno + 1));
  }

  #sendAppendEntries(node: NodeId, peer: PeerProgress, start: Seqno): void {
    for (const message of this.#sender.burst(peer, start, this.#view)) this.#send(node, message);
  }

  #send(to: NodeId, message: ConsensusMessage): void {
    this.#gate.send(to, message);
  }

  // Spec §14: who handles what.

  #receive(from: NodeId, message: ConsensusMessage, entries: readonly E[]): void {
    if (from === this.id || !isWellFormed(message)) return;
    switch (message.type) {
      case "append-entries":
        this.#receiveAppendEntries(from, message, entries);
        break;
      case "append-entries-response":
        this.#receiveAppendEntriesResponse(from, message);
        break;
      case "request-vote":
        this.#receiveRequestVote(from, message);
        break;
      case "request-vote-response":
        this.#receiveRequestVoteResponse(from, message);
        break;
      case "propose-request-vote":
        this.#receiveProposeRequestVote(message);
        break;
      default:
        message satisfies never;
    }
  }

  // Spec §8: receiving append-entries. The sender need not be known.

  #receiveAppendEntries(from: NodeId, message: AppendEntries, entries: readonly E[]): void {
    // §8.1
    const sameView = message.view === this.#view;
    if (sameView && this.#role === "primary") return; // two primaries in one view: excluded by §15 MoreThanOneLeaderInv
    if (message.view > this.#view || (sameView && this.#isCandidate())) this.#becomeAwareOfNewView(message.view);
    if (message.view < this.#view) {
      this.#nack(from);
      return;
    }

    // §8.2. Nothing is truncated here, whatever the role.
    const prevView = this.#log.viewOf(message.prevSeqno);
    if (prevView !== message.prevView) {
      if (prevView === 0) this.#nack(from);
      else this.#nackEstimate(from, message.prevView, message.prevSeqno);
      return;
    }

    // §8.3
    this.#timer.restart(this.#nowMs);
    this.#primary = from;
    this.#announce();
    if (message.prevSeqno < this.#log.commitSeqno || message.prevSeqno > this.#log.lastSeqno) return;

    // §8.4
    const heldTo = seqno(Math.min(message.seqno, this.#log.lastSeqno));
    const conflict = this.#log.history.firstOutside(message.viewOfSeqno, message.prevSeqno, heldTo);
    if (conflict !== undefined) {
      if (!this.#isNewFollower) return; // a late message of this view, which has had its one truncation (§16 B10)
      this.#isNewFollower = false;
      this.#rollback(seqno(conflict - 1));
    }
    if (this.#log.lastSeqno < message.seqno && entries.length < message.seqno - message.prevSeqno) {
      this.#nack(from); // something that is needed did not decode: nothing is executed
      return;
    }

    // §8.5
    while (this.#log.lastSeqno < message.seqno) {
      const entry = entries[this.#log.lastSeqno - message.prevSeqno];
      // §7.5: header and payload may disagree. What was appended before stays.
      if (entry === undefined || !this.#isNext(entry, message.viewOfSeqno)) {
        this.#nack(from);
        return;
      }
      this.#append(entry);
      this.#outputs.append(entry);
      if (entry.signature) this.#commitIfPossible(message);
    }
    this.#commitIfPossible(message);
    this.#ack(from, message.seqno);
  }

  #isCandidate(): boolean {
    return this.#role === "candidate" || this.#role === "pre-vote-candidate";
  }

  /**
   * §8.5 `commit_if_possible`, with one more bound. The spec asks for the highest signature at or below the primary's commit
   * seqno. But the log may go on behind `message.seqno` with signatures of an older view that this message says nothing of: a
   * late NACK made the primary start low, and its first message ends where its next view begins. What the message covers
   * is what is known to be equal, so no more than that is committed; the rest follows with the next message.
   */
  #commitIfPossible(message: AppendEntries): void {
    const limit = seqno(Math.min(message.commitSeqno, message.seqno));
    const to = this.#log.committable.highestAtOrBelow(limit);
    if (to !== undefined) this.#commit(to);
  }

  // Spec §8.6: the three replies.

  /** Says that the entries up to the seqno of that very message are held, and nothing about later ones (spec §16 B5). */
  #ack(to: NodeId, lastSeqno: Seqno): void {
    this.#gate.send(to, { type: "append-entries-response", view: this.#view, lastSeqno, success: true }, lastSeqno);
  }

  #nack(to: NodeId): void {
    const { lastSeqno } = this.#log;
    this.#send(to, { type: "append-entries-response", view: this.#view, lastSeqno, success: false });
  }

  /** The view is that of the estimate, not ours: it may be far older. */
  #nackEstimate(to: NodeId, of: View, at: Seqno): void {
    const lastSeqno = this.#log.highestPossibleMatch(of, at);
    this.#send(to, {
      type: "append-entries-response",
      view: this.#log.viewOf(lastSeqno),
      lastSeqno,
      success: false,
    });
  }

  // Spec §8.8: the primary receives a response.

  #receiveAppendEntriesResponse(from: NodeId, message: AppendEntriesResponse): void {
    const peer = this.#peers.get(from);
    if (peer === undefined || this.#role !== "primary") return;
    peer.lastAckMs = this.#nowMs;
    if (message.view > this.#view) {
      this.#becomeAwareOfNewView(message.view);
      return;
    }
    if (!message.success) {
      // A NACK of whatever age is a hint where to go on, and never progress (spec §16 B3, B8, B13).
      const match = this.#log.highestPossibleMatch(message.view, message.lastSeqno);
      peer.sentSeqno = seqno(Math.max(Math.min(match, peer.sentSeqno), peer.matchSeqno));
      return;
    }
    if (message.view !== this.#view || message.lastSeqno < peer.matchSeqno) return;
    if (message.lastSeqno > this.#log.lastSeqno) return; // was never sent in this view: a forgery, which must not count later
    peer.matchSeqno = message.lastSeqno;
    this.#updateCommit();
    if (this.#role === "primary" && this.#sender.bounded) this.#sendBacklog(from, peer);
  }

  /** §8.9. This node counts itself only where it is a member, and in `durable` mode only up to its durable seqno. */
  #updateCommit(): void {
    const own = this.durableSeqno;
    const agreed = this.#log.configurations.agreedSeqno((node) =>
      node === this.id ? own : (this.#peers.get(node)?.matchSeqno ?? seqno(0)),
    );
    const to = agreed && this.#log.committable.highestAtOrBelow(agreed);
    // Never an entry of an older view by itself (spec §16 B2): wait for a signature of this one.
    if (to !== undefined && this.#log.viewOf(to) === this.#view) this.#commit(to);
  }

  /** §8.10. */
  #commit(to: Seqno): void {
    const { configurationDropped, retired } = this.#log.commit(to);
    this.#outputs.push({ type: "commit", seqno: to });
    if (configurationDropped) {
      this.#refreshPeers();
      this.#askForCleanup();
    }
    if (retired.length > 0) this.#retiredCommitted(retired);
  }

  #persisted(token: number): void {
    this.#gate.persisted(token);
    if (this.#role === "candidate") this.#countOwnVote();
    if (this.#role === "primary") this.#updateCommit();
  }

  // Spec §9: elections.

  /** §9.1. The last view number there is (`VIEW_MAX`) cannot be followed by another. */
  #mayCampaign(): boolean {
    return (
      this.#role !== "primary" &&
      this.#log.retirement.phase !== "retired-committed" &&
      this.#log.ticking &&
      this.#log.configurations.newest !== undefined &&
      this.#view < VIEW_MAX
    );
  }

  #startElection(): void {
    if (this.#preVote) this.#becomePreVoteCandidate();
    else this.#becomeCandidate();
  }

  /** §9.3. View and vote stay. */
  #becomePreVoteCandidate(): void {
    this.#role = "pre-vote-candidate";
    this.#primary = undefined;
    this.#timer.restart(this.#nowMs);
    this.#announce();
    this.#votes.clear();
    this.#requestVotes(ELECTION_PRE_VOTE);
    this.#addVote(this.id);
  }

  /** §9.4. */
  #becomeCandidate(): void {
    this.#role = "candidate";
    this.#primary = undefined;
    this.#setHardState(view(this.#view + 1), this.id);
    this.#timer.restart(this.#nowMs);
    this.#peers.restartAckTimers(this.#nowMs);
    this.#announce();
    this.#votes.clear();
    this.#requestVotes(ELECTION_REGULAR);
    this.#countOwnVote();
  }

  /** In `durable` mode an own vote is worth as much as a peer's: nothing until it cannot be forgotten. */
  #countOwnVote(): void {
    if (this.#gate.hardStateDurable) this.#addVote(this.id);
  }

  #requestVotes(election: ElectionType): void {
    const lastCommittableSeqno = this.#log.lastCommittableSeqno; // never the last entry (spec §16 B11)
    const viewOfLastCommittableSeqno = this.#log.viewOf(lastCommittableSeqno);
    for (const node of this.#log.configurations.nodes) {
      if (node === this.id) continue;
      this.#send(node, {
        type: "request-vote",
        view: this.#view,
        lastCommittableSeqno,
        viewOfLastCommittableSeqno,
        election,
      });
    }
  }

  /** Elected when a majority of every active configuration has granted. */
  #addVote(from: NodeId): void {
    this.#votes.add(from);
    if (!this.#log.configurations.everyQuorum((node) => this.#votes.has(node))) return;
    if (this.#role === "pre-vote-candidate") this.#becomeCandidate();
    else if (this.#role === "candidate") this.#becomePrimary();
  }

  /** §9.5. */
  #becomePrimary(): void {
    if (this.#log.retirement.phase === "retired-committed") return;
    // The spec keeps the tail while nothing is committed, for the sake of a genesis entry. With a signature above it that
    // reason is gone, and a restarted node whose commit hint was lost must not continue an unsigned tail of an older view.
    if (this.#log.lastCommittableSeqno > 0) this.#rollback(this.#log.lastCommittableSeqno);
    this.#role = "primary";
    this.#primary = this.id;
    this.#shouldSign = true;
    this.#timer.zero(this.#nowMs);
    this.#peers.restartAckTimers(this.#nowMs);
    this.#announce();
    if (this.#isAlone()) this.#updateCommit();
    for (const [node, peer] of this.#peers) {
      peer.matchSeqno = seqno(0);
      peer.sentSeqno = this.#log.lastSeqno;
      this.#sendAppendEntries(node, peer, seqno(this.#log.lastSeqno + 1));
    }
    this.#askForCleanup(); // an earlier primary may have died between the two retirement entries (spec §16 B14)
  }

  /** §9.5, same view: drops the unsigned tail, and keeps what is signed even if uncommitted (spec §16 B7). */
  #becomeBackup(): void {
    this.#role = "backup";
    this.#primary = undefined;
    this.#timer.restart(this.#nowMs);
    this.#peers.restartAckTimers(this.#nowMs);
    this.#rollback(this.#log.lastCommittableSeqno);
    this.#announce();
  }

  /**
   * §9.5 `become_aware_of_new_term`; also for append-entries of the same view received as a candidate. There the spec
   * forgets the vote, "safe as the term already has its leader". It is not: a later pre-vote of this node forgets that
   * primary as well, and then a late vote request of the same view would get a second vote. The vote lasts as long as the view.
   */
  #becomeAwareOfNewView(of: View): void {
    if (of > this.#view) this.#setHardState(of, undefined);
    this.#votes.clear();
    this.#becomeBackup();
    this.#isNewFollower = true;
  }

  /** §9.6: a primary that hears from no majority of some configuration steps down, in the same view. */
  #checkQuorum(): void {
    const heard = this.#log.configurations.everyQuorum(
      (node) => node === this.id || this.#nowMs - (this.#peers.get(node)?.lastAckMs ?? 0) < this.#electionTimeoutMs,
    );
    if (!heard && this.#log.configurations.newest !== undefined) this.#becomeBackup();
  }

  /** §9.7. The sender need not be known, and a retired node answers too. */
  #receiveRequestVote(from: NodeId, message: RequestVote): void {
    const { election } = message;
    if (this.#view > message.view) {
      this.#vote(from, false, election);
      return;
    }
    if (this.#view < message.view) this.#becomeAwareOfNewView(message.view);
    const regular = election !== ELECTION_PRE_VOTE;
    const free = this.#primary === undefined && (this.#votedFor === undefined || this.#votedFor === from);
    const granted = this.#isUpToDate(message) && (free || !regular);
    if (granted && regular) {
      this.#timer.restart(this.#nowMs);
      this.#setHardState(this.#view, from);
    }
    this.#vote(from, granted, election);
  }

  /** Compares last signatures, by view and then by seqno. */
  #isUpToDate({ lastCommittableSeqno, viewOfLastCommittableSeqno }: RequestVote): boolean {
    const own = this.#log.lastCommittableSeqno;
    const viewOfOwn = this.#log.viewOf(own);
    return (
      viewOfLastCommittableSeqno > viewOfOwn ||
      (viewOfLastCommittableSeqno === viewOfOwn && lastCommittableSeqno >= own)
    );
  }

  #vote(to: NodeId, granted: boolean, election: ElectionType): void {
    this.#send(to, { type: "request-vote-response", view: this.#view, granted, election });
  }

  /** §9.8. */
  #receiveRequestVoteResponse(from: NodeId, message: RequestVoteResponse): void {
    const awaited = message.election === ELECTION_PRE_VOTE ? "pre-vote-candidate" : "candidate";
    if (this.#role !== awaited || this.#peers.get(from) === undefined) return;
    if (message.view > this.#view) {
      this.#becomeAwareOfNewView(message.view);
      return;
    }
    if (message.view === this.#view && message.granted) this.#addVote(from);
  }

  /** §9.9: a retiring primary names this node as its successor. No pre-vote, no waiting. */
  #receiveProposeRequestVote(message: ProposeRequestVote): void {
    const { phase } = this.#log.retirement;
    if (phase === "retired-committed" || !this.#log.ticking || message.view !== this.#view) return;
    if (this.#log.configurations.newest !== undefined && this.#view < VIEW_MAX) this.#becomeCandidate();
  }

  // Spec §10.3: peer records.

  /** A record for every other node of an active configuration. None is removed here. */
  #refreshPeers(): void {
    const added = this.#log.configurations.nodes.filter(
      (node) => node !== this.id && this.#peers.get(node) === undefined,
    );
    if (added.length === 0) return;
    const { lastSeqno } = this.#log;
    const records = added.map((node) => [node, this.#peers.add(node, lastSeqno, this.#nowMs)] as const);
    this.#reportPeers();
    if (this.#role !== "primary") return;
    // The new node answers this heartbeat with its own last seqno, and catching up begins.
    for (const [node, peer] of records) this.#sendAppendEntries(node, peer, seqno(lastSeqno + 1));
  }

  #reportPeers(): void {
    this.#outputs.push({ type: "peers", nodes: this.#peers.ids });
  }

  // Spec §11: retirement.

  /** §11.3. */
  #askForCleanup(): void {
    const nodes = this.#log.removedNodes.unmarked;
    if (this.#role === "primary" && nodes.length > 0) this.#outputs.push({ type: "cleanup-retired", nodes });
  }

  /**
   * §11.4. Others go first: none of them can then be named successor. A node that is in an active configuration keeps its
   * record; no sound log retires it, and without a record it would count in quorums and never be sent anything.
   */
  #retiredCommitted(nodes: readonly NodeId[]): void {
    const gone = nodes.filter((node) => !this.#log.configurations.includes(node) && this.#peers.delete(node));
    if (gone.length > 0) this.#reportPeers();
    if (nodes.includes(this.id) && this.#log.retirement.finish()) this.#becomeRetiredCommitted();
  }

  /** §11.5. Terminal: the node still answers, and never leads or campaigns again. */
  #becomeRetiredCommitted(): void {
    if (this.#role === "primary") {
      const successor = this.#successor();
      if (successor !== undefined) this.#send(successor, { type: "propose-request-vote", view: this.#view });
    }
    this.#role = "none";
    this.#primary = undefined;
    this.#announce();
  }

  /** The peer with the most, then the one in the newest configuration, then the one with the lowest id. */
  #successor(): NodeId | undefined {
    let best: { readonly node: NodeId; readonly matchSeqno: Seqno; readonly configuration: Seqno } | undefined;
    for (const [node, { matchSeqno }] of this.#peers) {
      const configuration = this.#log.configurations.newestSeqnoOf(node);
      const better =
        best === undefined ||
        matchSeqno > best.matchSeqno ||
        (matchSeqno === best.matchSeqno && configuration > best.configuration);
      if (better) best = { node, matchSeqno, configuration };
    }
    return best?.node;
  }

  // Spec §12: bootstrap, join, recovery; and our restart (§3.1).

  /** §12.1, §12.3 `force_become_primary`. */
  #start(): void {
    assert(this.#primary === undefined, "a service is started only where no primary is known");
    assert(this.#view + STARTING_VIEW_INCREMENT <= VIEW_MAX, "view numbers are not used up");
    this.#setHardState(view(this.#view + STARTING_VIEW_INCREMENT), this.id);
    this.#becomePrimary();
  }

  /** §12.2 `init_as_backup`. */
  #join(input: Extract<Input<E>, { type: "join" }>): void {
    assert(this.#view === 0 && input.view > 0, "only a node that has seen nothing yet joins");
    this.#log.join(input.seqno, input.viewHistory, input.configurations ?? []);
    this.#gate.startAt(input.seqno);
    this.#refreshPeers();
    this.#becomeAwareOfNewView(input.view);
  }

  /**
   * A restarted node is a backup that has heard of no primary. Its unsigned tail stays until a new view or a conflict drops
   * it, as for any backup. Whether the one truncation of this view was used up is not remembered; a second one is safe,
   * since a conflict is always proven, and without it the node could be stuck for the view.
   */
  #restore(of: View, votedFor: NodeId | undefined): void {
    assert(of >= this.#log.viewOf(this.#log.lastSeqno), "the restored view is at least that of the last entry");
    this.#view = of;
    this.#votedFor = votedFor;
    this.#isNewFollower = true;
    if (of > 0 && this.#log.retirement.phase !== "retired-committed") this.#role = "backup";
    this.#refreshPeers();
    this.#announce();
  }
}
