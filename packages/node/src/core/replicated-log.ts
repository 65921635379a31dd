/**
 * The log and the replica, kept in step: what the replica decides to append, roll back or commit is done in memory here, and what is left
 * for storage and network is handed on.
 */
import type { Replica, Output as ReplicaOutput } from "@sealane/consensus";
import type { Store } from "@sealane/kv";
import {
  type BuiltReceipt,
  type DecodedEntry,
  FLAG_CHUNK_ENDS_BEFORE,
  type LedgerEntry,
  type LedgerSecret,
  snapshotEvidence,
} from "@sealane/ledger";
import { type ConsensusMessage, type NodeId, type Seqno, seqno, type TxId, type WriteSet } from "@sealane/wire";
import { ConfigurationInForce } from "./configuration-in-force.js";
import { RequestError } from "./errors.js";
import { LogChanges } from "./log-changes.js";
import type { LogOutput } from "./log-output.js";
import { consensusEntry, LogState } from "./log-state.js";
import { type LogEntry, openReplica } from "./open-replica.js";
import { OwnCertificate } from "./own-certificate.js";
import { Payloads } from "./payloads.js";
import { recoveryOf } from "./recovery.js";
import { Renewals } from "./renewals.js";
import { Retirements } from "./retirements.js";
import type { KeptSecret } from "./rotating-secrets.js";
import { Signer } from "./signer.js";
import { Snapshots } from "./snapshots.js";
import { Standing } from "./standing.js";
import { configurationIn, successorIn } from "./tables.js";
import type { CoreConfig } from "./types.js";
import { UnstoredEntries } from "./unstored-entries.js";

export class ReplicatedLog {
  readonly replica: Replica<LogEntry>;
  readonly standing: Standing;
  readonly payloads: Payloads;
  readonly certificate: OwnCertificate;
  readonly #config: CoreConfig;
  readonly #state: LogState;
  readonly #signer: Signer;
  readonly #snapshots: Snapshots;
  readonly #unstored = new UnstoredEntries();
  readonly #changes: LogChanges;
  readonly #retirements = new Retirements();
  readonly #configuration = new ConfigurationInForce();
  readonly #renewals: Renewals;
  readonly #outputs: LogOutput[] = [];
  #waitUntilMs = Number.POSITIVE_INFINITY;

  constructor(config: CoreConfig, nowMs: number) {
    const { start, id, suite } = config;
    this.#config = config;
    this.#state = "replay" in start ? start.replay.state : new LogState(config);
    this.certificate = new OwnCertificate(id, config.certificate);
    this.#signer = new Signer(config, this.#state.ledger, this.certificate);
    this.#renewals = new Renewals(config);
    this.#snapshots = new Snapshots(suite, this.#state.store, config.snapshotEvery);
    this.#changes = new LogChanges(this.#state, this.#snapshots, this.#unstored, (output) =>
      this.#outputs.push(output),
    );
    this.payloads = new Payloads(suite, this.#state.ledger);
    this.replica = openReplica(config, nowMs);
    this.standing = new Standing(id, this.replica);
    if ("replay" in start) {
      this.#state.compact(this.replica.commitSeqno);
      // Of a service that is recovered the records still hold the certificate of the identity before.
      if (start.type === "resume") this.#followCertificate();
      if (start.replay.secretsAreStale) this.#changes.keepSecrets();
    }
    this.#drain(nowMs);
    if (start.type === "recover") this.#recover(nowMs);
  }

  pollOutput(): LogOutput | undefined {
    return this.#outputs.shift() ?? this.#snapshots.pollOutput();
  }

