/**
 * The log and the replica, kept in step: what the replica decides to append, roll back or commit is done in memory here, and what is left
 * for storage and network is handed on.
 */
import {
  type Entry,
  Replica,
  type Output as ReplicaOutput,
  type Role as ReplicaRole,
  replayLog,
} from "@sealane/consensus";
import { pemEncode } from "@sealane/crypto";
import type { Store } from "@sealane/kv";
import {
  type BuiltReceipt,
  type DecodedEntry,
  entriesDigest,
  type LedgerEntry,
  LedgerError,
  snapshotEvidence,
} from "@sealane/ledger";
import {
  type AppendEntries,
  type ConsensusMessage,
  type NodeId,
  type Seqno,
  seqno,
  type TxId,
  view,
  type WriteSet,
} from "@sealane/wire";
import { FaultError, RequestError } from "./errors.js";
import { writeRetiredCommitted } from "./governance.js";
import { consensusEntry, type HardState, LogState, type Replay } from "./log-state.js";
import type { KeptSecret } from "./rotating-secrets.js";
import { SigningPolicy } from "./signing-policy.js";
import { type SnapshotOutput, Snapshots } from "./snapshots.js";
import { configurationIn, successorIn, touchesNodes } from "./tables.js";
import type { CoreConfig, Role } from "./types.js";
import { UncommittedBytes } from "./uncommitted-bytes.js";

/** What the replica's decisions leave to be done outside, in order. */
export type LogOutput =
  | { readonly type: "append"; readonly entries: readonly LedgerEntry[] }
  /** `signedTo`: the last signature that was in the log before. What it covered may stand in other nodes' logs, and commit yet. */
  | { readonly type: "truncate"; readonly to: Seqno; readonly signedTo: Seqno }
  | { readonly type: "persist"; readonly token: number; readonly hardState?: HardState }
  | { readonly type: "commit"; readonly seqno: Seqno }
  | { readonly type: "secrets"; readonly secrets: readonly KeptSecret[] }
  | SnapshotOutput
  | { readonly type: "send"; readonly to: NodeId; readonly message: ConsensusMessage }
  | { readonly type: "role" }
  | Extract<ReplicaOutput, { type: "read-ready" | "read-refused" | "transfer" }>
  /** The nodes' records, or the set of nodes that replicate, may have changed. */
  | { readonly type: "membership" };

/** What travels behind an append-entries header. */
export interface Payload {
  /** Whole entries, back to back. */
  readonly entries: readonly Uint8Array[];
  /** 32 bytes (channel-v2 §5). */
  readonly digest: Uint8Array;
}

/** Bytes of entries behind one header: large enough that its tag costs next to nothing. */
const MESSAGE_BYTES_MAX = 256 * 1024;
/** Bytes of entries on their way to one peer: a joiner or a slow peer cannot make the primary buffer more. Half of what a link holds. */
const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes of unsigned entries that are sent and stored before their signature, so that little is left to do when it comes. */
const UNSIGNED_BYTES_MAX = 64 * 1024;

/** What the COSE form of a signature says it is about (ledger spec §7.3); its issuer is the service id. */
const SIGNATURE_SUBJECT = "sealane/ledger/signature";

/** An entry as it passes through the replica and back. */
interface LogEntry extends Entry {
  /** Present in an entry that another node wrote. */
  readonly decoded?: DecodedEntry;
}

export class ReplicatedLog {
  readonly replica: Replica<LogEntry>;
  readonly #config: CoreConfig;
  readonly #state: LogState;
  readonly #signing: SigningPolicy;
  readonly #snapshots: Snapshots;
  readonly #certificatePem: string;
  readonly #uncommitted = new UncommittedBytes();
  readonly #outputs: LogOutput[] = [];
  /** Entries appended here and not handed to storage yet, in order. */
  #unstored: LedgerEntry[] = [];
  #unstoredBytes = 0;
  /** The newest token for entries that wait for their signature: it stands for all before it. */
  #heldToken: number | undefined;
  /** The newest signature this node appended as primary; 0 before the first. */
  #ownSignature = seqno(0);
  #waitUntilMs = Number.POSITIVE_INFINITY;
  /** Other nodes have said that this one was removed: its own log will never say so any more. */
  #wasRemoved = false;
  /** As primary: nodes whose removal is committed, and whose second entry is still to be written. */
  #toRetire: readonly NodeId[] = [];

