/**
 * One node of the replicated log: the public face of the core (consensus spec §2, §12, §14). Sans-IO: inputs and the time go
 * into `handle`, outputs are polled. Read it with the spec beside it; where the rules of each section are is said in `replica-state.ts`.
 *
 * Where the core differs from the spec, for safety (each is explained in place and has a test):
 *   - a backup commits at most up to the seqno of the message it accepted (`Backup`, §8.5);
 *   - a vote is forgotten only in a new view (`ReplicaState.becomeAwareOfNewView`, §9.5);
 *   - a new primary drops its unsigned tail also when it has signatures but no commit yet (`Elections.becomePrimary`, §9.5);
 * and for liveness:
 *   - a pre-vote candidate that hears from its primary keeps its unsigned tail (`Backup`, §8.1).
 */
import { type ConsensusMessage, type NodeId, type Seqno, type TxId, VIEW_MAX, type View, view } from "@sealane/wire";
import { assert } from "./assert.js";
import { Backup } from "./backup.js";
import { Elections } from "./elections.js";
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
import { Membership } from "./membership.js";
import type { PeerProgress } from "./peers.js";
import { Primary } from "./primary.js";
import { Reads } from "./reads.js";
import { ReplicaState } from "./replica-state.js";
import { Transfers } from "./transfer.js";
import { isWellFormed } from "./well-formed.js";

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
  readonly #state: ReplicaState<E>;
  readonly #membership: Membership<E>;
  readonly #primary: Primary<E>;
  readonly #backup: Backup<E>;
  readonly #elections: Elections<E>;
  readonly #transfers: Transfers<E>;
  readonly #reads: Reads<E>;
  #clockStarted: boolean;

  constructor(options: ReplicaOptions) {
    this.#state = new ReplicaState(options);
    this.#membership = new Membership(this.#state);
    this.#transfers = new Transfers(this.#state);
    this.#reads = new Reads(this.#state);
    this.#primary = new Primary(this.#state, this.#membership);
    this.#backup = new Backup(this.#state, this.#membership);
    this.#elections = new Elections(this.#state, this.#membership, this.#primary, options);
    this.#clockStarted = options.nowMs !== undefined;
    if (options.restored !== undefined) this.#restart();
  }

  // Getters.

  get id(): NodeId {
    return this.#state.id;
  }

  get view(): View {
    return this.#state.view;
  }

  get votedFor(): NodeId | undefined {
    return this.#state.votedFor;
  }

  get role(): Role {
    return this.#state.role;
  }

  /** The primary of the present view, if it is known. */
  get primary(): NodeId | undefined {
    return this.#state.primary;
  }

  /** Elections are allowed: this node has seen its own membership signed (spec §9.1). */
  get ticking(): boolean {
    return this.#state.log.ticking;
  }

  get lastSeqno(): Seqno {
    return this.#state.log.lastSeqno;
  }

  get commitSeqno(): Seqno {
    return this.#state.log.commitSeqno;
  }

  /** The last signature held, or else the commit seqno (spec §3.2 *lci*). */
  get lastCommittableSeqno(): Seqno {
    return this.#state.log.lastCommittableSeqno;
  }

  /** Signatures held above the commit seqno, ascending. */
  get committableSeqnos(): readonly Seqno[] {
    return this.#state.log.committable.all;
  }

  /** Entries up to here survive a restart. In `ephemeral` mode: the last seqno. */
  get durableSeqno(): Seqno {
    return this.#state.gate.durableSeqno(this.#state.log.lastSeqno);
  }

  get viewHistory(): readonly ViewStart[] {
    return this.#state.log.history.starts;
  }

  /** The active configurations, oldest (current) first. */
  get configurations(): readonly Configuration[] {
    return this.#state.log.configurations.all;
  }

  /** Nodes of all active configurations, ascending. */
  get activeNodes(): readonly NodeId[] {
    return this.#state.log.configurations.nodes;
  }

  /** Undefined while this node is not being retired (spec §11.1). */
  get retirementPhase(): RetirementPhase | undefined {
    return this.#state.log.retirement.phase;
  }

  /** Nodes removed by a committed configuration that may not be switched off yet, ascending (spec §11.2). */
  get removedNodes(): readonly NodeId[] {
    return this.#state.log.removedNodes.removed;
  }

  /**
   * Sign at once: a primary has not yet signed in its view (spec §5), reads wait for an entry whose acknowledgements confirm them, or
   * what a transfer must not lose is unsigned.
   */
  get shouldSign(): boolean {
    if (this.#state.role !== "primary") return false;
    return this.#state.shouldSign || this.#reads.needsSignature || this.#transfers.needsSignature;
  }

  /** The node this primary hands over to. Hold back what clients write meanwhile, or the target never holds everything. */
  get transferringTo(): NodeId | undefined {
    return this.#transfers.target;
  }

  /** Too much is uncommitted: answer clients with a retryable error (spec §6). */
  get atCapacity(): boolean {
    return this.#state.uncommittedMax !== 0 && this.lastSeqno - this.commitSeqno >= this.#state.uncommittedMax;
  }

  /** Ascending by node. Meaningful on the primary. */
  get peers(): readonly PeerState[] {
    return Array.from(this.#state.peers, ([node, progress]) => ({ node, ...progress }));
  }

  /** The view of an entry; 0 when the log does not hold it (spec §3.2). */
  viewAt(at: Seqno): View {
    return this.#state.log.viewOf(at);
  }

  /** What to tell a client about a transaction id (spec §4). */
  status(txId: TxId): TxStatus {
    return this.#state.log.status(txId);
  }

  // Inputs and outputs (spec §2).

  /** @param nowMs - the owner's monotonic clock. A step back counts as no time passed. */
  handle(input: Input<E>, nowMs: number): void {
    this.#state.outputs.resume();
    this.#setClock(nowMs);
    switch (input.type) {
      case "tick":
        this.#tick();
        break;
      case "message":
        this.#receive(input.from, input.message, input.entries ?? []);
        break;
      case "replicate":
        this.#primary.replicate(input.view, input.entries);
        break;
      case "flush":
        if (this.#state.eagerSend) this.#primary.sendUnsent();
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
      case "read":
        this.#reads.request(input.token);
        break;
      case "transfer":
        this.#transfers.request(input.to);
        break;
      case "start-ticking":
        this.#state.log.startTicking();
        break;
      default:
        input satisfies never;
    }
    this.#endInput();
  }

  /** The next output, or undefined after the `wait` that ends each input's outputs. */
  pollOutput(): Output<E> | undefined {
    return this.#state.outputs.poll();
  }

  #setClock(nowMs: number): void {
    const state = this.#state;
    if (this.#clockStarted) {
      state.nowMs = Math.max(state.nowMs, nowMs);
      return;
    }
    this.#clockStarted = true;
    state.nowMs = nowMs;
    state.peers.restartAckTimers(nowMs);
    this.#startTimers();
  }

  /** Once the time is known, with the first input at the latest. */
  #startTimers(): void {
    const { role, timer, nowMs } = this.#state;
    this.#rememberContact();
    if (role === "none") timer.zero(nowMs);
    else timer.restart(nowMs); // restarted: nodes that come back together do not campaign together
  }

  /** What must be stored comes out before what is sent; what is sent waits in the gate for what it depends on. */
  #endInput(): void {
    const { gate, hardState, log, outputs } = this.#state;
    this.#state.announce();
    this.#reads.settle();
    this.#transfers.settle();
    const request = gate.nextToken(log.lastSeqno);
    if (request !== undefined) {
      outputs.push({ type: "persist", token: request.token, ...(request.hardState ? { hardState } : {}) });
    }
    for (const { to, message } of gate.release()) outputs.push({ type: "send", to, message });
    outputs.push({ type: "wait", untilMs: this.#dueMs() });
  }

  #dueMs(): number {
    const { role, timer, heartbeatMs, electionTimeoutMs } = this.#state;
    if (role === "primary") return timer.reachesMs(heartbeatMs);
    const campaignMs = this.#elections.mayCampaign ? timer.reachesMs(electionTimeoutMs) : Number.POSITIVE_INFINITY;
    return Math.min(campaignMs, this.#transfers.deadlineMs);
  }

  /** §7.1, §9.1. */
  #tick(): void {
    const { role, timer, nowMs, heartbeatMs, electionTimeoutMs } = this.#state;
    if (role === "primary") {
      if (timer.elapsedMs(nowMs) >= heartbeatMs) this.#primary.heartbeat();
      this.#elections.checkQuorum(); // on every tick, also those that do not send
    } else if (this.#elections.mayCampaign && timer.elapsedMs(nowMs) >= electionTimeoutMs) {
      this.#elections.start();
    }
  }

  /** §14. */
  #receive(from: NodeId, message: ConsensusMessage, entries: readonly E[]): void {
    if (from === this.id || !isWellFormed(message)) return;
    switch (message.type) {
      case "append-entries":
        this.#backup.receiveAppendEntries(from, message, entries);
        break;
      case "append-entries-response":
        this.#primary.receiveResponse(from, message);
        break;
      case "request-vote":
        this.#elections.receiveRequestVote(from, message);
        break;
      case "request-vote-response":
        this.#elections.receiveRequestVoteResponse(from, message);
        break;
      case "propose-request-vote":
        this.#elections.receiveProposeRequestVote(message);
        break;
      default:
        message satisfies never;
    }
  }

  #persisted(token: number): void {
    this.#state.gate.persisted(token);
    if (this.#state.role === "candidate") this.#elections.countOwnVote();
    if (this.#state.role === "primary") this.#primary.updateCommit();
  }

  // Bootstrap, join, recovery (spec §12), and our restart (§3.1).

  /** §12.1, §12.3 `force_become_primary`. */
  #start(): void {
    const state = this.#state;
    assert(state.primary === undefined, "a service is started only where no primary is known");
    assert(state.view + STARTING_VIEW_INCREMENT <= VIEW_MAX, "view numbers are not used up");
    state.setHardState(view(state.view + STARTING_VIEW_INCREMENT), state.id);
    this.#elections.becomePrimary();
  }

  /** §12.2 `init_as_backup`. */
  #join(input: Extract<Input<E>, { type: "join" }>): void {
    const state = this.#state;
    assert(state.view === 0 && input.view > 0, "only a node that has seen nothing yet joins");
    state.log.join(input.seqno, input.viewHistory, input.configurations ?? []);
    state.gate.startAt(input.seqno);
    this.#membership.refreshPeers();
    state.becomeAwareOfNewView(input.view);
  }

  /**
   * A restarted node is a backup that has heard of no primary. Its unsigned tail stays until a new view or a conflict drops
   * it, as for any backup. Whether the one truncation of this view was used up is not remembered; a second one is safe,
   * since a conflict is always proven, and without it the node could be stuck for the view.
   */
  #restart(): void {
    const state = this.#state;
    assert(state.view >= state.log.viewOf(state.log.lastSeqno), "the restored view is at least that of the last entry");
    state.isNewFollower = true;
    if (state.view > 0 && !state.isRetiredCommitted) state.role = "backup";
    if (this.#clockStarted) this.#startTimers();
    this.#membership.refreshPeers();
    state.announce();
  }

  /** With `readLease`: this node may have promised a primary its loyalty just before it stopped, and no longer knows. */
  #rememberContact(): void {
    const { contact, lease, nowMs, view } = this.#state;
    if (lease !== undefined && view > 0) contact.heard(nowMs);
  }
}
