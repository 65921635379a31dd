/**
 * One node without its sockets, files and clock: what the protocol text calls the inside of the enclave (design.md §2). It composes
 * channels, replication, ledger and maps, holds every key, and answers clients. Inputs and outputs are data; see `types.ts`.
 *
 * After every turn of its loop (one input or many) the host gives `flush`, then carries out all outputs in their order.
 */
import type { Replica } from "@sealane/consensus";
import { type DecodedEntry, entriesDigest, type LedgerEntry, LedgerError, splitEntries } from "@sealane/ledger";
import {
  type AppendEntries,
  type ConsensusMessage,
  consensusHeaderBytes,
  decodeConsensus,
  decodeForwardedHeader,
  encodeConsensus,
  equalBytes,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  type FrameType,
  formatTxId,
  forwardedHeaderBytes,
  type NetworkNode,
  type NodeId,
  type NodeState,
  type Seqno,
  seqno,
  type TxId,
  WireError,
} from "@sealane/wire";
import { ClientRequests } from "./client-requests.js";
import { writeGenesis } from "./governance.js";
import { Inquiry } from "./inquiry.js";
import { JoinedNodes } from "./joined-nodes.js";
import type { Payload } from "./payloads.js";
import { Peers } from "./peers.js";
import { ReplicatedLog } from "./replicated-log.js";
import { StoredEntries } from "./stored-entries.js";
import { isTakingPart, networkNodes, nodeInfos } from "./tables.js";
import type { CoreConfig, Direction, Input, NodeEvent, Output, Role } from "./types.js";

/** What one `read` brings for a peer, in bytes: what fits behind one header. */
const READ_BYTES_MAX = 4 * 1024 * 1024;

/** What a frame showed about the connection it came on: whether the node it claims to be from is really there. */
export type FrameVerdict = "authentic" | "unproven";

/** What can be seen of a replica without touching it (consensus spec §3). */
export type Replication = Pick<
  Replica,
  | "view"
  | "votedFor"
  | "role"
  | "lastSeqno"
  | "commitSeqno"
  | "lastCommittableSeqno"
  | "durableSeqno"
  | "configurations"
  | "retirementPhase"
  | "removedNodes"
  | "peers"
>;

export class NodeCore {
  readonly #config: CoreConfig;
  readonly #log: ReplicatedLog;
  readonly #peers: Peers;
  readonly #joined: JoinedNodes;
  readonly #requests: ClientRequests;
  readonly #inquiry: Inquiry;
  readonly #startedMs: number;
  readonly #outputs: Output[] = [];
  readonly #stored = new StoredEntries();
  /** Peers for whom entries are being read from storage. */
  readonly #reads = new Set<NodeId>();

  constructor(config: CoreConfig, nowMs: number) {
    this.#config = config;
    this.#startedMs = nowMs;
    this.#log = new ReplicatedLog(config, nowMs);
    this.#peers = new Peers(config);
    this.#joined = new JoinedNodes(this.#log);
    this.#inquiry = new Inquiry(
      config.id,
      config.timing.electionTimeoutMs,
      config.start.type === "new" ? [] : config.start.nodes,
    );
    this.#requests = new ClientRequests(config, this.#log, this.#peers, this.#stored, (at) => this.state(at));
    if (config.start.type === "new") this.#writeGenesis(config.start.members, nowMs);
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
      case "entries":
        this.#stored.handleEntries(input.id, input.entries, nowMs);
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
    const authentic = this.#openFrame(from, frameType, payload, nowMs);
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

  /** Whether it takes part: a member of the service, with something committed. */
  get isReady(): boolean {
    return this.#log.standing.isMember && this.#log.replica.commitSeqno > 0;
  }

  /** Whether it was removed from its service for good: it takes part no more, and never will again. */
  get isRetired(): boolean {
    return this.#log.standing.isRetired;
  }

  state(nowMs: number): NodeState {
    const { replica, store } = this.#log;
    const latest = store.read("latest");
    return {
      nodeId: this.#config.id,
      phase: this.#log.standing.phase,
      role: this.#log.standing.role,
      view: replica.view,
      lastSeqno: replica.lastSeqno,
      committed: formatTxId({ view: replica.viewAt(replica.commitSeqno), seqno: replica.commitSeqno }),
      primary: replica.primary ?? null,
      channels: this.#peers.states(nowMs),
      nodes: networkNodes(latest, store.read("committed")),
      uptimeMs: nowMs - this.#startedMs,
    };
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

  #writeGenesis(members: Parameters<typeof writeGenesis>[1]["members"], nowMs: number): void {
    const { id, keyPair, certificate, service, nodeAddress, apiAddress, encryption } = this.#config;
    const tx = this.#log.store.begin();
    writeGenesis(tx, {
      id,
      publicKey: keyPair.publicKey,
      nodeAddress,
      apiAddress,
      certificate,
      serviceCertificate: service.certificate,
      members,
      ...(encryption === undefined ? {} : { encryptionKey: encryption.publicKey }),
    });
    this.#log.append(tx.writeSet(), nowMs);
  }

