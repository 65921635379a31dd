/**
 * The world of a scenario (raft-scenarios spec §2): replicas, their ledgers and outgoing queues, and the links between them.
 * Nothing moves until it is told to, and all loops over nodes are in ascending string order.
 */
import {
  type Configuration,
  type Input,
  type Output,
  type ReadRefusal,
  Replica,
  type RestoredState,
  type TransferOutcome,
} from "@sealane/consensus";
import { type ConsensusMessage, type NodeId, seqno, type View, view } from "@sealane/wire";
import { Invariants } from "../invariants/invariants.js";
import { ObservedLog } from "../invariants/observed-log.js";
import { checkRoleChange } from "../invariants/step-properties.js";
import type { StoredEntry } from "../invariants/stored-entry.js";

export const HEARTBEAT_MS = 10;
const ELECTION_TIMEOUT_MS = 100;
const DISPATCH_ROUNDS_MAX = 5;

export interface Queued {
  readonly to: NodeId;
  readonly message: ConsensusMessage;
}

/** What a replica showed before an input. */
export type Before = Pick<
  Replica<StoredEntry>,
  "role" | "view" | "primary" | "lastSeqno" | "commitSeqno" | "configurations" | "retirementPhase" | "peers"
>;

/** Is told what happens in a world, in order. */
export interface WorldObserver {
  /** A node took an input; its replica is as it is afterwards. */
  step(node: ScenarioNode, input: Input<StoredEntry>, before: Before, outputs: readonly Output<StoredEntry>[]): void;
  /** A message was lost: a cut link, a drop command, or entries that are gone from the sender's log. */
  dropped(from: ScenarioNode, queued: Queued): void;
}

interface NodeOptions {
  readonly preVote: boolean;
  readonly leaderStickiness: boolean;
  readonly random: (max: number) => number;
  readonly restored?: RestoredState;
}

export class ScenarioNode {
  readonly id: NodeId;
  readonly preVote: boolean;
  readonly replica: Replica<StoredEntry>;
  readonly log = new ObservedLog();
  readonly outgoing: Queued[] = [];
  /** By token: where a read may read, or why it may not. Waiting reads are missing. */
  readonly answers = new Map<number, number | ReadRefusal>();
  /** What became of the last transfer it was asked for. */
  transferred: TransferOutcome | undefined;
  readonly #observers: readonly WorldObserver[];
  #nowMs = 0;

  constructor(id: NodeId, options: NodeOptions, observers: readonly WorldObserver[]) {
    this.id = id;
    this.preVote = options.preVote;
    this.#observers = observers;
    this.replica = new Replica<StoredEntry>({
      id,
      durability: "ephemeral",
      electionTimeoutMs: ELECTION_TIMEOUT_MS,
      heartbeatMs: HEARTBEAT_MS,
      nowMs: 0,
      ...options,
    });
    this.handle({ type: "start-ticking" });
  }

  /** Index 0 is seqno 1. */
  get ledger(): readonly StoredEntry[] {
    return this.log.entries;
  }

  handle(input: Input<StoredEntry>): void {
    const { replica } = this;
    const { role, view, primary, lastSeqno, commitSeqno, configurations, retirementPhase, peers } = replica;
    const before: Before = { role, view, primary, lastSeqno, commitSeqno, configurations, retirementPhase, peers };
    replica.handle(input, this.#nowMs);
    const outputs: Output<StoredEntry>[] = [];
    for (let output = replica.pollOutput(); output !== undefined; output = replica.pollOutput()) outputs.push(output);
    this.#carryOut(outputs, before);
    for (const observer of this.#observers) observer.step(this, input, before, outputs);
  }

  #carryOut(outputs: readonly Output<StoredEntry>[], before: Before): void {
    let { role } = before;
    for (const output of outputs) {
      if (output.type === "append") this.log.append(...output.entries);
      if (output.type === "rollback") this.log.truncate(output.to);
      if (output.type === "send") this.outgoing.push({ to: output.to, message: output.message });
      if (output.type === "read-ready") this.answers.set(output.token, output.seqno);
      if (output.type === "read-refused") this.answers.set(output.token, output.reason);
      if (output.type === "transfer") this.transferred = output.outcome;
      if (output.type !== "role") continue;
      checkRoleChange(this.id, role, output.role, this.replica.retirementPhase);
      role = output.role;
    }
  }

  tick(elapsedMs: number): void {
    this.#nowMs += elapsedMs;
    this.handle({ type: "tick" });
  }

  /** What the owner of a primary does: ledger first, then consensus; a refused entry comes back as a rollback. */
  replicate(entry: Omit<StoredEntry, "seqno" | "view" | "bytes">): void {
    const { view } = this.replica;
    const stored = { ...entry, view, seqno: seqno(this.ledger.length + 1), bytes: entry.data.length };
    this.log.append(stored);
    this.handle({ type: "replicate", view, entries: [stored] });
  }
}

export class World {
  invariants = new Invariants();
  readonly #random: (max: number) => number;
  readonly #observers: readonly WorldObserver[];
  readonly #nodes = new Map<NodeId, ScenarioNode>();
  /** Directed pairs, `from>to`. */
  readonly #links = new Set<string>();
  /** Of nodes created from now on. */
  preVote = false;
  /** Of nodes created from now on. */
  leaderStickiness = false;

