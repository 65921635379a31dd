/**
 * The world of a scenario (raft-scenarios spec §2): replicas, their ledgers and outgoing queues, and the links between them.
 * Nothing moves until it is told to, and all loops over nodes are in ascending string order.
 */
import { type ConsensusMessage, type NodeId, seqno, type View, view } from "@sealane/wire";
import { type Configuration, Replica, type RestoredState } from "../../src/index.js";
import { Invariants, type StoredEntry } from "../support/invariants.js";

const HEARTBEAT_MS = 10;
const ELECTION_TIMEOUT_MS = 100;

export interface Queued {
  readonly to: NodeId;
  readonly message: ConsensusMessage;
}

export class ScenarioNode {
  readonly id: NodeId;
  readonly replica: Replica<StoredEntry>;
  readonly ledger: StoredEntry[] = [];
  readonly outgoing: Queued[] = [];
  #nowMs = 0;

  constructor(id: NodeId, options: { preVote: boolean; random: (max: number) => number; restored?: RestoredState }) {
    this.id = id;
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

  handle(input: Parameters<Replica<StoredEntry>["handle"]>[0]): void {
    this.replica.handle(input, this.#nowMs);
    for (let output = this.replica.pollOutput(); output !== undefined; output = this.replica.pollOutput()) {
      if (output.type === "append") this.ledger.push(...output.entries);
      if (output.type === "rollback") this.ledger.length = output.to;
      if (output.type === "send") this.outgoing.push({ to: output.to, message: output.message });
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
    this.ledger.push(stored);
    this.handle({ type: "replicate", view, entries: [stored] });
  }
}

export class World {
  readonly invariants = new Invariants();
  readonly #random: (max: number) => number;
  readonly #nodes = new Map<NodeId, ScenarioNode>();
  /** Directed pairs, `from>to`. */
  readonly #links = new Set<string>();
  preVote = false;

  constructor(random: (max: number) => number) {
    this.#random = random;
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
    const restored = configuration && bootstrapState(configuration);
    const options = { preVote: this.preVote, random: this.#random, ...(restored && { restored }) };
    const node = new ScenarioNode(id, options);
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
  dispatch(from: ScenarioNode, { to, message }: Queued): boolean {
    if (!this.#links.has(`${from.id}>${to}`)) return false;
    const entries = message.type === "append-entries" ? from.ledger.slice(message.prevSeqno, message.seqno) : [];
    if (message.type === "append-entries" && entries.length < message.seqno - message.prevSeqno) return false;
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
    for (let round = 0; round < 5 && this.nodes.some((node) => node.outgoing.length > 0); round++)
      this.dispatchAllOnce();
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
