/**
 * One node without its sockets, files and clock: what the protocol text calls the inside of the enclave (design.md §2). It composes
 * channels, replication, ledger and maps, holds every key, and answers clients. Inputs and outputs are data; see `types.ts`.
 *
 * After every turn of its loop (one input or many) the host gives `flush`, then carries out all outputs in their order.
 */
import type { LedgerEntry } from "@sealane/ledger";
import {
  FRAME_CHANNEL,
  type FrameType,
  type NetworkNode,
  type NodeId,
  type NodeState,
  type Seqno,
  seqno,
  type TxId,
} from "@sealane/wire";
import { ClientRequests } from "./client-requests.js";
import { Frames } from "./frames.js";
import { Inquiry } from "./inquiry.js";
import { JoinedNodes } from "./joined-nodes.js";
import type { LogOutput } from "./log-output.js";
import { MessageSender } from "./message-sender.js";
import { nodeState, type Replication } from "./node-state.js";
import { ownGenesis } from "./own-genesis.js";
import { Peers } from "./peers.js";
import { peersOf } from "./peers-of.js";
import { ReplicatedLog } from "./replicated-log.js";
import { StoredEntries } from "./stored-entries.js";
import { isTakingPart, networkNodes, nodeInfos, SINGLE, serviceInfo } from "./tables.js";
import type { CoreConfig, Input, NodeEvent, Output, Role } from "./types.js";

/** What a frame showed about the connection it came on: whether the node it claims to be from is really there. */
export type FrameVerdict = "authentic" | "unproven";

export class NodeCore {
  readonly #config: CoreConfig;
  readonly #log: ReplicatedLog;
  readonly #peers: Peers;
  readonly #joined: JoinedNodes;
  readonly #requests: ClientRequests;
  readonly #inquiry: Inquiry;
  readonly #startedMs: number;
  readonly #readyFrom: Seqno;
  readonly #outputs: Output[] = [];
  readonly #stored = new StoredEntries();
  readonly #sender: MessageSender;
  readonly #frames: Frames;
  /** Undefined when nobody watches. */
  readonly #observe: ((event: NodeEvent) => void) | undefined;

