/** A real `NodeCore` on a simulated host: its clock, network and disk belong to the simulation. */
import { type CoreConfig, NodeCore, type Replication, type Role, type Start } from "@sealane/node/core";
import type { InMemoryNetwork, Transport } from "@sealane/transport";
import { type NetworkNode, type NodeId, type NodeState, type Seqno, seqno } from "@sealane/wire";
import type { SeededRandom } from "../random.js";
import { NodeClock } from "./node-clock.js";
import type { NodeObserver } from "./node-observer.js";
import { type ReadBack, readBack } from "./read-back.js";
import type { RunTrace } from "./run-trace.js";
import { type PowerLoss, SimulatedDisk } from "./simulated-disk.js";
import { SimulatedSnapshots, type SnapshotFile } from "./simulated-snapshots.js";

export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
  readonly location?: string;
}

export interface SimulatedRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: Uint8Array;
  /** DER. */
  readonly callerCertificate?: Uint8Array;
}

export type SimulatedNodeConfig = Omit<CoreConfig, "start" | "observe">;

/** What a node shares with the whole simulation. */
export interface SimulatedWorld {
  readonly network: InMemoryNetwork;
  readonly trace: RunTrace;
  /** For the disk. */
  readonly random: SeededRandom;
  readonly observer?: NodeObserver | undefined;
  /** What the node with this API address says of the service's nodes; undefined when it does not answer. */
  nodesAt(apiAddress: string): readonly NetworkNode[] | undefined;
}

/**
 * How a restart went. "unreadable": the disk cannot be read now. "damaged": what it holds is not what a crash leaves, the node refuses to
 * start. "lost": the disk has lost what it had promised and the node cannot know it, so it was not started; see docs/limits.md.
 */
export type RestartOutcome = "up" | "unreadable" | "damaged" | "lost";

/** Why a node went down by itself. */
export type Downfall = "storage-failed" | "power-lost";

/** Turns of a node's loop within one call of `run`: each ends a flush of its disk, and a flush without latency ends at once. */
const TURNS_MAX = 1_000;

export class SimulatedNode {
  /** Survive every crash. */
  readonly snapshots = new SimulatedSnapshots();
  readonly disk: SimulatedDisk;
  readonly clock = new NodeClock();
  #config: SimulatedNodeConfig;
  readonly #network: InMemoryNetwork;
  readonly #trace: RunTrace;
  readonly #observer: NodeObserver | undefined;
  readonly #nodesAt: SimulatedWorld["nodesAt"];
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #core: NodeCore | undefined;
  #transport: Transport | undefined;
  #nextRequestId = 0;
  /** Something arrived: it wants a turn whatever its timers say. */
  #turnIsDue = false;
  /** When its core wants a tick, by its own clock. */
  #untilMs = 0;
  #isPaused = false;
  /** The nodes it was told of when it joined, which a real node keeps in a file. */
  #toldOf: readonly NetworkNode[] = [];
  #committed = seqno(0);
  #commits = 0;
  #startsFromSnapshot = 0;
  #steppedOver = 0;
  /** Called when it goes down by itself. */
  onDownfall: (why: Downfall) => void = () => {};

  constructor(config: SimulatedNodeConfig, world: SimulatedWorld) {
    this.#config = config;
    this.#network = world.network;
    this.#trace = world.trace;
    this.#observer = world.observer;
    this.#nodesAt = world.nodesAt;
    this.disk = new SimulatedDisk(world.random);
  }

  get config(): SimulatedNodeConfig {
    return this.#config;
  }

  get id(): NodeId {
    return this.#config.id;
  }

  /** How often it began from a snapshot, and how many snapshots it could not use then. */
  get startsFromSnapshot(): number {
    return this.#startsFromSnapshot;
  }

  get steppedOver(): number {
    return this.#steppedOver;
  }

  get isUp(): boolean {
    return this.#core !== undefined;
  }

  /** It stands still: up for the network, without turns. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /**
   * The highest seqno this node has reported as committed in its present life, or would come back with. Not of all time: what it learned
   * to be committed need not have been on its own disk yet, and after a loss of power older entries may stand there again.
   */
  get committed(): Seqno {
    return this.#committed;
  }

  /** How often it has reported a commit, in all its lives. */
  get commits(): number {
    return this.#commits;
  }

