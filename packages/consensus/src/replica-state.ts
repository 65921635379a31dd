/**
 * The variables of one replica (consensus spec §3.2) and the few changes that several sections share. The rules are in
 * `membership.ts` (§8.10, §10, §11), `primary.ts` (§6, §7, §8.8, §8.9), `backup.ts` (§8.1–§8.7) and `elections.ts` (§9);
 * each may use those before it in this list and none after it. State that has invariants of its own is in pieces (`Log`, `Peers`, ...).
 */
import { type ConsensusMessage, type NodeId, type Seqno, seqno, type View, view } from "@sealane/wire";
import { AppendSender } from "./append-sender.js";
import { assert } from "./assert.js";
import { BatchSize } from "./batch-size.js";
import { DurabilityGate } from "./durability-gate.js";
import { ElectionTimer } from "./election-timer.js";
import type { Entry, HardState, ReplicaOptions, Role } from "./interface.js";
import { Log } from "./log.js";
import { OutputQueue } from "./output-queue.js";
import { type PeerProgress, Peers } from "./peers.js";
import { PrimaryContact } from "./primary-contact.js";
import { ReadLease } from "./read-lease.js";

const ELECTION_TIMEOUT_MS = 5_000; // spec §3.2
const HEARTBEAT_MS = 100; // spec §3.2
const UNCOMMITTED_MAX = 10_000; // entries, spec §3.2
/** Bytes. A sixty-fourth of the largest frame between nodes, and far above the 20,000 that batches aim at. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

export class ReplicaState<E extends Entry> {
  readonly id: NodeId;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly uncommittedMax: number;

  readonly log: Log;
  readonly peers = new Peers();
  /** New entries leave at the end of the owner's turn, in messages as large as they may be. */
  readonly eagerSend: boolean;
  /** A retired-committed peer is told so before its record goes. */
  readonly tellRetired: boolean;
  readonly batch = new BatchSize();
  readonly sender: AppendSender;
  readonly gate: DurabilityGate;
  readonly timer: ElectionTimer;
  readonly contact: PrimaryContact;
  /** With `readLease` only. */
  readonly lease: ReadLease | undefined;
  readonly outputs = new OutputQueue<E>();

  role: Role = "none";
  #hardState: HardState = { view: view(0), votedFor: undefined };
  /** Of the present view, if it is known. */
  primary: NodeId | undefined;
  /** Who granted this candidacy, this node included. */
  readonly votes = new Set<NodeId>();
  /** One truncation for a proven conflict is allowed (spec §8.4). */
  isNewFollower = false;
  /** As primary: nothing is signed in this view yet (spec §5). */
  shouldSign = false;
  /** The time of the present input. Never goes back. */
  nowMs: number;

  constructor(options: ReplicaOptions) {
    const { restored } = options;
    this.id = options.id;
    this.electionTimeoutMs = options.electionTimeoutMs ?? ELECTION_TIMEOUT_MS;
    this.heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
    assert(0 < this.heartbeatMs && this.heartbeatMs < this.electionTimeoutMs, "heartbeats are faster than elections");
    this.uncommittedMax = options.uncommittedMax ?? UNCOMMITTED_MAX;
    this.log = new Log(options.id, restored);
    this.eagerSend = options.eagerSend ?? false;
    this.tellRetired = options.tellRetired ?? false;
    this.sender = new AppendSender(this.log, this.batch, {
      adaptive: !this.eagerSend,
      messageBytesMax: options.messageBytesMax ?? MESSAGE_BYTES_MAX,
      inFlightBytesMax: options.inFlightBytesMax ?? Number.POSITIVE_INFINITY,
    });
    this.gate = new DurabilityGate(options.durability, this.log.lastSeqno);
    this.nowMs = options.nowMs ?? 0;
    this.timer = new ElectionTimer(this.electionTimeoutMs, options.random, this.nowMs);
    this.contact = new PrimaryContact(this.electionTimeoutMs);
    this.lease = leaseOf(options, this.contact);
    if (restored !== undefined) this.#hardState = restored.hardState;
  }

  /** Only grows. Invariant: the views of all entries are at most this. */
  get view(): View {
    return this.#hardState.view;
  }

  /** In the present view. Forgotten only when the view grows. */
  get votedFor(): NodeId | undefined {
    return this.#hardState.votedFor;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get isRetiredCommitted(): boolean {
    return this.log.retirement.phase === "retired-committed";
  }

  /** No other node in any active configuration. */
  get isAlone(): boolean {
    return this.log.configurations.nodes.every((node) => node === this.id);
  }

  setHardState(of: View, votedFor: NodeId | undefined): void {
    if (of === this.view && votedFor === this.votedFor) return;
    this.#hardState = { view: of, votedFor };
    this.gate.hardStateSet();
  }

  /** Reports role, view and primary if one of them changed since the last report. */
  announce(): void {
    this.outputs.announce({ type: "role", role: this.role, view: this.view, primary: this.primary });
  }

  rollback(to: Seqno): void {
    if (to === this.log.lastSeqno) return;
    this.log.rollback(to);
    this.gate.rolledBack(to);
    this.outputs.push({ type: "rollback", to });
  }

  send(to: NodeId, message: ConsensusMessage): void {
    this.gate.send(to, message);
  }

  /** §7.2. `start` is above the last entry for a heartbeat. */
  sendAppendEntries(node: NodeId, peer: PeerProgress, start: Seqno = seqno(peer.sentSeqno + 1)): void {
    for (const message of this.sender.burst(peer, start, this.view)) this.send(node, message);
  }

  /** §9.5, same view: drops the unsigned tail, and keeps what is signed even if uncommitted (spec §16 B7). */
  becomeBackup(): void {
    this.role = "backup";
    this.primary = undefined;
    this.timer.restart(this.nowMs);
    this.peers.restartAckTimers(this.nowMs);
    this.rollback(this.log.lastCommittableSeqno);
    this.announce();
  }

  /**
   * §9.5 `become_aware_of_new_term`; also for append-entries of the same view received as a candidate. There the spec
   * forgets the vote, "safe as the term already has its leader". It is not: a later pre-vote of this node forgets that
   * primary as well, and then a late vote request of the same view would get a second vote. The vote lasts as long as the view.
   */
  becomeAwareOfNewView(of: View): void {
    if (of > this.view) this.setHardState(of, undefined);
    this.votes.clear();
    this.becomeBackup();
    this.isNewFollower = true;
  }
}

function leaseOf({ readLease }: ReplicaOptions, { minTimeoutMs }: PrimaryContact): ReadLease | undefined {
  if (readLease === undefined) return undefined;
  const { clockDriftMax, clockStepMs = 0 } = readLease;
  assert(0 <= clockDriftMax && clockDriftMax < 1, "a clock's drift is a part of the time, in [0, 1)");
  assert(0 <= clockStepMs, "a clock is rounded to something, or not at all");
  return new ReadLease(minTimeoutMs, clockDriftMax, clockStepMs);
}