  constructor(config: CoreConfig, nowMs: number) {
    this.#config = config;
    this.#startedMs = nowMs;
    this.#log = new ReplicatedLog(config, nowMs);
    this.#peers = new Peers(config, this.#log.certificate);
    this.#joined = new JoinedNodes(this.#log);
    this.#inquiry = new Inquiry(
      config.id,
      config.timing.electionTimeoutMs,
      "nodes" in config.start ? config.start.nodes : [],
    );
    this.#requests = new ClientRequests(config, this.#log, this.#peers, this.#stored, (at) => this.state(at));
    this.#observe = config.observe ? (event) => this.#outputs.push({ type: "event", event }) : undefined;
    this.#sender = new MessageSender({
      log: this.#log,
      peers: this.#peers,
      stored: this.#stored,
      transmit: (output) => this.#outputs.push(output),
      observe: this.#observe,
    });
    this.#frames = new Frames(config.suite, {
      peers: this.#peers,
      log: this.#log,
      joined: this.#joined,
      requests: this.#requests,
      observe: this.#observe,
    });
    if (config.start.type === "new") this.#log.append(ownGenesis(config, config.start, this.#log.store), nowMs);
    this.#readyFrom = config.start.type === "recover" ? this.#log.lastTxId.seqno : seqno(1);
    this.#updatePeers(nowMs);
    this.#inquiry.handlePrimary(this.#log.replica.primary !== undefined, nowMs);
    if (config.start.type !== "new") this.#peers.initiateAll(nowMs);
    this.#settle(nowMs);
  }

  handle(input: Input, nowMs: number): void {
    switch (input.type) {
      case "tick":
        this.#log.handleTick(nowMs);
        this.#peers.handleTick(nowMs);
        this.#requests.handleTick(nowMs);
        if (!this.#log.standing.isRetired && this.#inquiry.takeDue(nowMs)) this.#inquire();
        break;
      case "flush":
        this.#log.handleFlush(nowMs);
        this.#requests.handleFlush();
        break;
      case "request":
        this.#requests.handleRequest(input.request, nowMs);
        break;
      case "persisted":
        this.#log.handlePersisted(input.token, nowMs);
        break;
      case "network":
        this.#handleNetwork(input.nodes, nowMs);
        break;
      case "gone":
        this.#requests.handleGone(input.id);
        break;
      case "entries":
        this.#stored.handleEntries(input.id, input.entries, nowMs, input.firstHeld);
        break;
      default:
        input satisfies never;
    }
    this.#settle(nowMs);
  }

  /**
   * Takes a frame from the network. Anything wrong with it is a refusal without effect, seen only in events and counters.
   * @param from - The id the frame claims to come from; believed only after a tag or a signature has proved it.
   * @param payload - Borrowed for the call.
   * @returns whether the frame proved that `from` is at the other end of the connection.
   * @throws FaultError `primary-fault`: stop this node.
   */
  handleFrame(from: NodeId, frameType: FrameType, payload: Uint8Array, nowMs: number): FrameVerdict {
    if (!this.#peers.has(from) && !this.#admits(from, frameType, nowMs)) return "unproven";
    const authentic = this.#frames.handleFrame(from, frameType, payload, nowMs);
    this.#settle(nowMs);
    return authentic ? "authentic" : "unproven";
  }

  /** The next decision, in order; the last one of a turn is `wait`. */
  pollOutput(): Output {
    return this.#outputs.shift() ?? { type: "wait", untilMs: this.#waitUntilMs };
  }

  get role(): Role {
    return this.#log.standing.role;
  }

  /** A live view of the replication core, for checks and measurements from outside. */
  get replication(): Replication {
    return this.#log.replica;
  }

  /** Entries in the log that no `append` output has named yet: a primary keeps what it has not signed. For checks from outside. */
  get unstored(): readonly LedgerEntry[] {
    return this.#log.unstored;
  }

  /** Whether it takes part: a member of the service, with something committed; of a service that it recovers, the recovery itself. */
  get isReady(): boolean {
    return this.#log.standing.isMember && this.#log.replica.commitSeqno >= this.#readyFrom;
  }

  /** From where on the service has the identity that it has now: 1, or where it was recovered last. */
  get serviceSince(): Seqno {
    return this.#log.store.read("committed").map(serviceInfo).versionOf(SINGLE)?.seqno ?? seqno(0);
  }

  /** Whether it was removed from its service for good: it takes part no more, and never will again. */
  get isRetired(): boolean {
    return this.#log.standing.isRetired;
  }

  state(nowMs: number): NodeState {
    return nodeState(this.#config.id, this.#log, this.#peers.states(nowMs), nowMs - this.#startedMs);
  }

  get #waitUntilMs(): number {
    const inquiryMs = this.#log.standing.isRetired ? Number.POSITIVE_INFINITY : this.#inquiry.dueMs;
    return Math.min(this.#log.waitUntilMs, this.#peers.waitUntilMs, this.#requests.waitUntilMs, inquiryMs);
  }

  /** Whether a node without a record here gets a channel: while this one knows no primary, that one may be it (decision 0016). */
  #admits(from: NodeId, frameType: FrameType, nowMs: number): boolean {
    const { replica, store, standing } = this.#log;
    if (frameType !== FRAME_CHANNEL || from === this.#config.id || standing.isRetired || replica.primary !== undefined)
      return false;
    return store.read("latest").map(nodeInfos).get(from) === undefined && this.#peers.admit(from, nowMs);
  }

  /** Carries out what the log and the peers have left, until nothing is. Both may leave more for each other. */
  #settle(nowMs: number): void {
    this.#takePeerOutputs();
    for (let moved = true; moved; ) {
      moved = false;
      for (let output = this.#log.pollOutput(); output !== undefined; output = this.#log.pollOutput()) {
        moved = true;
        this.#handleLogOutput(output, nowMs);
        this.#takePeerOutputs();
      }
      for (let output = this.#requests.pollOutput(); output !== undefined; output = this.#requests.pollOutput()) {
        moved = true;
        this.#outputs.push(output);
      }
      for (let output = this.#stored.pollOutput(); output !== undefined; output = this.#stored.pollOutput()) {
        this.#outputs.push(output);
      }
    }
  }

  /** At once after whatever may have sealed something: a channel's records must leave in the order they were sealed, or are refused. */
  #takePeerOutputs(): void {
    for (let output = this.#peers.pollOutput(); output !== undefined; output = this.#peers.pollOutput()) {
      if (output.type === "sealed-header") this.#sender.sendSealed(output.to, output.header, output.trailer);
      else this.#outputs.push(output);
    }
  }

  #handleLogOutput(output: LogOutput, nowMs: number): void {
    const { replica } = this.#log;
    switch (output.type) {
      case "append":
      case "secrets":
      case "certificate":
      case "persist":
      case "snapshot":
      case "snapshot-dropped":
        this.#outputs.push(output);
        break;
      case "truncate":
        this.#outputs.push({ type: "truncate", to: output.to });
        this.#requests.handleRollback(output.to, output.signedTo);
        break;
      case "commit":
        this.#outputs.push(output);
        this.#requests.handleCommit(output.seqno);
        this.#observe?.({
          type: "commit",
          txId: { view: replica.viewAt(output.seqno), seqno: output.seqno },
          atMs: nowMs,
        });
        break;
      case "snapshot-proven":
        this.#proveSnapshot(output.seqno, output.evidence, nowMs);
        break;
      case "send":
        this.#sender.send(output.to, output.message, nowMs);
        break;
      case "role":
        this.#requests.handleView(replica.view);
        this.#inquiry.handlePrimary(replica.primary !== undefined, nowMs);
        if (this.#log.standing.isRetired) this.#retire(nowMs);
        this.#observe?.({ type: "role", role: this.#log.standing.role, view: replica.view, atMs: nowMs });
        break;
      case "read-ready":
        this.#requests.handleReadReady(output.token);
        break;
      case "read-refused":
        this.#requests.handleReadRefused(output.token, output.reason);
        break;
      case "transfer":
        this.#observe?.({ type: "transfer", to: output.to, outcome: output.outcome, atMs: nowMs });
        break;
      case "membership":
        this.#updatePeers(nowMs);
        break;
      default:
        output satisfies never;
    }
  }

  /** The receipt of its evidence makes a snapshot one. Without it, it is as good as none. */
  #proveSnapshot(at: Seqno, evidence: TxId, nowMs: number): void {
    this.#requests.askReceipt(evidence, nowMs, (receipt) => {
      const which = { seqno: at, evidence: evidence.seqno };
      this.#outputs.push(
        receipt === undefined
          ? { type: "snapshot-dropped", ...which }
          : { type: "snapshot-committed", ...which, receipt },
      );
    });
  }

  #inquire(): void {
    const { store } = this.#log;
    const known = [...networkNodes(store.read("latest"), store.read("committed")), ...this.#inquiry.told];
    const others = known.filter((node) => node.id !== this.#config.id && isTakingPart(node));
    const addresses = [...new Set(others.map(({ apiAddress }) => apiAddress))];
    if (addresses.length > 0) this.#outputs.push({ type: "inquire", addresses });
  }

  /** An answer that comes once there is a primary again is late: the log says more. */
  #handleNetwork(nodes: readonly NetworkNode[], nowMs: number): void {
    if (this.#log.standing.isRetired || this.#log.replica.primary !== undefined) return;
    if (this.#inquiry.handleNetwork(nodes)) {
      this.#log.handleRemoved();
      this.#observe?.({ type: "role", role: "none", view: this.#log.replica.view, atMs: nowMs });
      this.#retire(nowMs);
    } else this.#updatePeers(nowMs);
  }

  /** This node is out of its service: whoever waits for it is told, and its channels end. */
  #retire(nowMs: number): void {
    this.#requests.handleRetired();
    this.#updatePeers(nowMs);
  }

  #updatePeers(nowMs: number): void {
    const { store } = this.#log;
    const recorded = networkNodes(store.read("latest"), store.read("committed"));
    const peers = this.#log.standing.isRetired ? [] : peersOf(recorded, this.#inquiry.told);
    this.#peers.update(peers, nowMs);
    this.#joined.keepOnly(new Set(peers.map(({ id }) => id)));
  }
}