  /** It has this, and everything before it, for good. */
  get secured(): Seqno {
    return seqno(Math.max(this.disk.hardState.commitSeqno, Math.min(this.#committed, this.disk.syncedSeqno)));
  }

  /** When it wants to run next, in the simulation's time; `Infinity` while it is down. */
  get wakeMs(): number {
    if (this.#core === undefined || this.#isPaused) return Number.POSITIVE_INFINITY;
    if (this.#turnIsDue) return 0;
    return Math.min(this.clock.timeOf(this.#untilMs), this.disk.dueMs);
  }

  start(start: Start, nowMs: number): void {
    this.snapshots.restart();
    if (start.type === "join") this.#toldOf = start.nodes;
    const core = new NodeCore({ ...this.config, start, observe: true }, this.clock.read(nowMs));
    this.#core = core;
    this.#transport = this.#network.transport({
      self: this.id,
      onFrame: ({ from, type, payload }) => {
        this.#turnIsDue = true;
        const { nowMs: atMs } = this.#network;
        const verdict = this.#core?.handleFrame(from, type, payload, this.clock.read(atMs)) ?? "unproven";
        this.#trace.handleArrival(atMs, from, this.id, verdict);
        return verdict;
      },
    });
    this.#turnIsDue = true;
    this.#observer?.handleStart(this, core, this.clock.read(nowMs));
  }

  /** Comes back with what its disk has, if that will do. */
  restart(nowMs: number): RestartOutcome {
    const found = readBack(this.config, this.disk, this.snapshots);
    if (found.type !== "read") return found.type;
    if (found.lostSynced) return "lost";
    this.#begin(found, nowMs);
    return "up";
  }

  /**
   * Begins with an empty ledger behind a snapshot, as a joiner does; the snapshot is durable first.
   * @param config - With the secrets that it was told. @param nodes - Those it was told of.
   */
  startFrom(snapshot: SnapshotFile, config: SimulatedNodeConfig, nodes: readonly NetworkNode[], nowMs: number): void {
    this.#config = config;
    this.#toldOf = nodes;
    this.snapshots.keep(snapshot);
    this.disk.startOver(snapshot.seqno);
    const found = readBack(this.config, this.disk, this.snapshots);
    if (found.type !== "read") throw new Error(`a snapshot that was checked does not open: ${found.type}`);
    this.#begin(found, nowMs);
  }

  #begin({ replay, fromSnapshot, unusable }: Extract<ReadBack, { type: "read" }>, nowMs: number): void {
    if (fromSnapshot) this.#startsFromSnapshot += 1;
    this.#steppedOver += unusable;
    this.start({ type: "resume", replay, nodes: this.#toldOf }, nowMs);
  }

  /** Ends at once by a loss of power: requests get no answer, unsynced writes are gone, or partly so. */
  kill(how: PowerLoss = "lost-suffix"): void {
    if (this.#core === undefined) return;
    this.resume();
    this.#network.crash(this.id);
    this.#core = undefined;
    this.#transport = undefined;
    this.#answers.clear();
    this.disk.crash(how);
    this.#committed = this.disk.hardState.commitSeqno;
    this.#observer?.handleEnd(this);
  }

  /** Stands still until `resume`: what arrives waits. */
  pause(): void {
    if (this.#core === undefined) return;
    this.#isPaused = true;
    this.#network.hold(this.id);
  }

  resume(): void {
    this.#isPaused = false;
    this.#network.release(this.id);
  }

  /** What its core says it is; undefined while it is down. */
  get role(): Role | undefined {
    return this.#core?.role;
  }

  /** What its replication core says of itself; undefined while it is down. */
  get replication(): Replication | undefined {
    return this.#core?.replication;
  }

  state(nowMs: number): NodeState | undefined {
    return this.#core?.state(this.clock.read(nowMs));
  }

  /** @param answered - called once, unless the node is killed first. A node that is down never answers. */
  request(request: SimulatedRequest, nowMs: number, answered: (answer: Answer) => void): void {
    if (this.#core === undefined) return;
    const id = this.#nextRequestId++;
    this.#answers.set(id, answered);
    this.#core.handle(
      { type: "request", request: { body: new Uint8Array(0), ...request, id } },
      this.clock.read(nowMs),
    );
    this.#turnIsDue = true;
  }

  /** Turns of the host's loop, until there is nothing more to do now. */
  run(nowMs: number): void {
    for (let turns = 0; turns < TURNS_MAX && this.wakeMs <= nowMs; turns++) {
      const localMs = this.clock.read(nowMs);
      this.#turnIsDue = false;
      if (this.#untilMs <= localMs) this.#core?.handle({ type: "tick" }, localMs);
      this.#core?.handle({ type: "flush" }, localMs);
      this.#carryOut(nowMs, localMs);
      this.#workDisk(nowMs, localMs);
    }
  }

  #carryOut(nowMs: number, localMs: number): void {
    const core = this.#core;
    if (core === undefined) return;
    // Whoever gets an answer may kill the node.
    for (let output = core.pollOutput(); this.#core === core; output = core.pollOutput()) {
      this.#observer?.handleOutput(this, output);
      switch (output.type) {
        case "append":
        case "truncate":
        case "secrets":
        case "persist":
          this.disk.handle(output);
          break;
        case "commit":
          this.#committed = output.seqno;
          this.#commits++;
          this.disk.handle(output);
          break;
        case "snapshot":
        case "snapshot-dropped":
        case "snapshot-committed":
          this.snapshots.handle(output);
          break;
        case "transmit":
          this.#trace.handleFrame(nowMs, this.id, output.to, output.frameType, output.parts);
          this.#transport?.send(output.to, output.frameType, output.parts);
          break;
        case "peer":
          this.#transport?.setPeer(output.id, output.address);
          break;
        case "read":
          core.handle({ type: "entries", id: output.id, entries: this.disk.read(output) }, localMs);
          break;
        case "inquire":
          for (const address of output.addresses) {
            const nodes = this.#nodesAt(address);
            if (nodes !== undefined) core.handle({ type: "network", nodes }, localMs);
          }
          break;
        case "respond":
          this.#answers.get(output.id)?.(output);
          this.#answers.delete(output.id);
          break;
        case "event":
          this.#trace.handleEvent(this.id, output.event);
          break;
        case "certificate": // it comes back with the one it had first, and is shown the newer one by its own log
          break;
        case "wait":
          this.#untilMs = output.untilMs;
          this.#observer?.handleTurn(this);
          return;
        default:
          output satisfies never;
      }
    }
  }

  #workDisk(nowMs: number, localMs: number): void {
    for (let result = this.disk.work(nowMs); result.type !== "idle"; result = this.disk.work(nowMs)) {
      if (result.type === "durable") {
        if (result.token === undefined) continue;
        this.#core?.handle({ type: "persisted", token: result.token }, localMs);
        this.#turnIsDue = true;
      } else {
        // After a failed sync nobody knows what reached the disk, so the node stops; what it leaves is as after a loss of power.
        const how = result.type === "power-lost" ? result.how : "torn-write";
        this.kill(how);
        this.onDownfall(result.type === "power-lost" ? "power-lost" : "storage-failed");
        return;
      }
    }
  }
}