  #openFrame(from: NodeId, frameType: FrameType, payload: Uint8Array, nowMs: number): boolean {
    if (frameType === FRAME_CHANNEL) return this.#peers.handleExchange(from, payload, nowMs);
    try {
      return frameType === FRAME_CONSENSUS
        ? this.#openConsensus(from, payload, nowMs)
        : this.#openForwarded(from, payload, nowMs);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#observe({ type: "rejected", peer: from, code: error.code, atMs: nowMs });
      return false;
    }
  }

  #openConsensus(from: NodeId, payload: Uint8Array, nowMs: number): boolean {
    const headerBytes = consensusHeaderBytes(payload);
    const opened = this.#peers.open(from, FRAME_CONSENSUS, headerBytes, payload, nowMs);
    if (opened === undefined) return false;
    // A removed node that was not told may still campaign (consensus spec §11.1, Completed). It could win, and would do no harm but delay.
    if (this.#peers.isLeaving(from)) return true;
    const { message, entriesDigest: digest } = decodeConsensus(opened.header);
    const first = seqno(message.type === "append-entries" ? message.prevSeqno + 1 : 0);
    const decoded = digest === undefined ? [] : this.#decodeEntries(opened.rest, first, digest);
    if (decoded === undefined) {
      // The header is the peer's, the entries behind it are not what it sent: as good as lost, and sent again.
      this.#observe({ type: "rejected", peer: from, code: "entries-digest", atMs: nowMs });
      return true;
    }
    this.#observeHeader(from, "received", message, payload.length, decoded.length, nowMs);
    this.#log.handleMessage(from, message, decoded, nowMs);
    if (message.type === "append-entries-response" && message.success) {
      this.#joined.handleAcknowledgement(from, message.lastSeqno, nowMs);
    }
    return true;
  }

  /** @returns undefined when the entries are not those that the header's digest names; nothing of them is used then. */
  #decodeEntries(bytes: Uint8Array, first: Seqno, digest: Uint8Array): DecodedEntry[] | undefined {
    const { suite } = this.#config;
    try {
      const entries = splitEntries(bytes);
      const decoded = this.#log.decodeAll(entries, first);
      const digests = entries.map((entry, index) => decoded[index]?.writeSetDigest ?? suite.sha256(entry));
      return equalBytes(entriesDigest(suite, digests), digest) ? decoded : undefined;
    } catch (error) {
      if (error instanceof LedgerError) return undefined;
      throw error;
    }
  }

  #openForwarded(from: NodeId, payload: Uint8Array, nowMs: number): boolean {
    const headerBytes = forwardedHeaderBytes(payload);
    const opened = this.#peers.open(from, FRAME_FORWARDED, headerBytes, payload, nowMs);
    if (opened === undefined) return false;
    const header = decodeForwardedHeader(opened.header);
    const { type: what, commandId } = header;
    this.#observe({
      type: "forwarded",
      peer: from,
      direction: "received",
      what,
      commandId,
      bytes: payload.length,
      atMs: nowMs,
    });
    this.#requests.handleForwarded(from, header, opened.plaintext, nowMs);
    return true;
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
      if (output.type === "sealed-header") this.#transmitSealed(output.to, output.header, output.trailer);
      else this.#outputs.push(output);
    }
  }

  #handleLogOutput(output: NonNullable<ReturnType<ReplicatedLog["pollOutput"]>>, nowMs: number): void {
    const { replica } = this.#log;
    switch (output.type) {
      case "append":
      case "secrets":
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
        this.#observe({
          type: "commit",
          txId: { view: replica.viewAt(output.seqno), seqno: output.seqno },
          atMs: nowMs,
        });
        break;
      case "snapshot-proven":
        this.#proveSnapshot(output.seqno, output.evidence, nowMs);
        break;
      case "send":
        this.#send(output.to, output.message, nowMs);
        break;
      case "role":
        this.#requests.handleView(replica.view);
        this.#inquiry.handlePrimary(replica.primary !== undefined, nowMs);
        if (this.#log.standing.isRetired) this.#retire(nowMs);
        this.#observe({ type: "role", role: this.#log.standing.role, view: replica.view, atMs: nowMs });
        break;
      case "read-ready":
        this.#requests.handleReadReady(output.token);
        break;
      case "read-refused":
        this.#requests.handleReadRefused(output.token, output.reason);
        break;
      case "transfer":
        this.#observe({ type: "transfer", to: output.to, outcome: output.outcome, atMs: nowMs });
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

  /** Seals the header for this one peer, and puts the very bytes of the ledger behind it. */
  #send(to: NodeId, message: ConsensusMessage, nowMs: number): void {
    if (message.type !== "append-entries") {
      this.#transmit(to, message, undefined, nowMs);
      return;
    }
    const payload = this.#log.payloads.of(message);
    if (payload !== undefined) this.#transmit(to, message, payload, nowMs);
    else if (this.#log.payloads.isBeforeMemory(message)) this.#readFor(to, message);
    // Else they were rolled back in the meantime, and the next message says so (consensus spec §7.5).
  }

  /** Entries that are no longer in memory come from storage, for one message per peer at a time; further ones are as good as lost. */
  #readFor(to: NodeId, message: AppendEntries): void {
    if (this.#reads.has(to)) return;
    this.#reads.add(to);
    const range = { from: seqno(message.prevSeqno + 1), through: message.seqno, bytesMax: READ_BYTES_MAX };
    this.#stored.read(range, (entries, nowMs) => this.#handleRead(to, message, entries, nowMs));
  }

  #handleRead(to: NodeId, message: AppendEntries, entries: readonly Uint8Array[], nowMs: number): void {
    this.#reads.delete(to);
    const { role, view } = this.#log.replica;
    if (role !== "primary" || view !== message.view) return;
    if (entries.length === message.seqno - message.prevSeqno) {
      this.#transmit(to, message, this.#log.payloads.from(entries), nowMs);
    }
  }

  #transmit(to: NodeId, message: ConsensusMessage, payload: Payload | undefined, nowMs: number): void {
    const header = encodeConsensus(message, payload?.digest);
    const trailer = this.#peers.seal(to, header, nowMs);
    if (trailer === undefined) return; // queued until there are keys
    const parts = [header, trailer, ...(payload?.entries ?? [])];
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const count = message.type === "append-entries" ? message.seqno - message.prevSeqno : 0;
    this.#observeHeader(to, "sent", message, bytes, count, nowMs);
    this.#outputs.push({ type: "transmit", to, frameType: FRAME_CONSENSUS, parts });
  }

  /** A header that was queued before there were keys: its entries are attached now, if they are still what it names. */
  #transmitSealed(to: NodeId, header: Uint8Array, trailer: Uint8Array): void {
    const { message, entriesDigest: digest } = decodeConsensus(header);
    const payload = message.type === "append-entries" ? this.#log.payloads.of(message) : undefined;
    if (digest !== undefined && (payload === undefined || !equalBytes(payload.digest, digest))) return;
    const parts = [header, trailer, ...(payload?.entries ?? [])];
    this.#outputs.push({ type: "transmit", to, frameType: FRAME_CONSENSUS, parts });
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
      this.#observe({ type: "role", role: "none", view: this.#log.replica.view, atMs: nowMs });
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
    const gone = new Set(
      recorded.flatMap((node) => (isTakingPart(node) || node.status === "pending" ? [] : [node.id])),
    );
    const peers = new Map(recorded.filter(isTakingPart).map((node) => [node.id, node]));
    // A node that catches up reads records from before its peers were trusted; what it was told holds until they are gone.
    for (const node of this.#inquiry.told) {
      if (!gone.has(node.id) && !peers.has(node.id)) peers.set(node.id, node);
    }
    if (this.#log.standing.isRetired) peers.clear();
    this.#peers.update([...peers.values()], nowMs);
    this.#joined.keepOnly(new Set(peers.keys()));
  }

  #observeHeader(
    peer: NodeId,
    direction: Direction,
    message: ConsensusMessage,
    bytes: number,
    entries: number,
    atMs: number,
  ): void {
    if (!this.#config.observe) return;
    const { type: kind, view } = message;
    const range =
      message.type === "append-entries"
        ? { seqno: message.seqno, prevSeqno: message.prevSeqno, commitSeqno: message.commitSeqno }
        : message.type === "append-entries-response"
          ? { seqno: message.lastSeqno }
          : {};
    this.#observe({ type: "header", peer, direction, kind, view, ...range, bytes, entries, atMs });
  }

  #observe(event: NodeEvent): void {
    if (this.#config.observe) this.#outputs.push({ type: "event", event });
  }
}