  constructor(config: CoreConfig, nowMs: number) {
    const { start, timing, id } = config;
    this.#config = config;
    this.#signing = new SigningPolicy(config.signing);
    this.#certificatePem = pemEncode("CERTIFICATE", config.certificate);
    this.#state = start.type === "resume" ? start.replay.state : new LogState(config);
    this.#snapshots = new Snapshots(config.suite, this.#state.store, config.snapshotEvery);
    this.replica = new Replica({
      id,
      electionTimeoutMs: timing.electionTimeoutMs,
      heartbeatMs: timing.heartbeatMs,
      durability: "durable",
      preVote: config.preVote ?? true,
      tellRetired: true,
      eagerSend: true,
      messageBytesMax: MESSAGE_BYTES_MAX,
      inFlightBytesMax: IN_FLIGHT_BYTES_MAX,
      random: (max) => uniform(config, max),
      nowMs,
      ...(start.type === "resume" ? { restored: restoredState(id, start.replay) } : {}),
    });
    if (start.type === "new") this.replica.handle({ type: "start" }, nowMs);
    if (start.type === "join")
      this.replica.handle({ type: "join", seqno: seqno(0), view: JOIN_VIEW, viewHistory: [] }, nowMs);
    if (start.type === "resume") {
      this.#state.compact(this.replica.commitSeqno);
      if (start.replay.secretsAreStale) this.#keepSecrets();
    }
    this.#drain(nowMs);
  }

  pollOutput(): LogOutput | undefined {
    return this.#outputs.shift() ?? this.#snapshots.pollOutput();
  }

