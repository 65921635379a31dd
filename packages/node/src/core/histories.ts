/**
 * Questions about the past under way: each walks through committed entries, in memory or read back by the host, until its page is full. What
 * is not committed here yet is waited for, until the deadline.
 *
 * Looking through entries takes the node's time and reading them its disk, so a few questions are worked on at a time, each turn does a little,
 * and a page ends after a bounded walk whatever it has found. What the host reads is not trusted: an entry must open with the ledger secret as
 * the very transaction that was committed there.
 */
import { type DecodedEntry, LedgerError } from "@sealane/ledger";
import { type Seqno, utf8 } from "@sealane/wire";
import { type Answer, type Answering, jsonAnswer } from "./answer.js";
import { RequestError } from "./errors.js";
import type { CommitState, HistoryQuery } from "./history-query.js";
import { HistoryScan } from "./history-scan.js";
import type { StoredEntries } from "./stored-entries.js";

/** At most this many questions wait or are worked on; a further one is refused. */
export const HISTORIES_MAX = 256;
/** Worked on at a time, in the order asked: each holds what it has read ahead. */
const ACTIVE_MAX = 4;
/** Looked through in one turn, by all of them together: under a millisecond, in which the node does nothing else, */
export const ENTRIES_PER_TURN_MAX = 64;
/** but for the entry that goes beyond so many bytes. */
const BYTES_PER_TURN_MAX = 128 * 1024;

/** What is needed of the node's log. */
export interface HistoryLog {
  readonly replica: CommitState;
  entryAt(at: Seqno): Uint8Array | undefined;
  /** @throws LedgerError */
  decode(bytes: Uint8Array): DecodedEntry;
}

interface Pending {
  readonly query: HistoryQuery;
  readonly answer: Answering;
  readonly deadlineMs: number;
  /** Once it is committed what is asked about. */
  scan: HistoryScan | undefined;
  isReading: boolean;
}

interface Budget {
  entries: number;
  bytes: number;
}

export class Histories {
  readonly #log: HistoryLog;
  readonly #stored: StoredEntries;
  /** By request, in the order asked; deadlines ascend, as all wait equally long. */
  readonly #pending = new Map<number, Pending>();
  #hasWork = false;

  constructor(log: HistoryLog, stored: StoredEntries) {
    this.#log = log;
    this.#stored = stored;
  }

