/**
 * A whole service in one process and one thread of virtual time. Nodes are real `NodeCore`s; the network, the disks and the clock are
 * simulated, and one seed decides everything.
 */
import { type CryptoSuite, withRandom } from "@sealane/crypto";
import { simulatedSuite } from "@sealane/crypto/simulated";
import { type App, recordsApp, SIGNING_DEFAULTS, type Voting } from "@sealane/node/core";
import { type InMemoryNetwork, inMemoryNetwork, type NetworkFaults, NO_FAULTS } from "@sealane/transport";
import {
  fromUtf8,
  type NetworkNode,
  type NodeAction,
  type NodeId,
  parseNetworkState,
  type Seqno,
  View,
} from "@sealane/wire";
import type { Fault, FaultKind, TimedFault } from "../faults/fault.js";
import { FaultInjector } from "../faults/injector.js";
import { Timeline } from "../faults/timeline.js";
import { SeededRandom } from "../random.js";
import { checkAgreement } from "./checkers.js";
import { Consortium, type OwnConfig } from "./consortium.js";
import { Joining, type JoiningWorld } from "./joining.js";
import { Members } from "./members.js";
import type { NodeObserver } from "./node-observer.js";
import { Removing, type RemovingWorld } from "./removing.js";
import { RunTrace } from "./run-trace.js";
import { type Answer, SimulatedNode, type SimulatedNodeConfig, type SimulatedRequest } from "./simulated-node.js";
import { openSnapshot, type SnapshotFile } from "./simulated-snapshots.js";

export interface ClusterOptions {
  /** u32. Same seed, same run, down to every byte on the network (with the default suite, or another whose signatures repeat). */
  readonly seed: number;
  /** Default: a suite that costs nothing and protects nothing. Give a real one to run the real arithmetic. */
  readonly suite?: CryptoSuite;
  readonly app?: App;
  /** Entries from one snapshot to the next. Default: none are taken. */
  readonly snapshotEvery?: number;
  /** Virtual ms. Defaults: 1,000, 100, 3,000. */
  readonly electionTimeoutMs?: number;
  readonly heartbeatMs?: number;
  readonly commitTimeoutMs?: number;
  /** How all nodes vote; defaults as a node's. */
  readonly voting?: Voting;
  /** Watches every node. */
  readonly observer?: NodeObserver;
  /** The network when no fault is in force. Default: every frame takes 1 ms. */
  readonly network?: Partial<NetworkFaults>;
}

const ELECTION_TIMEOUT_MS = 1_000;
/** When a simulation begins, in ms since 1970: late enough for every clock to be set back. */
const START_MS = 1_000_000;
/** A step of virtual time is at least this long, in ms, so that nothing can loop within one instant for ever. */
const STEP_MS = 1;
/** A turn of a node that leaves work for the same instant is repeated at most this often. */
const TURNS_PER_STEP_MAX = 1_000;
/** What a seed's streams of chance differ in: the network's and the faults' draws do not shift the nodes'. */
const FAULTS_STREAM = 0x6661756c;
const DISKS_STREAM = 0x6469736b;

