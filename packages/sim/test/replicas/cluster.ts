/**
 * A cluster in memory, driven by one seed: replicas with their ledgers, disks that lose what was not flushed, and a network
 * that loses, duplicates, delays, reorders and partitions. The invariants of consensus spec §15 are checked after every step.
 */
import { type Durability, type HardState, type Input, type Output, Replica, replayLog } from "@sealane/consensus";
import { type ConsensusMessage, type NodeId, type Seqno, seqno, view } from "@sealane/wire";
import { Invariants } from "../../src/invariants/invariants.js";
import { ObservedLog } from "../../src/invariants/observed-log.js";
import { checkRead } from "../../src/invariants/reads.js";
import type { StoredEntry } from "../../src/invariants/stored-entry.js";
import { SeededRandom } from "../../src/random.js";

const ELECTION_TIMEOUT_MS = 100;
const HEARTBEAT_MS = 10;
const IN_FLIGHT_MAX = 200;
const SETTLE_ROUNDS_MAX = 400;

export interface ClusterOptions {
  readonly seed: number;
  readonly replicas: number;
  readonly durability: Durability;
  /** Swap members during the run. */
  readonly reconfigure?: boolean;
  readonly preVote?: boolean;
  readonly eagerSend?: boolean;
  readonly inFlightBytesMax?: number;
  readonly leaderStickiness?: boolean;
  /** Partitions last about ten times as long, and fewer entries are written: primaries that nobody listens to have time to answer reads. */
  readonly quiet?: boolean;
  /** Answer reads by leases. All clocks then follow one time, each with a drift of up to this part. */
  readonly leaseDrift?: number;
}

/** What was asked of a disk, in order. A crash may keep any part of it that comes first. */
type DiskRequest =
  | { readonly type: "append"; readonly entries: readonly StoredEntry[] }
  | { readonly type: "truncate"; readonly to: Seqno }
  | { readonly type: "hard-state"; readonly hardState: HardState }
  | { readonly type: "token"; readonly token: number };

class Disk {
  ledger: StoredEntry[] = [];
  hardState: HardState = { view: view(0), votedFor: undefined };
  requests: DiskRequest[] = [];

  carryOut(request: DiskRequest): void {
    if (request.type === "append") this.ledger.push(...request.entries);
    if (request.type === "truncate") this.ledger.length = Math.min(this.ledger.length, request.to);
    if (request.type === "hard-state") this.hardState = request.hardState;
  }
}

class Node {
  readonly id: NodeId;
  readonly disk = new Disk();
  replica: Replica<StoredEntry>;
  log = new ObservedLog();
  nowMs = 0;
  /** How fast its clock runs. */
  rate = 1;
  toCleanUp: readonly NodeId[] = [];

  constructor(id: NodeId, replica: Replica<StoredEntry>) {
    this.id = id;
    this.replica = replica;
  }
}

interface InFlight {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: ConsensusMessage;
  /** Attached when the message left; undefined: attached when it arrives (spec §7.5 allows both). */
  readonly entries: readonly StoredEntry[] | undefined;
}

export class Cluster {
  readonly invariants = new Invariants();
  readonly #options: ClusterOptions;
  readonly #random: SeededRandom;
  readonly #nodes = new Map<NodeId, Node>();
  #inFlight: InFlight[] = [];
  /** Nodes with different numbers do not reach each other. */
  #side = new Map<NodeId, number>();
  #written = 0;
  restarts = 0;
  /** Reads answered, transfers completed. */
  reads = 0;
  transfers = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    const members = Array.from({ length: options.replicas }, () => this.#addNode());
    const [first] = members;
    if (first === undefined) throw new Error("a cluster has replicas");
    this.#handle(first, { type: "start" });
    this.#write(first, { configuration: [first.id] });
    this.#write(first, { signature: true });
    this.#write(first, { configuration: members.map(({ id }) => id) });
    this.#write(first, { signature: true });
    this.settle();
  }

