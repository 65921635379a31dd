/** What the log's entries add up to in memory: the ledger with its Merkle tree, and the maps. Both always stand at the same seqno. */
import type { Entry, RestoredState, ViewStart } from "@sealane/consensus";
import type { CryptoSuite } from "@sealane/crypto";
import { KvError, type Reader, Store } from "@sealane/kv";
import {
  type BuiltReceipt,
  type DecodedEntry,
  Ledger,
  type LedgerEntry,
  LedgerError,
  type LedgerSecret,
  receiptOf,
  type SnapshotInput,
  type VerifiedSnapshot,
} from "@sealane/ledger";
import { formatTxId, NodeId, type Seqno, seqno, type TxId, type View, view, type WriteSet } from "@sealane/wire";
import { FaultError } from "./errors.js";
import { type EncryptionKey, type KeptSecret, RotatingSecrets } from "./rotating-secrets.js";
import {
  configuration,
  configurationIn,
  endorsedCertificates,
  endorsementsSince,
  nodeInfos,
  retiredIn,
  SINGLE,
  serviceInfo,
} from "./tables.js";

/** What a node must not forget, beside its ledger. */
export interface HardState {
  readonly view: View;
  readonly votedFor: NodeId | undefined;
  /** A lower bound of what is committed. */
  readonly commitSeqno: Seqno;
}

/** What opens a node's log. */
export interface LogKeys {
  readonly suite: CryptoSuite;
  readonly id: NodeId;
  /** Those it was given. */
  readonly ledgerSecrets: readonly LedgerSecret[];
  /** Without one, the service cannot change its ledger secret. */
  readonly encryption?: EncryptionKey;
}

/** A verified snapshot, as far as a log goes on from it. */
export type StartSnapshot = Pick<VerifiedSnapshot, "snapshot" | "base">;

export class LogState {
  readonly store = new Store();
  readonly ledger: Ledger;
  readonly secrets: RotatingSecrets;
  readonly #suite: CryptoSuite;

  /** @param snapshot - Where the log goes on from. @throws LedgerError, KvError when its state is none. Default: from the beginning. */
  constructor({ suite, id, ledgerSecrets, encryption }: LogKeys, snapshot?: StartSnapshot) {
    this.#suite = suite;
    this.secrets = new RotatingSecrets(suite, ledgerSecrets, { id, key: encryption });
    this.ledger = new Ledger({
      suite,
      secrets: this.secrets.current,
      nodeCertificate: (id) => this.store.read("latest").map(endorsedCertificates).get(id),
      serviceCertificate: () => this.store.read("latest").map(serviceInfo).get(SINGLE)?.cert,
      ...(snapshot === undefined ? {} : { base: snapshot.base }),
    });
    if (snapshot !== undefined) this.#install(snapshot);
  }

  /** @throws LedgerError when the entry is malformed or fails its tag. */
  decode(bytes: Uint8Array): DecodedEntry {
    return this.secrets.decode(bytes);
  }

  /**
   * The receipt of a transaction that is committed.
   * @param entry - The transaction's, whole. @param signature - The first signature entry after it, or itself. Neither need be trusted.
   * @throws LedgerError when they are not those entries.
   */
  receiptOf(txId: TxId, entry: Uint8Array, signature: Uint8Array): BuiltReceipt {
    const decoded = this.decode(entry);
    if (decoded.seqno !== txId.seqno || decoded.view !== txId.view) {
      throw new LedgerError("not-found", `this is transaction ${formatTxId(decoded)}, not ${formatTxId(txId)}`);
    }
    const signed = this.decode(signature);
    return receiptOf(decoded, signed, {
      suite: this.#suite,
      secrets: this.secrets.current,
      serviceEndorsements: endorsementsSince(this.store.read("committed"), signed.seqno),
    });
  }

  /**
   * Appends an entry that was written elsewhere, or earlier.
   * @returns the entry, and whether it brought a ledger secret.
   * @throws LedgerError when it does not follow.
   */
  append(entry: DecodedEntry): { readonly entry: LedgerEntry; readonly secretsChanged: boolean } {
    const appended = this.ledger.appendReplicated(entry);
    return { entry: appended, secretsChanged: this.apply(appended, entry.writeSet) };
  }

  /** Takes an entry that is in the ledger already into the maps. @returns whether it brought a ledger secret. @throws LedgerError `no-secret`. */
  apply({ view, seqno }: LedgerEntry, writeSet: WriteSet): boolean {
    this.store.apply(writeSet, { view, seqno });
    return this.secrets.handleAppend(writeSet, seqno);
  }

  /** @returns whether a ledger secret went with what was taken back. */
  rollback(to: Seqno): boolean {
    this.ledger.rollback(to);
    this.store.rollback(to);
    return this.secrets.handleRollback(to);
  }

  /** What a snapshot of the committed state at `at` is made of. Read it before the next `compact`. */
  snapshotInput(at: Seqno): SnapshotInput {
    const { ledger, store } = this;
    return { seqno: at, leaf: ledger.leaf(at), viewHistory: ledger.viewHistory(at), maps: store.committedMaps() };
  }

  #install({ snapshot, base }: StartSnapshot): void {
    const starts = viewStarts(base.viewHistory);
    const viewAt = (at: Seqno): View => starts.findLast((start) => start.seqno <= at)?.view ?? view(0);
    const maps = [...snapshot.publicMaps, ...(snapshot.privateMaps ?? [])];
    this.store.install(maps, { view: base.view, seqno: base.seqno }, viewAt);
  }

  compact(upTo: Seqno): void {
    this.store.compact(upTo);
    this.ledger.compact(upTo);
  }
}

