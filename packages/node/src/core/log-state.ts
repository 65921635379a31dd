/** What the log's entries add up to in memory: the ledger with its Merkle tree, and the maps. Both always stand at the same seqno. */
import type { Entry } from "@sealane/consensus";
import type { CryptoSuite } from "@sealane/crypto";
import { Store } from "@sealane/kv";
import {
  type BuiltReceipt,
  type DecodedEntry,
  decodeEntry,
  Ledger,
  type LedgerEntry,
  LedgerError,
  type LedgerSecret,
  LedgerSecrets,
  receiptOf,
} from "@sealane/ledger";
import { formatTxId, type NodeId, type Seqno, type TxId, type View, type WriteSet } from "@sealane/wire";
import { FaultError } from "./errors.js";
import { configurationIn, endorsedCertificates, retiredIn, SINGLE, serviceInfo } from "./tables.js";

/** What a node must not forget, beside its ledger. */
export interface HardState {
  readonly view: View;
  readonly votedFor: NodeId | undefined;
  /** A lower bound of what is committed. */
  readonly commitSeqno: Seqno;
}

export class LogState {
  readonly store = new Store();
  readonly ledger: Ledger;
  readonly #suite: CryptoSuite;
  readonly #secrets: LedgerSecrets;

  constructor(suite: CryptoSuite, ledgerSecrets: readonly LedgerSecret[]) {
    this.#suite = suite;
    this.#secrets = new LedgerSecrets(ledgerSecrets);
    this.ledger = new Ledger({
      suite,
      secrets: this.#secrets,
      nodeCertificate: (id) => this.store.read("latest").map(endorsedCertificates).get(id),
      serviceCertificate: () => this.store.read("latest").map(serviceInfo).get(SINGLE)?.cert,
    });
  }

  /** @throws LedgerError when the entry is malformed or fails its tag. */
  decode(bytes: Uint8Array): DecodedEntry {
    return decodeEntry(this.#suite, this.#secrets, bytes);
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
    return receiptOf(decoded, this.decode(signature), { suite: this.#suite, secrets: this.#secrets });
  }

  /** Appends an entry that was written elsewhere, or earlier. @throws LedgerError when it does not follow; nothing changes then. */
  append(entry: DecodedEntry): LedgerEntry {
    const appended = this.ledger.appendReplicated(entry);
    this.store.apply(entry.writeSet, { view: entry.view, seqno: entry.seqno });
    return appended;
  }

  rollback(to: Seqno): void {
    this.ledger.rollback(to);
    this.store.rollback(to);
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
 * const replay = new Replay(suite, ledgerSecrets, hardState);
 * for await (const bytes of storedEntries) replay.handleEntry(bytes);
 * const core = new NodeCore({ ...config, start: { type: "resume", replay, nodes } }, nowMs);
 */
export class Replay {
  readonly state: LogState;
  readonly hardState: HardState;
  readonly entries: Entry[] = [];

  constructor(suite: CryptoSuite, ledgerSecrets: readonly LedgerSecret[], hardState: HardState) {
    this.state = new LogState(suite, ledgerSecrets);
    this.hardState = hardState;
  }

  /** Whether an entry can be read by itself: a crash may leave one whose frame is whole and whose contents are not. */
  isIntact(bytes: Uint8Array): boolean {
    try {
      this.state.decode(bytes);
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