  get waitUntilMs(): number {
    if (this.#snapshots.isEncoding) return 0; // the next step, in the next turn
    if (!this.#leads) return this.#waitUntilMs;
    const renewalMs = this.isFull ? Number.POSITIVE_INFINITY : this.#renewals.dueMs;
    return Math.min(this.#waitUntilMs, this.#signer.dueMs(this.replica.commitSeqno), renewalMs);
  }

  get store(): Store {
    return this.#state.store;
  }

  /** `append` would refuse: too much waits for its commit, or what is written now would keep the primary from handing over. */
  get isFull(): boolean {
    return this.replica.atCapacity || this.#changes.isFull || this.replica.transferringTo !== undefined;
  }

  /** The newest entry: what a transaction executed now may have seen. */
  get lastTxId(): TxId {
    return { view: this.replica.viewAt(this.replica.lastSeqno), seqno: this.replica.lastSeqno };
  }

  /** Entries appended here and not handed to storage yet. */
  get unstored(): readonly LedgerEntry[] {
    return this.#unstored.entries;
  }

  /** One whole entry; undefined when it is not in memory. */
  entryAt(at: Seqno): Uint8Array | undefined {
    return this.#state.ledger.range(at, at)?.[0];
  }

  /** Opens a committed entry. @throws LedgerError when it is malformed or fails its tag. */
  decode(bytes: Uint8Array): DecodedEntry {
    return this.#state.decode(bytes);
  }

  /** As `LogState.receiptOf`. */
  receiptOf(txId: TxId, entry: Uint8Array, signature: Uint8Array): BuiltReceipt {
    return this.#state.receiptOf(txId, entry, signature);
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

  /** The latest ledger secret. */
  get currentSecret(): LedgerSecret {
    return this.#state.secrets.current.keyFor(this.secretSeqno);
  }

  /** Whether the transaction that brought the latest ledger secret is committed. */
  get isSecretSettled(): boolean {
    return this.secretSeqno <= this.replica.commitSeqno + 1;
  }

  /**
   * Appends what a transaction wrote, as primary.
   * @param claimsDigest - What the application claims in it, as SHA-256. Default: nothing. @param flags - As `Ledger.append` takes them.
   * @throws RequestError `overloaded` when too much is uncommitted.
   */
  append(writeSet: WriteSet, nowMs: number, claimsDigest?: Uint8Array, flags = 0): TxId {
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
      flags,
      ...(claimsDigest === undefined ? {} : { claimsDigest }),
    });
    this.#signer.handleEntry(configurationIn(writeSet) !== undefined, nowMs);
    this.#replicate(entry, writeSet, nowMs);
    return { view: entry.view, seqno: entry.seqno };
  }

  handleMessage(from: NodeId, message: ConsensusMessage, decoded: readonly DecodedEntry[], nowMs: number): void {
    if (this.standing.wasRemoved) return;
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
    this.standing.handleRemoved();
    this.#waitUntilMs = Number.POSITIVE_INFINITY;
  }

  handleTick(nowMs: number): void {
    if (this.standing.wasRemoved) return;
    this.replica.handle({ type: "tick" }, nowMs);
    this.#drain(nowMs);
  }

  /** Ends a turn: signs if it is due, then lets the replica send and persist everything the turn appended, together. */
  handleFlush(nowMs: number): void {
    if (this.standing.wasRemoved) return;
    this.#writeUnasked(nowMs);
    this.#workOnSnapshot(nowMs);
    if (this.#leads && this.#signatureIsDue(nowMs)) this.#sign(nowMs);
    if (this.#waitsForSignature) return;
    this.replica.handle({ type: "flush" }, nowMs);
    this.#drain(nowMs);
    this.#changes.store();
    const token = this.#unstored.takeHeldToken();
    if (token !== undefined) this.#outputs.push({ type: "persist", token });
  }

  /** As the primary that the service has now: under a new ledger secret, in a chunk of its own (ledger spec §1.3, §11.3). */
  #recover(nowMs: number): void {
    const previous = this.#state.secrets.current.keyFor(this.replica.lastSeqno);
    this.#state.secrets.give(seqno(this.replica.lastSeqno + 1));
    this.#changes.keepSecrets();
    const writeSet = recoveryOf(this.#config, this.store, { previous, current: this.currentSecret }, nowMs);
    this.append(writeSet, nowMs, undefined, FLAG_CHUNK_ENDS_BEFORE);
  }

  get #leads(): boolean {
    return this.standing.role === "primary";
  }

  /** Whether what this primary has appended stays here until it is signed, or is much (`UnstoredEntries`). */
  get #waitsForSignature(): boolean {
    return this.#leads && !this.#config.signing.fixed && this.#unstored.awaitSignature;
  }

  /** The second entry of removed nodes (consensus spec §11.3), new certificates. A primary that is full writes them once it is not. */
  #writeUnasked(nowMs: number): void {
    if (!this.#leads) this.#retirements.handleNoPrimary();
    for (const duty of [this.#retirements, this.#renewals]) {
      if (!this.#leads || this.isFull) return;
      const writeSet = duty.take(this.store, nowMs);
      if (writeSet.length > 0) this.append(writeSet, nowMs);
    }
  }

  /** A piece of a snapshot in each turn; its evidence, as primary (ledger spec §10.3). */
  #workOnSnapshot(nowMs: number): void {
    this.#snapshots.handleTurn(this.replica.commitSeqno);
    const snapshot = this.#snapshots.wantsEvidence;
    if (snapshot === undefined || !this.#leads || this.isFull) return;
    const { writeSet, claimsDigest } = snapshotEvidence(snapshot);
    this.append(writeSet, nowMs, claimsDigest);
    this.#snapshots.handleTurn(this.replica.commitSeqno);
  }

  #signatureIsDue(nowMs: number): boolean {
    if (this.replica.lastSeqno === 0) return false; // a service's first transaction is not a signature (ledger spec §7.2)
    return this.replica.shouldSign || this.#signer.isDue(this.replica.commitSeqno, nowMs);
  }

  #sign(nowMs: number): void {
    const endsChunk = this.#snapshots.isDue(seqno(this.replica.lastSeqno + 1));
    const entry = this.#signer.sign(this.replica.view, endsChunk, nowMs);
    this.#replicate(entry, entry.writeSet, nowMs);
  }

  /** Takes an entry this primary has just appended to the ledger into the maps and to the replica. */
  #replicate(entry: LedgerEntry, writeSet: WriteSet, nowMs: number): void {
    this.#changes.handleOwn(entry, writeSet);
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
        for (const { decoded } of output.entries) if (decoded !== undefined) this.#changes.handleReplicated(decoded);
        break;
      case "rollback":
        this.#signer.handleRollback();
        this.#changes.handleRollback(output.to);
        break;
      case "persist":
        if (output.hardState === undefined && this.#waitsForSignature) {
          this.#unstored.holdToken(output.token);
          break;
        }
        this.#unstored.takeHeldToken(); // this one stands for it
        this.#changes.store();
        this.#outputs.push(this.#persistOutput(output));
        break;
      case "send":
        this.#outputs.push({ type: "send", to: output.to, message: output.message });
        break;
      case "commit":
        this.#signer.handleCommit(this.replica.commitSeqno, nowMs);
        this.#changes.handleCommit(
          output.seqno,
          this.#configuration.handleCommit(output.seqno, this.replica.configurations),
        );
        this.#followCertificate();
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
        this.#retirements.handleCleanup(output.nodes);
        break;
      default:
        output satisfies never;
    }
  }

  #followCertificate(): void {
    if (!this.certificate.follow(this.store.read("committed"))) return;
    this.#outputs.push({ type: "certificate", certificate: this.certificate.der });
  }

  #persistOutput({ token, hardState }: Extract<ReplicaOutput, { type: "persist" }>): LogOutput {
    if (hardState === undefined) return { type: "persist", token };
    return { type: "persist", token, hardState: { ...hardState, commitSeqno: this.replica.commitSeqno } };
  }
}