  get nodes(): readonly Node[] {
    return [...this.#nodes.values()];
  }

  get commitSeqno(): number {
    return this.invariants.committed.length;
  }

  get viewMax(): number {
    return Math.max(...this.nodes.map(({ replica }) => replica.view));
  }

  /** One random event. */
  step(): void {
    const random = this.#random;
    const node = random.pick(this.nodes);
    const dice = random.upTo(999);
    if (random.chance(0.05)) this.#read((random.chance(0.8) ? this.primary : undefined) ?? node);
    if (dice < 600) this.#deliver(random.upTo(Math.max(this.#inFlight.length - 1, 0)));
    else if (dice < 720) this.#tick(node, random.chance(0.02) ? 110 : random.upTo(14));
    else if (dice < 840 && this.#options.quiet === true && random.chance(0.8)) this.#tick(node, random.upTo(14));
    else if (dice < 770) this.#writeSomewhere({});
    else if (dice < 840) this.#writeSomewhere({ signature: true });
    else if (dice < 960) this.#flush(node, random.upTo(node.disk.requests.length));
    else if (dice < 970) this.#handle(node, { type: "flush" });
    else if (dice < 972) this.#partition();
    else if (dice < 980) this.#heal();
    else if (dice < 984) this.handOver(random.pick(this.nodes).id);
    else if (dice < 990) this.#writeRetirement();
    else if (dice < 995) this.#reconfigure();
    else this.#crash(node);
  }

  /** No more faults: a primary emerges, signs, all members end up with one committed log (spec §15.3), and a read is answered. */
  settle(): void {
    this.#side.clear();
    const answered = this.reads;
    for (let round = 0; round < SETTLE_ROUNDS_MAX; round++) {
      for (const node of this.nodes) {
        this.#tick(node, HEARTBEAT_MS);
        this.#flush(node, node.disk.requests.length);
      }
      while (this.#inFlight.length > 0) {
        this.#deliver(0, true);
        for (const node of this.nodes) this.#flush(node, node.disk.requests.length);
      }
      const primary = this.primary;
      if (primary === undefined) continue;
      if (primary.toCleanUp.length > 0) this.#writeRetirement();
      if (primary.replica.shouldSign || !primary.log.entries.at(-1)?.signature)
        this.#write(primary, { signature: true });
      if (!this.#inSync(primary)) continue;
      if (this.reads > answered) return;
      this.#read(primary);
    }
    const states = this.nodes.map(
      ({ id, replica }) => `${id.slice(0, 2)} ${replica.role} ${replica.view}.${replica.lastSeqno}`,
    );
    throw new Error(`no progress without faults: ${states.join("; ")}`);
  }

  get primary(): Node | undefined {
    const primaries = this.nodes.filter(({ replica }) => replica.role === "primary");
    return primaries.sort((a, b) => b.replica.view - a.replica.view)[0];
  }

  #inSync({ replica, log }: Node): boolean {
    if (replica.commitSeqno !== log.length || replica.removedNodes.length > 0) return false;
    return replica.activeNodes.every((id) => {
      const other = this.#nodes.get(id);
      return (
        other !== undefined &&
        other.replica.view === replica.view &&
        other.replica.commitSeqno === replica.commitSeqno &&
        other.log.length === log.length &&
        other.log.holdsPrefix(log, log.length)
      );
    });
  }

  #check(): void {
    this.invariants.check(this.nodes);
  }

  #addNode(): Node {
    const id = this.#nodes.size.toString(16).padStart(64, "0") as NodeId; // 64 lower-case hex digits
    const node = new Node(id, this.#replica(id));
    const { leaseDrift = 0 } = this.#options;
    node.rate = 1 + leaseDrift * (this.#random.upTo(200) / 100 - 1);
    node.nowMs = [...this.#nodes.values()].at(-1)?.nowMs ?? 0;
    this.#nodes.set(id, node);
    return node;
  }

  #replica(id: NodeId, restored?: ReturnType<typeof replayLog>, nowMs = 0): Replica<StoredEntry> {
    const { durability, preVote = false, eagerSend = false, inFlightBytesMax, leaseDrift } = this.#options;
    const { leaderStickiness = false } = this.#options;
    return new Replica<StoredEntry>({
      id,
      durability,
      preVote,
      leaderStickiness,
      eagerSend,
      electionTimeoutMs: ELECTION_TIMEOUT_MS,
      heartbeatMs: HEARTBEAT_MS,
      random: (max) => this.#random.upTo(max),
      nowMs,
      ...(inFlightBytesMax !== undefined && { inFlightBytesMax }),
      ...(leaseDrift !== undefined && { readLease: { clockDriftMax: leaseDrift } }),
      ...(restored !== undefined && { restored }),
    });
  }

  /** The clocks of nodes are independent, unless there are leases: then the time of all goes on, by each node's share of it. */
  #tick(node: Node, elapsedMs: number): void {
    if (this.#options.leaseDrift === undefined) node.nowMs += elapsedMs;
    else for (const each of this.nodes) each.nowMs += (elapsedMs / this.nodes.length) * each.rate;
    this.#handle(node, { type: "tick" });
  }

  #handle(node: Node, input: Input<StoredEntry>): void {
    node.replica.handle(input, node.nowMs);
    for (let output = node.replica.pollOutput(); output !== undefined; output = node.replica.pollOutput()) {
      this.#carryOut(node, output);
    }
    this.#check();
  }

  #carryOut(node: Node, output: Output<StoredEntry>): void {
    switch (output.type) {
      case "append":
        node.log.append(...output.entries);
        node.disk.requests.push({ type: "append", entries: output.entries });
        break;
      case "rollback":
        node.log.truncate(output.to);
        node.disk.requests.push({ type: "truncate", to: output.to });
        break;
      case "persist":
        if (output.hardState) node.disk.requests.push({ type: "hard-state", hardState: output.hardState });
        node.disk.requests.push({ type: "token", token: output.token });
        break;
      case "send":
        this.#send(node, output.to, output.message);
        break;
      case "cleanup-retired":
        node.toCleanUp = output.nodes;
        break;
      case "read-ready":
        checkRead(node.id, output.token, output.seqno);
        this.reads += 1;
        break;
      case "transfer":
        if (output.outcome === "completed") this.transfers += 1;
        break;
      default: // commit, role, peers, read-refused, wait: nothing is to be done
    }
  }