  get waitUntilMs(): number {
    if (this.#hasWork) return 0; // the next piece, in the next turn
    for (const { deadlineMs } of this.#pending.values()) return deadlineMs;
    return Number.POSITIVE_INFINITY;
  }

  /** @param id - Of the request. @throws RequestError `not-found` when it was rolled back, `overloaded`. Other failures are answered. */
  handleRequest(id: number, query: HistoryQuery, answer: Answering, deadlineMs: number): void {
    query.range(this.#log.replica);
    if (this.#pending.size >= HISTORIES_MAX) {
      throw new RequestError("overloaded", "Too many questions about the past are open. Ask this one a little later.");
    }
    this.#pending.set(id, { query, answer, deadlineMs, scan: undefined, isReading: false });
    this.#hasWork = true;
  }

  /** Nobody waits for the answer any more. */
  handleGone(id: number): void {
    if (this.#pending.delete(id)) this.#hasWork = this.#pending.size > 0;
  }

  handleCommit(): void {
    this.#hasWork = this.#pending.size > 0;
  }

  /** One turn's share of the work. */
  handleFlush(): void {
    if (!this.#hasWork) return;
    this.#hasWork = false;
    const budget: Budget = { entries: ENTRIES_PER_TURN_MAX, bytes: BYTES_PER_TURN_MAX };
    let active = 0;
    for (const [id, pending] of this.#pending) {
      if (pending.isReading) active += 1;
      else if (this.#begin(id, pending)) active += this.#advance(id, pending, budget);
      if (budget.entries <= 0 || budget.bytes <= 0) {
        this.#hasWork = true;
        return;
      }
      if (active >= ACTIVE_MAX) return; // until what they read is there
    }
  }

  handleTick(nowMs: number): void {
    for (const [id, pending] of this.#pending) {
      if (pending.deadlineMs > nowMs) break;
      const { query, scan } = pending;
      const why = scan === undefined ? "has not committed" : "could not read";
      this.#settle(id, pending, new RequestError("timeout", `This node ${why} ${query.what} in time. Ask again.`));
      this.#hasWork = this.#pending.size > 0;
    }
  }

  /** @returns whether there is something to walk through. */
  #begin(id: number, pending: Pending): boolean {
    if (pending.scan !== undefined) return true;
    const { query } = pending;
    try {
      const range = query.range(this.#log.replica);
      if (range === undefined) return false;
      const { commitSeqno } = this.#log.replica;
      pending.scan = new HistoryScan(range, commitSeqno, query.newestFirst, query.itemsMax);
      return true;
    } catch (error) {
      this.#refuse(id, pending, error);
      return false;
    }
  }

  /** Goes on as far as memory and the turn's share reach. @returns 1 when more is to do, 0 when it is answered. */
  #advance(id: number, pending: Pending, budget: Budget): number {
    const { scan, query } = pending;
    if (scan === undefined) return 0;
    try {
      for (let at = scan.next; at !== undefined; at = scan.next) {
        const bytes = scan.buffered ?? this.#log.entryAt(at);
        if (bytes === undefined) {
          this.#read(id, pending, scan);
          return 1;
        }
        if (budget.entries <= 0 || budget.bytes <= 0) return 1;
        budget.entries -= 1;
        budget.bytes -= bytes.length;
        const entry = this.#open(at, bytes);
        if (entry === undefined) {
          this.#settle(id, pending, notHeld(query.what, undefined));
          return 0;
        }
        scan.step(bytes.length, query.item(entry));
      }
      this.#answer(id, pending, { status: 200, body: utf8(query.body(scan.page)) });
    } catch (error) {
      this.#refuse(id, pending, error);
    }
    return 0;
  }

  /** Undefined unless it is the entry that was committed there: what is on disk may be damaged, or have been taken back long ago. */
  #open(at: Seqno, bytes: Uint8Array): DecodedEntry | undefined {
    try {
      const entry = this.#log.decode(bytes);
      return entry.seqno === at && this.#log.replica.status(entry) === "committed" ? entry : undefined;
    } catch (error) {
      if (error instanceof LedgerError) return undefined;
      throw error;
    }
  }

  #read(id: number, pending: Pending, scan: HistoryScan): void {
    const { wanted } = scan;
    pending.isReading = true;
    this.#stored.read(wanted, (entries, _nowMs, firstHeld) => {
      pending.isReading = false;
      this.#hasWork = true;
      if (this.#pending.get(id) !== pending) return; // past its deadline, or nobody waits
      if (entries.length > 0) scan.handleRead(wanted.from, entries);
      else this.#settle(id, pending, notHeld(pending.query.what, firstHeld));
    });
  }

  /** Ends one that cannot go on: with what it has found, or with `error` if it has got nowhere. */
  #settle(id: number, pending: Pending, error: RequestError): void {
    const { scan, query } = pending;
    if (scan?.hasMoved === true) this.#answer(id, pending, { status: 200, body: utf8(query.body(scan.page)) });
    else this.#refuse(id, pending, error);
  }

  #refuse(id: number, pending: Pending, error: unknown): void {
    // What a history's own code throws over a stored value is its fault, and says nothing to the client.
    const refusal =
      error instanceof RequestError ? error : new RequestError("internal", "The application cannot show this history.");
    // Found so far comes first: the refusal is the answer to what comes next.
    if (pending.scan?.hasMoved === true && error instanceof RequestError && error.code === "too-large") {
      this.#settle(id, pending, refusal);
      return;
    }
    this.#answer(id, pending, jsonAnswer(refusal.status, refusal.answer));
  }

  #answer(id: number, pending: Pending, answer: Answer): void {
    if (this.#pending.delete(id)) pending.answer(answer);
  }
}

function notHeld(what: string, firstHeld: Seqno | undefined): RequestError {
  const from = firstHeld === undefined ? "" : ` It holds entries from ${firstHeld} on.`;
  return new RequestError("not-held", `This node cannot read ${what}.${from} Ask another node.`);
}
