/**
 * Receipts over the API (ledger spec §9): for a committed transaction, from its entry and the first signature entry after it, in memory or
 * read back by the host. One for a transaction that is not committed yet waits for that, until its deadline.
 *
 * A receipt reveals the commit evidence and cannot be taken back, so none is made before the commit. What the host reads is not trusted: an
 * entry must open with the ledger secret under the very transaction id, and its leaf must be in a tree that a node has signed.
 */
import { type BuiltReceipt, isSignatureEntry, LedgerError } from "@sealane/ledger";
import { formatTxId, type Seqno, seqno, type TxId } from "@sealane/wire";
import { type Answering, jsonAnswer } from "./answer.js";
import { RequestError } from "./errors.js";
import type { ReplicatedLog } from "./replicated-log.js";
import type { StoredEntries } from "./stored-entries.js";

/** At most this many receipts are being made; a further request is refused. */
export const RECEIPTS_MAX = 1_024;
/** Of those, at most this many read from storage at a time, */
const READS_MAX = 8;
/** so many bytes at a time: the signature is near, as one comes after every few entries or, under load, every few thousand. */
const READ_BYTES_MAX = 256 * 1024;

/** At most this many are made in one turn: each takes a few milliseconds, in which the node does nothing else. */
const MADE_PER_TURN_MAX = 16;

export type ReceiptForm = "json" | "cose";

interface Pending {
  readonly txId: TxId;
  readonly form: ReceiptForm;
  readonly answer: Answering;
  readonly deadlineMs: number;
  /** The transaction's own entry, once found. */
  entry: Uint8Array | undefined;
  /** Where the search goes on. */
  next: Seqno;
  isReading: boolean;
}

/** What is needed of the node's log. */
export type ReceiptLog = Pick<ReplicatedLog, "entryAt" | "receiptOf"> & {
  readonly replica: Pick<ReplicatedLog["replica"], "status" | "commitSeqno">;
};

export class Receipts {
  readonly #log: ReceiptLog;
  readonly #stored: StoredEntries;
  /** In the order asked; deadlines ascend, as all wait equally long. */
  readonly #pending = new Set<Pending>();
  #reads = 0;
  #madeThisTurn = 0;

  constructor(log: ReceiptLog, stored: StoredEntries) {
    this.#log = log;
    this.#stored = stored;
  }

  get waitUntilMs(): number {
    if (this.#turnIsFull) return 0; // there may be more to do at once
    for (const { deadlineMs } of this.#pending) return deadlineMs;
    return Number.POSITIVE_INFINITY;
  }

  /** @throws RequestError `not-found` when it was rolled back, `overloaded`. Other failures are answered. */
  handleRequest(txId: TxId, form: ReceiptForm, answer: Answering, deadlineMs: number): void {
    if (this.#log.replica.status(txId) === "invalid") throw rolledBack(txId);
    if (this.#pending.size >= RECEIPTS_MAX) {
      throw new RequestError("overloaded", "Too many receipts are being made. Ask for this one a little later.");
    }
    const pending = { txId, form, answer, deadlineMs, entry: undefined, next: txId.seqno, isReading: false };
    this.#pending.add(pending);
    this.#advance(pending);
  }

  handleCommit(): void {
    for (const pending of this.#pending) if (!pending.isReading) this.#advance(pending);
  }

  handleTick(nowMs: number): void {
    const wasFull = this.#turnIsFull;
    this.#madeThisTurn = 0;
    if (wasFull) this.handleCommit();
    for (const pending of this.#pending) {
      if (pending.deadlineMs > nowMs) break;
      const which = formatTxId(pending.txId);
      this.#refuse(pending, new RequestError("timeout", `Transaction ${which} has no receipt here yet. Ask again.`));
    }
  }

  get #turnIsFull(): boolean {
    return this.#madeThisTurn >= MADE_PER_TURN_MAX;
  }

  /** Goes on as far as memory reaches; then asks the host, and is called again with its answer. */
  #advance(pending: Pending): void {
    const { txId } = pending;
    const status = this.#log.replica.status(txId);
    if (status === "invalid") this.#refuse(pending, rolledBack(txId));
    if (status !== "committed") return;
    if (this.#turnIsFull) return; // goes on with the next tick
    // The last committed entry is a signature, so the search ends there at the latest.
    while (pending.next <= this.#log.replica.commitSeqno) {
      const bytes = this.#log.entryAt(pending.next);
      if (bytes === undefined) {
        this.#read(pending);
        return;
      }
      if (this.#take(pending, bytes)) return;
    }
    this.#refuse(pending, notHeld(txId));
  }

  #read(pending: Pending): void {
    if (this.#reads >= READS_MAX) return; // goes on when another one is done
    pending.isReading = true;
    this.#reads += 1;
    const range = { from: pending.next, through: this.#log.replica.commitSeqno, bytesMax: READ_BYTES_MAX };
    this.#stored.read(range, (entries) => {
      pending.isReading = false;
      this.#reads -= 1;
      this.#handleRead(pending, entries);
      for (const other of this.#pending) {
        if (this.#reads >= READS_MAX) break;
        if (!other.isReading) this.#advance(other);
      }
    });
  }

  #handleRead(pending: Pending, entries: readonly Uint8Array[]): void {
    if (!this.#pending.has(pending)) return; // past its deadline
    if (entries.length === 0) {
      this.#refuse(pending, notHeld(pending.txId));
      return;
    }
    for (const bytes of entries) if (this.#take(pending, bytes)) return;
    this.#advance(pending);
  }

  /** @returns whether the search is over. */
  #take(pending: Pending, bytes: Uint8Array): boolean {
    if (pending.next === pending.txId.seqno) pending.entry = bytes;
    pending.next = seqno(pending.next + 1);
    if (pending.entry === undefined || !isSignatureEntry(bytes)) return false;
    this.#finish(pending, pending.entry, bytes);
    return true;
  }

  #finish(pending: Pending, entry: Uint8Array, signature: Uint8Array): void {
    const { txId, form } = pending;
    this.#madeThisTurn += 1;
    const receipt = this.#make(txId, entry, signature);
    if (receipt === undefined) {
      this.#refuse(pending, notHeld(txId)); // the files of this node are damaged there
      return;
    }
    if (form === "json") this.#answer(pending, jsonAnswer(200, receipt.json));
    else if (receipt.cose !== undefined) {
      this.#answer(pending, { status: 200, body: receipt.cose, contentType: "application/cose" });
    } else {
      const which = formatTxId(txId);
      this.#refuse(
        pending,
        new RequestError("not-found", `Transaction ${which} is a signature, which has no COSE form.`),
      );
    }
  }

  #make(txId: TxId, entry: Uint8Array, signature: Uint8Array): BuiltReceipt | undefined {
    try {
      const receipt = this.#log.receiptOf(txId, entry, signature);
      return this.#log.replica.status(receipt.signatureTxId) === "committed" ? receipt : undefined;
    } catch (error) {
      if (error instanceof LedgerError) return undefined;
      throw error;
    }
  }

  #refuse(pending: Pending, error: RequestError): void {
    this.#answer(pending, jsonAnswer(error.status, error.answer));
  }

  #answer(pending: Pending, answer: Parameters<Answering>[0]): void {
    if (this.#pending.delete(pending)) pending.answer(answer);
  }
}

function rolledBack(txId: TxId): RequestError {
  return new RequestError("not-found", `Transaction ${formatTxId(txId)} was rolled back: it has no receipt.`);
}

function notHeld(txId: TxId): RequestError {
  const which = formatTxId(txId);
  return new RequestError("not-held", `This node cannot read transaction ${which} any more. Ask another node.`);
}