  #send(node: Node, to: NodeId, message: ConsensusMessage): void {
    const early = this.#random.chance(0.5);
    const entries =
      message.type === "append-entries" && early ? attach(node, message.prevSeqno, message.seqno) : undefined;
    if (message.type === "append-entries" && early && entries === undefined) return;
    this.#inFlight.push({ from: node.id, to, message, entries });
    if (this.#inFlight.length > IN_FLIGHT_MAX) this.#inFlight.splice(this.#random.upTo(IN_FLIGHT_MAX), 1);
  }

  #deliver(index: number, reliable = false): void {
    const inFlight = this.#inFlight[index];
    if (inFlight === undefined) return;
    if (reliable || !this.#random.chance(0.1)) this.#inFlight.splice(index, 1); // else it stays: a duplicate
    const [from, to] = [this.#nodes.get(inFlight.from), this.#nodes.get(inFlight.to)];
    if (from === undefined || to === undefined || this.#side.get(from.id) !== this.#side.get(to.id)) return;
    if (!reliable && this.#random.chance(0.05)) return; // lost
    const { message } = inFlight;
    let { entries } = inFlight;
    if (message.type === "append-entries") entries ??= attach(from, message.prevSeqno, message.seqno);
    if (message.type === "append-entries" && entries === undefined) return;
    this.#handle(to, { type: "message", from: from.id, message, entries: entries ?? [] });
  }

  /** The disk carries out the next `count` requests; the last token among them is acknowledged. */
  #flush(node: Node, count: number): void {
    const done = node.disk.requests.splice(0, count);
    for (const request of done) node.disk.carryOut(request);
    const token = done.findLast((request) => request.type === "token");
    if (token !== undefined) this.#handle(node, { type: "persisted", token: token.token });
  }

  #crash(node: Node): void {
    if (this.#options.durability !== "durable") return;
    this.restarts += 1;
    for (const request of node.disk.requests.splice(0, this.#random.upTo(node.disk.requests.length))) {
      node.disk.carryOut(request); // reached the disk, but nobody was told
    }
    node.disk.requests = [];
    node.log = new ObservedLog();
    node.log.append(...node.disk.ledger);
    const commitSeqno = seqno(this.#random.upTo(node.replica.commitSeqno));
    const { id, disk, nowMs } = node;
    const { entries } = node.log;
    node.replica = this.#replica(id, replayLog({ id, hardState: disk.hardState, commitSeqno, entries }), nowMs);
    this.invariants.forget(id);
    this.#check();
  }

  #heal(): void {
    if (this.#options.quiet !== true || this.#random.chance(0.1)) this.#side.clear();
  }

  #partition(): void {
    this.#side = new Map(this.nodes.map(({ id }) => [id, this.#random.upTo(1)]));
  }

  /** The token says what the read must see at least. */
  #read(node: Node): void {
    this.#handle(node, { type: "read", token: this.commitSeqno });
    this.#signIfDue(node);
  }

  /** Asks the primary to hand over, in the midst of its work. */
  handOver(to: NodeId): void {
    const node = this.primary ?? this.#random.pick(this.nodes);
    if (node.replica.role === "primary") this.#write(node, {});
    this.#handle(node, { type: "transfer", to });
    this.#signIfDue(node);
  }

  /** An owner signs when it is told to, sooner or later. */
  #signIfDue(node: Node): void {
    if (node.replica.shouldSign && this.#random.chance(0.7)) this.#write(node, { signature: true });
  }

  #writeSomewhere(parts: Partial<StoredEntry>): void {
    const primaries = this.nodes.filter(({ replica }) => replica.role === "primary");
    if (primaries.length > 0) this.#write(this.#random.pick(primaries), parts);
  }

  #write(node: Node, parts: Partial<StoredEntry>): void {
    const { view } = node.replica;
    const at = seqno(node.log.length + 1);
    const data = `${++this.#written}`;
    const entry: StoredEntry = { signature: false, bytes: this.#random.upTo(900), data, ...parts, view, seqno: at };
    node.log.append(entry);
    node.disk.requests.push({ type: "append", entries: [entry] });
    this.#handle(node, { type: "replicate", view, entries: [entry] });
  }

  #writeRetirement(): void {
    for (const node of this.nodes) {
      const { toCleanUp } = node;
      node.toCleanUp = [];
      if (node.replica.role === "primary" && toCleanUp.length > 0) this.#write(node, { retired: toCleanUp });
    }
  }

  /** Swaps one member for a node that never was one: identities are used once. */
  #reconfigure(): void {
    const primary = this.primary;
    const newest = primary?.replica.configurations.at(-1);
    if (this.#options.reconfigure !== true || primary === undefined || newest === undefined) return;
    if (primary.replica.configurations.length > 2 || this.#nodes.size >= 9) return;
    const leaving = this.#random.pick(newest.nodes);
    const staying = newest.nodes.filter((id) => id !== leaving);
    this.#write(primary, { configuration: [...staying, this.#addNode().id] });
  }
}

function attach(node: Node, after: Seqno, to: Seqno): readonly StoredEntry[] | undefined {
  const entries = node.log.entries.slice(after, to);
  return entries.length === to - after ? entries : undefined;
}