  constructor(random: (max: number) => number, observers: readonly WorldObserver[] = []) {
    this.#random = random;
    this.#observers = observers;
  }

  get nodes(): readonly ScenarioNode[] {
    return this.ids.map((id) => this.node(id));
  }

  get ids(): readonly NodeId[] {
    return [...this.#nodes.keys()].sort();
  }

  has(id: NodeId): boolean {
    return this.#nodes.has(id);
  }

  node(id: NodeId): ScenarioNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  create(id: NodeId, configuration?: Configuration): ScenarioNode {
    if (this.#nodes.has(id)) throw new Error(`node ${id} exists`);
    if (configuration !== undefined) this.invariants = new Invariants("fiat");
    const restored = configuration && bootstrapState(configuration);
    const { preVote, leaderStickiness } = this;
    const options = { preVote, leaderStickiness, random: this.#random, ...(restored && { restored }) };
    const node = new ScenarioNode(id, options, this.#observers);
    this.#nodes.set(id, node);
    return node;
  }

  connect(a: NodeId, b: NodeId): void {
    if (a === b) return;
    this.#links.add(`${a}>${b}`).add(`${b}>${a}`);
  }

  disconnect(a: NodeId, b: NodeId): void {
    this.#links.delete(`${a}>${b}`);
    this.#links.delete(`${b}>${a}`);
  }

  /** The primary of exactly this view, or of the greatest one; with equals the greatest id. */
  primary(of: View | "latest"): ScenarioNode | undefined {
    const primaries = this.nodes.filter((node) => node.replica.role === "primary");
    if (of !== "latest") return primaries.find((node) => node.replica.view === of);
    return primaries.reduce<ScenarioNode | undefined>(
      (best, node) => (best === undefined || node.replica.view >= best.replica.view ? node : best),
      undefined,
    );
  }

  tick(id: NodeId, elapsedMs: number): void {
    this.node(id).tick(elapsedMs);
    this.invariants.check(this.nodes);
  }

  /**
   * §2.1. The link counts when the message is dispatched, and the entries are read then; if one is gone, so is the message.
   * @returns whether it was sent.
   */
  dispatch(from: ScenarioNode, queued: Queued): boolean {
    const { to, message } = queued;
    const entries = message.type === "append-entries" ? from.ledger.slice(message.prevSeqno, message.seqno) : [];
    const gone = message.type === "append-entries" && entries.length < message.seqno - message.prevSeqno;
    if (gone || !this.#links.has(`${from.id}>${to}`)) {
      for (const observer of this.#observers) observer.dropped(from, queued);
      return false;
    }
    this.node(to).handle({ type: "message", from: from.id, message, entries });
    this.invariants.check(this.nodes);
    return true;
  }

  /** Pops and dispatches until `count` messages were sent, or the queue is empty. Dropped ones do not count. */
  dispatchFrom(id: NodeId, count = Number.POSITIVE_INFINITY): void {
    const node = this.node(id);
    for (let sent = 0; sent < count; ) {
      const next = node.outgoing.shift();
      if (next === undefined) return;
      if (this.dispatch(node, next)) sent += 1;
    }
  }

  dispatchAllOnce(): void {
    const counts = this.nodes.map((node) => [node.id, node.outgoing.length] as const);
    for (const [id, count] of counts) this.dispatchFrom(id, count);
  }

  /** At most five rounds; what is left then stays queued. */
  dispatchAll(): void {
    for (let round = 0; round < DISPATCH_ROUNDS_MAX && this.nodes.some(({ outgoing }) => outgoing.length > 0); round++)
      this.dispatchAllOnce();
  }

  /** Discards the queued messages that match. */
  drop(id: NodeId, matches: (queued: Queued) => boolean): void {
    const from = this.node(id);
    for (const queued of from.outgoing.splice(0)) {
      if (!matches(queued)) from.outgoing.push(queued);
      else for (const observer of this.#observers) observer.dropped(from, queued);
    }
  }
}

/** The old `nodes` command: everybody knows a configuration that no log entry tells of. */
function bootstrapState(configuration: Configuration): RestoredState {
  return {
    hardState: { view: view(0), votedFor: undefined },
    viewHistory: [],
    lastSeqno: seqno(0),
    commitSeqno: seqno(0),
    signatures: [],
    configurations: [configuration],
  };
}
