/** What the log's entries add up to in memory: the ledger with its Merkle tree, and the maps. Both always stand at the same seqno. */
import type { Entry } from "@sealane/consensus";
import type { CryptoSuite } from "@sealane/crypto";
import { Store } from "@sealane/kv";
import {
  type BuiltReceipt,
  type DecodedEntry,
  Ledger,
  type LedgerEntry,
  LedgerError,
  type LedgerSecret,
  receiptOf,
} from "@sealane/ledger";
import { formatTxId, type NodeId, type Seqno, type TxId, type View, type WriteSet } from "@sealane/wire";
import { FaultError } from "./errors.js";
import { type EncryptionKey, type KeptSecret, RotatingSecrets } from "./rotating-secrets.js";
import { configurationIn, endorsedCertificates, retiredIn, SINGLE, serviceInfo } from "./tables.js";

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

export class LogState {
  readonly store = new Store();
  readonly ledger: Ledger;
  readonly secrets: RotatingSecrets;
  readonly #suite: CryptoSuite;

  constructor({ suite, id, ledgerSecrets, encryption }: LogKeys) {
    this.#suite = suite;
    this.secrets = new RotatingSecrets(suite, ledgerSecrets, { id, key: encryption });
    this.ledger = new Ledger({
      suite,
      secrets: this.secrets.current,
      nodeCertificate: (id) => this.store.read("latest").map(endorsedCertificates).get(id),
      serviceCertificate: () => this.store.read("latest").map(serviceInfo).get(SINGLE)?.cert,
    });
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
    return receiptOf(decoded, this.decode(signature), {
      suite: this.#suite,
      secrets: this.secrets.current,
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

  compact(upTo: Seqno): void {
    this.store.compact(upTo);
    this.ledger.compact(upTo);
  }
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

  /** @param keys.ledgerSecrets - All that the host kept. Those that were learned are learned again as the entries are read. */
  constructor(
    keys: Omit<LogKeys, "ledgerSecrets"> & { readonly ledgerSecrets: readonly KeptSecret[] },
    hardState: HardState,
  ) {
    this.state = new LogState({ ...keys, ledgerSecrets: keys.ledgerSecrets.filter(({ isLearned }) => !isLearned) });
    this.#kept = new LogState(keys);
    this.#keptSeqnos = keys.ledgerSecrets.map(({ from }) => from);
    this.hardState = hardState;
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