/** Where views start, without those that have no entry. @param history - As a snapshot has it (ledger spec §10.2). */
function viewStarts(history: readonly number[]): ViewStart[] {
  return history.flatMap((first, index) =>
    history[index + 1] === first ? [] : [{ view: view(index + 1), seqno: seqno(first) }],
  );
}

/** An entry as consensus sees it. */
export function consensusEntry(entry: LedgerEntry | DecodedEntry, writeSet: WriteSet): Entry {
  const configuration = configurationIn(writeSet);
  const retired = retiredIn(writeSet);
  return {
    seqno: entry.seqno,
    view: entry.view,
    signature: entry.isSignature,
    bytes: entry.bytes.length,
    ...(configuration === undefined ? {} : { configuration }),
    ...(retired.length === 0 ? {} : { retired }),
  };
}

/**
 * Reads back the log of a node that returns, entry by entry, with every check a backup makes.
 * @example
 * const replay = new Replay({ suite, id, ledgerSecrets }, hardState);
 * for await (const bytes of storedEntries) replay.handleEntry(bytes);
 * const core = new NodeCore({ ...config, start: { type: "resume", replay, nodes } }, nowMs);
 */
export class Replay {
  readonly state: LogState;
  readonly hardState: HardState;
  readonly entries: Entry[] = [];
  /** With the secrets that were learned from entries not read back yet. */
  readonly #kept: LogState;
  readonly #keptSeqnos: readonly Seqno[];
  readonly #snapshot: StartSnapshot | undefined;
  /** As of the snapshot. */
  readonly #membership: Pick<RestoredState, "configurations" | "removed"> = { configurations: [] };

  /**
   * @param keys.ledgerSecrets - All that the host kept. Those that were learned are learned again as the entries are read.
   * @param snapshot - Where to go on from: the entries are those behind it. Default: all.
   * @throws LedgerError `bad-snapshot` when its state is none that a node can go on from.
   */
  constructor(
    keys: Omit<LogKeys, "ledgerSecrets"> & { readonly ledgerSecrets: readonly KeptSecret[] },
    hardState: HardState,
    snapshot?: StartSnapshot,
  ) {
    this.#snapshot = snapshot;
    // What was learned up to a snapshot is committed, and the transactions that brought it are not read again.
    const learnedTo = snapshot === undefined ? 0 : snapshot.base.seqno + 1;
    const given = keys.ledgerSecrets.filter(({ from, isLearned }) => !isLearned || from <= learnedTo);
    try {
      this.state = new LogState({ ...keys, ledgerSecrets: given }, snapshot);
    } catch (cause) {
      if (!(cause instanceof KvError)) throw cause;
      throw new LedgerError("bad-snapshot", `the state of the snapshot is none: ${cause.message}`, { cause });
    }
    this.#kept = new LogState(keys);
    this.#keptSeqnos = keys.ledgerSecrets.map(({ from }) => from);
    this.hardState = hardState;
    if (snapshot !== undefined) this.#membership = membershipIn(this.state.store.read("latest"), keys.id);
  }

  /** What consensus knows at the snapshot. */
  get base(): Omit<RestoredState, "hardState"> | undefined {
    if (this.#snapshot === undefined) return undefined;
    const { seqno: at, viewHistory } = this.#snapshot.base;
    return {
      ...this.#membership,
      viewHistory: viewStarts(viewHistory),
      lastSeqno: at,
      commitSeqno: at,
      signatures: [],
    };
  }

  /** Whether the host keeps a secret whose transaction a crash has lost: entries to come may be under another one. */
  get secretsAreStale(): boolean {
    return (
      this.state.secrets.kept.map(({ from }) => from).join() !== [...this.#keptSeqnos].sort((a, b) => a - b).join()
    );
  }

  /** Whether an entry can be read by itself: a crash may leave one whose frame is whole and whose contents are not. */
  isIntact(bytes: Uint8Array): boolean {
    try {
      this.#kept.decode(bytes);
      return true;
    } catch (error) {
      if (error instanceof LedgerError) return false;
      throw error;
    }
  }

  /** @param bytes - The whole next entry. @throws FaultError `ledger-damaged`, naming the seqno. */
  handleEntry(bytes: Uint8Array): void {
    try {
      const entry = this.state.decode(bytes);
      this.state.append(entry);
      this.entries.push(consensusEntry(entry, entry.writeSet));
      // What was committed is not rolled back, so its leaves need not be kept while reading on.
      if (entry.isSignature && entry.seqno <= this.hardState.commitSeqno) this.state.compact(entry.seqno);
    } catch (cause) {
      const at = this.state.ledger.lastSeqno + 1;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new FaultError("ledger-damaged", `The ledger of this node does not verify at seqno ${at}: ${why}`, {
        cause,
      });
    }
  }
}

/**
 * The configuration in force at a snapshot, and the removals that are not complete there (consensus spec §11.3).
 * @throws LedgerError `bad-snapshot` without one, or when this node is on its way out: its part in that is in the entries before.
 */
function membershipIn(reader: Reader, own: NodeId): Pick<RestoredState, "configurations" | "removed"> {
  const nodes = reader.map(configuration).get(SINGLE)?.nodes;
  const written = reader.map(configuration).versionOf(SINGLE);
  const infos = [...reader.map(nodeInfos).entries()];
  const retired = infos.filter(([, { status }]) => status === "Retired");
  if (nodes === undefined || written === undefined || retired.some(([id]) => id === own)) {
    throw new LedgerError("bad-snapshot", "this node cannot go on from the snapshot: it is no member there");
  }
  const removed = retired.filter(([id, info]) => !info.retired_committed && reader.map(endorsedCertificates).has(id));
  return {
    configurations: [{ seqno: written.seqno, nodes }],
    removed: removed.map(([id]) => NodeId.parse(id)),
  };
}