export class Cluster {
  readonly random: SeededRandom;
  /** What has happened so far. */
  readonly trace = new RunTrace();
  readonly network: InMemoryNetwork;
  readonly #options: ClusterOptions;
  readonly #suite: CryptoSuite;
  readonly #nodes: SimulatedNode[] = [];
  /** The node that stands at each place now. */
  readonly #places: SimulatedNode[] = [];
  readonly #consortium: Consortium;
  readonly #members = new Members();
  readonly #timeline = new Timeline();
  /** What those who use the cluster have to do: clients, probes. */
  readonly #agenda = new Timeline();
  readonly #faults: FaultInjector;
  readonly #disks: SeededRandom;
  #nextNumber = 0;
  /** How many commits all nodes had reported at the last check. */
  #checkedCommits = 0;
  #nowMs = START_MS;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.random = new SeededRandom(options.seed);
    this.#disks = new SeededRandom(options.seed ^ DISKS_STREAM);
    const draw = (length: number): Uint8Array => this.random.bytes(length);
    this.#suite = options.suite === undefined ? simulatedSuite(draw) : withRandom(options.suite, draw);
    this.network = inMemoryNetwork({ random: () => this.random.float() });
    this.network.advance(this.#nowMs);
    this.#consortium = new Consortium(this.#suite, this.#nowMs);
    const cluster = this;
    this.#faults = new FaultInjector({
      network: this.network,
      calm: { ...NO_FAULTS, ...options.network },
      random: new SeededRandom(options.seed ^ FAULTS_STREAM),
      timeline: this.#timeline,
      members: this.#members,
      places: this.#places,
      get nowMs() {
        return cluster.#nowMs;
      },
      join: (place) => this.#join(place),
      remove: (node, whenGone) => this.#remove(node, whenGone),
    });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The least; a node waits up to twice as long. */
  get electionTimeoutMs(): number {
    return this.#options.electionTimeoutMs ?? ELECTION_TIMEOUT_MS;
  }

  /** Every node there ever was, in the order they came. */
  get nodes(): readonly SimulatedNode[] {
    return this.#nodes;
  }

  /** The nodes by place, as faults name them: where one has replaced another, the newer one. */
  get places(): readonly SimulatedNode[] {
    return this.#places;
  }

  /** How often each kind of fault has had an effect. */
  get reached(): ReadonlyMap<FaultKind, number> {
    return this.#faults.reached;
  }

  /** Nodes on their way into the service, or out of it. */
  get changing(): number {
    return this.#members.changing;
  }

  /** Carries a fault out now, or arms it. One that the service could not survive does nothing: see docs/limits.md. */
  inject(fault: Fault): void {
    this.#faults.inject(fault);
  }

  /** Carries out a plan, whose time begins now. */
  schedule(plan: readonly TimedFault[]): void {
    for (const { atMs, fault } of plan) this.#timeline.at(this.#nowMs + atMs, () => this.inject(fault));
  }

  /**
   * Ends all faults, those that are scheduled too: the network is as without any, clocks run true, disks are honest, and every node comes
   * back that can. One whose disk is lost is replaced; that takes some time still, see `changing`.
   */
  healAll(): void {
    this.#faults.healAll();
  }

  /** Does something at a time to come, between the turns of nodes: how simulated clients act. */
  at(atMs: number, action: () => void): void {
    this.#agenda.at(atMs, action);
  }

  /** Founds the service with its first node. */
  found(): SimulatedNode {
    const config = this.#consortium.founderConfig(this.#ownConfig(), this.#nowMs);
    const node = this.#add(config, this.#places.length);
    node.start({ type: "new", members: this.#consortium.members }, this.#nowMs);
    this.#members.addFounder(node);
    return node;
  }

  /** Lets a new node join through `via`, trusted at once by the consortium's only member. @throws when that takes too long. */
  join(via: SimulatedNode): SimulatedNode {
    const joining = this.#join(this.#places.length, via);
    this.until(() => joining.isActive);
    if (joining.node === undefined) throw new Error("a node that takes part was let in");
    return joining.node;
  }

  /** Has the consortium remove a node, asking through `via`, and runs until it may be switched off. @throws when that takes too long. */
  remove(node: SimulatedNode, via: SimulatedNode): void {
    let isGone = false;
    this.#remove(
      node,
      () => {
        isGone = true;
      },
      via,
    );
    this.until(() => isGone);
  }

  /** Has the consortium change the ledger secret, asking through `via`, and runs until it is committed. @throws when that takes too long. */
  rotateSecret(via: SimulatedNode): void {
    const state = this.ask(via, { method: "GET", path: "/node/network" });
    const { ledgerSecretSeqno } = parseNetworkState(JSON.parse(fromUtf8(state?.body ?? new Uint8Array())));
    this.until(() => this.ask(via, this.rotationOf(ledgerSecretSeqno))?.status === 200);
  }

  /** The request with which the consortium's only member replaces the ledger secret that applies from `current`. */
  rotationOf(current: Seqno): SimulatedRequest {
    return this.#consortium.ballot({ type: "rotate-ledger-secret", current });
  }

  /** The request with which the consortium's only member casts a ballot on a node. */
  ballotFor(nodeId: NodeId, type: NodeAction["type"]): SimulatedRequest {
    return this.#consortium.ballotFor(nodeId, type);
  }

  /** The request with which it has the primary of a view hand over. */
  transferBallot(nodeId: NodeId, view: number): SimulatedRequest {
    return this.#consortium.ballot({ type: "transfer-primary", nodeId, view: View.parse(view) });
  }

  /** Runs for some virtual time, checking after every step that no two nodes have committed different entries. */
  run(durationMs: number): void {
    for (const endMs = this.#nowMs + durationMs; this.#nowMs < endMs; ) this.#step(endMs);
  }

  /** Runs until something holds. @throws when it does not within the time given. */
  until(holds: () => boolean, withinMs = 60_000): void {
    const endMs = this.#nowMs + withinMs;
    while (!holds()) {
      if (this.#nowMs >= endMs) throw new Error(`seed ${this.#options.seed}: nothing came of it within ${withinMs} ms`);
      this.#step(endMs);
    }
  }

  /** Sends one request to a node and runs until it is answered. @returns undefined when the node died instead. */
  ask(node: SimulatedNode, request: SimulatedRequest): Answer | undefined {
    let answer: Answer | undefined;
    node.request(request, this.#nowMs, (given) => {
      answer = given;
    });
    this.until(() => answer !== undefined || !node.isUp);
    return answer;
  }

  /** The node that is primary in the highest view, if any. */
  get primary(): SimulatedNode | undefined {
    let [found, highest] = [undefined as SimulatedNode | undefined, 0];
    for (const node of this.#nodes) {
      const { role, view = 0 } = node.replication ?? {};
      if (role === "primary" && view > highest) [found, highest] = [node, view];
    }
    return found;
  }

  #step(endMs: number): void {
    this.#timeline.runDue(this.#nowMs);
    this.#agenda.runDue(this.#nowMs);
    for (let turns = 0; turns < TURNS_PER_STEP_MAX; turns++) {
      let isQuiet = true;
      for (const node of this.#nodes) {
        if (node.wakeMs > this.#nowMs) continue;
        isQuiet = false;
        node.run(this.#nowMs);
      }
      if (isQuiet) break;
    }
    let wakeMs = Math.min(
      this.#timeline.nextMs,
      this.#agenda.nextMs,
      this.network.nextDueMs ?? Number.POSITIVE_INFINITY,
    );
    for (const node of this.#nodes) wakeMs = Math.min(wakeMs, node.wakeMs);
    this.#nowMs = Math.min(endMs, Math.max(this.#nowMs + STEP_MS, Math.ceil(wakeMs)));
    this.network.advance(this.#nowMs);
    this.#checkAgreement();
  }

  /** Only a node that has committed more can bring nodes apart that agreed before. */
  #checkAgreement(): void {
    let commits = 0;
    for (const node of this.#nodes) commits += node.commits;
    if (commits === this.#checkedCommits) return;
    this.#checkedCommits = commits;
    checkAgreement(this.#nodes, this.#options.seed);
  }

  /** @param place - Of a node that is replaced, or the next free one. */
  #join(place: number, via?: SimulatedNode): Joining {
    const start: JoiningWorld["start"] = (own, network, snapshot, running) => {
      const config = this.#consortium.joinerConfig(own, network);
      if (snapshot !== undefined && openSnapshot(snapshot, this.#suite, config.ledgerSecrets) === undefined) {
        return undefined;
      }
      running?.kill();
      const node = running ?? this.#add(config, place);
      if (snapshot === undefined) node.start({ type: "join", nodes: network.nodes }, this.#nowMs);
      else node.startFrom(snapshot, config, network.nodes, this.#nowMs);
      this.#faults.refresh();
      return node;
    };
    const snapshotSince = (since: Seqno): SnapshotFile | undefined => this.#snapshotSince(since);
    const world = Object.assign(this.#petitions(), { start, snapshotSince });
    const joining = new Joining(world, this.#ownConfig(), via);
    this.#members.addJoining(joining);
    return joining;
  }

  /**
   * One that a node gives, if what it gives is whole. Every member is past it: whoever begins from it cannot bring on one that is further
   * behind (docs/limits.md).
   */
  #snapshotSince(since: Seqno): SnapshotFile | undefined {
    const { live } = this.#members;
    const known = Math.min(...live.map(({ secured }) => secured));
    const files = live.flatMap((node) => {
      const file = node.isUp && !node.isPaused ? node.snapshots.newest : undefined;
      return file !== undefined && file.seqno >= since && file.seqno <= known ? [{ node, file }] : [];
    });
    if (files.length === 0) return undefined;
    const { node, file } = this.random.pick(files);
    return node.snapshots.isDamaged(file) ? undefined : file;
  }

  #remove(node: SimulatedNode, whenGone: () => void, via?: SimulatedNode): void {
    this.#members.addLeaving(node);
    const gone = (): void => {
      this.#members.remove(node);
      whenGone();
    };
    new Removing(this.#petitions(node), node, gone, via);
  }

  /** @param except - A node that is not asked. */
  #petitions(except?: SimulatedNode): RemovingWorld {
    const cluster = this;
    return {
      consortium: this.#consortium,
      timeline: this.#timeline,
      get nowMs() {
        return cluster.#nowMs;
      },
      pickNode: (apiAddress) => cluster.#pickMember(apiAddress, except),
    };
  }

  #pickMember(apiAddress: string | undefined, except: SimulatedNode | undefined): SimulatedNode | undefined {
    const up = this.#members.live.filter((node) => node !== except && node.isUp && !node.isPaused);
    const known = up.find(({ config }) => config.apiAddress === apiAddress);
    return known ?? (up.length === 0 ? undefined : this.random.pick(up));
  }

  #ownConfig(): OwnConfig {
    const {
      app,
      electionTimeoutMs = ELECTION_TIMEOUT_MS,
      heartbeatMs = 100,
      commitTimeoutMs = 3_000,
      voting = {},
      snapshotEvery,
    } = this.#options;
    const { keyPair, id, encryption } = this.#consortium.newIdentity();
    const number = this.#nextNumber++;
    return {
      suite: this.#suite,
      app: app ?? recordsApp,
      id,
      keyPair,
      encryption,
      nodeAddress: `node${number}.sim:7001`,
      apiAddress: `node${number}.sim:8001`,
      timing: { electionTimeoutMs, heartbeatMs, commitTimeoutMs },
      signing: SIGNING_DEFAULTS,
      ...voting,
      ...(snapshotEvery === undefined ? {} : { snapshotEvery }),
    };
  }

  #nodesAt(apiAddress: string): readonly NetworkNode[] | undefined {
    const node = this.#nodes.findLast(({ config }) => config.apiAddress === apiAddress);
    return node === undefined || node.isPaused ? undefined : node.state(this.#nowMs)?.nodes;
  }

  #add(config: SimulatedNodeConfig, place: number): SimulatedNode {
    const node = new SimulatedNode(config, {
      network: this.network,
      trace: this.trace,
      random: this.#disks,
      observer: this.#options.observer,
      nodesAt: (apiAddress) => this.#nodesAt(apiAddress),
    });
    this.#nodes.push(node);
    this.#places[place] = node;
    return node;
  }
}