  get waitUntilMs(): number {
    if (this.#snapshots.isEncoding) return 0; // the next step, in the next turn
    if (this.role !== "primary") return this.#waitUntilMs;
    return Math.min(this.#waitUntilMs, this.#signing.dueMs(this.#signatureIsPending));
  }

  get store(): Store {
    return this.#state.store;
  }

  get role(): Role {
    return this.#wasRemoved ? "none" : ROLES[this.replica.role];
  }

  /** Whether this node is in a configuration that is in force. A joiner becomes one when it has caught up that far. */
  get isMember(): boolean {
    return this.replica.activeNodes.includes(this.#config.id);
  }

  /** This node was removed and nothing depends on it any more (consensus spec §11.1, RetiredCommitted). Final. */
  get isRetired(): boolean {
    return this.#wasRemoved || this.replica.retirementPhase === "retired-committed";
  }

  /** How far this node is in the service. */
  get phase(): "joining" | "active" | "retiring" | "retired" {
    if (this.isRetired) return "retired";
    if (this.replica.retirementPhase !== undefined) return "retiring";
    return this.isMember ? "active" : "joining";
  }

  /** `append` would refuse: too much waits for its commit, or what is written now would keep the primary from handing over. */
  get isFull(): boolean {
    return this.replica.atCapacity || this.#uncommitted.isFull || this.replica.transferringTo !== undefined;
  }

  /** The newest entry: what a transaction executed now may have seen. */
  get lastTxId(): TxId {
    return { view: this.replica.viewAt(this.replica.lastSeqno), seqno: this.replica.lastSeqno };
  }

  /** Entries appended here and not handed to storage yet. */
  get unstored(): readonly LedgerEntry[] {
    return this.#unstored;
  }

  /** The first entry that is still in memory. */
  get firstSeqno(): Seqno {
    return this.#state.ledger.firstSeqno;
  }

  /** One whole entry; undefined when it is not in memory. */
  entryAt(at: Seqno): Uint8Array | undefined {
    return this.#state.ledger.range(at, at)?.[0];
  }

  /** As `LogState.receiptOf`. */
  receiptOf(txId: TxId, entry: Uint8Array, signature: Uint8Array): BuiltReceipt {
    return this.#state.receiptOf(txId, entry, signature);
  }

  /** The ledger's own bytes of the entries a message covers, and what binds them to its header; undefined when they are not in memory. */
  payloadOf({ prevSeqno, seqno: last }: AppendEntries): Payload | undefined {
    const { ledger } = this.#state;
    const first = seqno(prevSeqno + 1);
    const entries = ledger.range(first, last);
    const digests = ledger.digests(first, last);
    if (entries === undefined || digests === undefined) return undefined;
    return { entries, digest: entriesDigest(this.#config.suite, [digests]) };
  }

  /** The same for entries that were read from storage. */
  payloadFrom(entries: readonly Uint8Array[]): Payload {
    const { suite } = this.#config;
    const digests = entries.map((entry) => suite.sha256(entry));
    return { entries, digest: entriesDigest(suite, digests) };
  }

  /** As `RotatingSecrets.decodeAll`. */
  decodeAll(entries: readonly Uint8Array[], first: Seqno): DecodedEntry[] {
    return this.#state.secrets.decodeAll(entries, first);
  }

  /** The ledger secrets as of the last entry, ascending. */
  get secrets(): readonly KeptSecret[] {
    return this.#state.secrets.kept;
  }

  /** From where the latest ledger secret applies. */
  get secretSeqno(): Seqno {
    return this.#state.secrets.current.lastFrom;
  }

  /** Whether the transaction that brought the latest ledger secret is committed. */
  get isSecretSettled(): boolean {
    return this.secretSeqno <= this.replica.commitSeqno + 1;
  }

  /**
   * Appends what a transaction wrote, as primary.
   * @param claimsDigest - What the application claims in it, as SHA-256. Default: nothing.
   * @throws RequestError `overloaded` when too much is uncommitted.
   */
  append(writeSet: WriteSet, nowMs: number, claimsDigest?: Uint8Array): TxId {
    if (this.isFull) {
      throw new RequestError(
        "overloaded",
        this.replica.transferringTo === undefined
          ? "Too many writes wait for their commit. Send this one again a little later."
          : "The primary hands over to another node. Send this write again in a moment.",
      );
    }
    const entry = this.#state.ledger.append({
      view: this.replica.view,
      writeSet,
      ...(claimsDigest === undefined ? {} : { claimsDigest }),
    });
    this.#signing.handleEntry(configurationIn(writeSet) !== undefined, nowMs);
    this.#replicate(entry, writeSet, nowMs);
    return { view: entry.view, seqno: entry.seqno };
  }

  handleMessage(from: NodeId, message: ConsensusMessage, decoded: readonly DecodedEntry[], nowMs: number): void {
    if (this.#wasRemoved) return;
    const entries = decoded.map((entry) => ({ ...consensusEntry(entry, entry.writeSet), decoded: entry }));
    this.replica.handle({ type: "message", from, message, entries }, nowMs);
    this.#drain(nowMs);
  }

  /** Asks until when the committed state is the newest; `read-ready` or `read-refused` tells. */
  read(token: number, nowMs: number): void {
    this.replica.handle({ type: "read", token }, nowMs);
    this.#drain(nowMs);
  }

  handlePersisted(token: number, nowMs: number): void {
    this.replica.handle({ type: "persisted", token }, nowMs);
    this.#drain(nowMs);
  }

  /** The service has removed this node and needs it no more, as its other nodes say: it says and does nothing from now on. */
  handleRemoved(): void {
    this.#wasRemoved = true;
    this.#waitUntilMs = Number.POSITIVE_INFINITY;
  }

  handleTick(nowMs: number): void {
    if (this.#wasRemoved) return;
    this.replica.handle({ type: "tick" }, nowMs);
    this.#drain(nowMs);
  }

  /** Ends a turn: signs if it is due, then lets the replica send and persist everything the turn appended, together. */
  handleFlush(nowMs: number): void {
    if (this.#wasRemoved) return;
    this.#retireRemoved(nowMs);
    this.#workOnSnapshot(nowMs);
    if (this.role === "primary" && this.#signatureIsDue(nowMs)) this.#sign(nowMs);
    if (this.#waitsForSignature) return;
    this.replica.handle({ type: "flush" }, nowMs);
    this.#drain(nowMs);
    this.#store();
    if (this.#heldToken !== undefined) this.#outputs.push({ type: "persist", token: this.#heldToken });
    this.#heldToken = undefined;
  }

  /**
   * Whether what this primary has appended stays here until it is signed, or is much. Without a signature it cannot commit, and by itself it
   * would cost every node a message, a write and an acknowledgement.
   */
  get #waitsForSignature(): boolean {
    const last = this.#unstored.at(-1);
    if (last === undefined || last.isSignature || this.role !== "primary") return false;
    return !this.#config.signing.fixed && this.#unstoredBytes < UNSIGNED_BYTES_MAX;
  }

  /** The second entry of removed nodes (consensus spec §11.3). A primary that is full writes it once it is not. */
  #retireRemoved(nowMs: number): void {
    if (this.role !== "primary") this.#toRetire = []; // the next primary is asked anew
    if (this.#toRetire.length === 0 || this.isFull) return;
    const tx = this.store.begin();
    writeRetiredCommitted(tx, this.#toRetire);
    this.#toRetire = [];
    const writeSet = tx.writeSet();
    if (writeSet.length > 0) this.append(writeSet, nowMs);
  }

  /** A piece of a snapshot in each turn; its evidence, as primary (ledger spec §10.3). */
  #workOnSnapshot(nowMs: number): void {
    this.#snapshots.handleTurn(this.replica.commitSeqno);
    const snapshot = this.#snapshots.wantsEvidence;
    if (snapshot === undefined || this.role !== "primary" || this.isFull) return;
    const { writeSet, claimsDigest } = snapshotEvidence(snapshot);
    this.append(writeSet, nowMs, claimsDigest);
    this.#snapshots.handleTurn(this.replica.commitSeqno);
  }

  #signatureIsDue(nowMs: number): boolean {
    if (this.replica.lastSeqno === 0) return false; // a service's first transaction is not a signature (ledger spec §7.2)
    return this.replica.shouldSign || this.#signing.isDue(this.#signatureIsPending, nowMs);
  }

  get #signatureIsPending(): boolean {
    return this.#ownSignature > this.replica.commitSeqno;
  }

  #sign(nowMs: number): void {
    const { id, keyPair, service } = this.#config;
    const entry = this.#state.ledger.appendSignature({
      view: this.replica.view,
      nodeId: id,
      keyPair,
      certificatePem: this.#certificatePem,
      endsChunk: this.#snapshots.isDue(seqno(this.replica.lastSeqno + 1)),
      service: {
        keyPair: service.keyPair,
        issuer: service.id,
        subject: SIGNATURE_SUBJECT,
        issuedAt: Math.floor(nowMs / 1_000),
      },
    });
    this.#ownSignature = entry.seqno;
    this.#signing.handleSignature(nowMs);
    this.#replicate(entry, entry.writeSet, nowMs);
  }

  /** Takes an entry this primary has just appended to the ledger into the maps and to the replica. */
  #replicate(entry: LedgerEntry, writeSet: WriteSet, nowMs: number): void {
    const secretsChanged = this.#state.apply(entry, writeSet);
    this.#keep(entry);
    if (secretsChanged) this.#keepSecrets();
    if (touchesNodes(writeSet)) this.#outputs.push({ type: "membership" });
    this.replica.handle({ type: "replicate", view: entry.view, entries: [consensusEntry(entry, writeSet)] }, nowMs);
    const successor = successorIn(writeSet);
    if (successor !== undefined) this.replica.handle({ type: "transfer", to: successor }, nowMs);
    this.#drain(nowMs);
  }

  /** Carries out what the replica decided. */
  #drain(nowMs: number): void {
    for (let output = this.replica.pollOutput(); output !== undefined; output = this.replica.pollOutput()) {
      this.#carryOut(output, nowMs);
    }
  }

  #carryOut(output: ReplicaOutput<LogEntry>, nowMs: number): void {
    switch (output.type) {
      case "append":
        for (const { decoded } of output.entries) if (decoded !== undefined) this.#appendReplicated(decoded);
        break;
      case "rollback": {
        const signedTo = this.#uncommitted.lastSignature;
        this.#store();
        if (this.#state.rollback(output.to)) this.#outputs.push({ type: "secrets", secrets: this.secrets });
        this.#uncommitted.handleRollback(output.to);
        this.#snapshots.handleRollback(output.to);
        this.#signing.handleRollback();
        this.#outputs.push({ type: "truncate", to: output.to, signedTo }, { type: "membership" });
        break;
      }
      case "persist":
        if (output.hardState === undefined && this.#waitsForSignature) {
          this.#heldToken = output.token;
          break;
        }
        this.#heldToken = undefined;
        this.#store();
        this.#outputs.push(this.#persistOutput(output));
        break;
      case "send":
        this.#outputs.push({ type: "send", to: output.to, message: output.message });
        break;
      case "commit":
        if ((this.#unstored[0]?.seqno ?? Number.POSITIVE_INFINITY) <= output.seqno) this.#store();
        this.#captureSnapshots(output.seqno);
        this.#state.compact(output.seqno);
        this.#uncommitted.handleCommit(output.seqno);
        if (!this.#signatureIsPending) this.#signing.handleCommit(nowMs);
        this.#outputs.push({ type: "commit", seqno: output.seqno });
        break;
      case "role":
        this.#outputs.push({ type: "role" });
        break;
      case "peers":
        this.#outputs.push({ type: "membership" });
        break;
      case "wait":
        this.#waitUntilMs = output.untilMs;
        break;
      case "read-ready":
      case "read-refused":
      case "transfer":
        this.#outputs.push(output);
        break;
      case "cleanup-retired":
        this.#toRetire = output.nodes; // all of them, each time it is asked
        break;
      default:
        output satisfies never;
    }
  }

  #captureSnapshots(to: Seqno): void {
    for (let at = this.#snapshots.takeChunkEnd(to); at !== undefined; at = this.#snapshots.takeChunkEnd(to)) {
      this.#state.compact(at);
      if (!this.#snapshots.wantsState(at)) continue;
      this.#snapshots.capture(this.#state.secrets.current, this.#state.snapshotInput(at));
    }
  }

  #appendReplicated(entry: DecodedEntry): void {
    try {
      const { entry: appended, secretsChanged } = this.#state.append(entry);
      this.#keep(appended);
      if (secretsChanged) this.#keepSecrets();
    } catch (cause) {
      if (!(cause instanceof LedgerError)) throw cause;
      // The channel bound these very bytes to the primary's header, so no one on the way changed them.
      const which = `${entry.view}.${entry.seqno}`;
      throw new FaultError("primary-fault", `Entry ${which} from the primary does not verify: ${cause.message}`, {
        cause,
      });
    }
    if (touchesNodes(entry.writeSet)) this.#outputs.push({ type: "membership" });
  }

  #keep(entry: LedgerEntry): void {
    this.#snapshots.handleAppend(entry);
    this.#unstored.push(entry);
    this.#unstoredBytes += entry.bytes.length;
    this.#uncommitted.handleAppend(entry);
  }

  #persistOutput({ token, hardState }: Extract<ReplicaOutput, { type: "persist" }>): LogOutput {
    if (hardState === undefined) return { type: "persist", token };
    return { type: "persist", token, hardState: { ...hardState, commitSeqno: this.replica.commitSeqno } };
  }

  /** Before anything under a new secret is stored, the secret is. */
  #keepSecrets(): void {
    this.#store();
    this.#outputs.push({ type: "secrets", secrets: this.secrets });
  }

  /** Hands what was appended to storage, as one output. */
  #store(): void {
    if (this.#unstored.length === 0) return;
    this.#outputs.push({ type: "append", entries: this.#unstored });
    this.#unstored = [];
    this.#unstoredBytes = 0;
  }
}

/** A joiner does not know the view yet; any real one is higher (consensus spec §12.1). */
const JOIN_VIEW = view(1);

const ROLES = {
  none: "none",
  backup: "backup",
  "pre-vote-candidate": "candidate",
  candidate: "candidate",
  primary: "primary",
} as const satisfies Record<ReplicaRole, Role>;

function restoredState(id: NodeId, { hardState, entries, base }: Replay) {
  const { view: lastView, votedFor, commitSeqno } = hardState;
  const voted = { view: lastView, votedFor };
  return replayLog({
    id,
    hardState: voted,
    commitSeqno,
    entries,
    ...(base === undefined ? {} : { base: { ...base, hardState: voted } }),
  });
}

/** A uniform integer in [0, max]; the bias of a 32-bit draw is below max / 2^32. */
function uniform({ suite }: CoreConfig, max: number): number {
  const bytes = suite.randomBytes(4);
  const draw = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  return Math.floor((draw / 2 ** 32) * (max + 1));
}
