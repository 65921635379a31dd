/**
 * Requests that were executed and wait until what they wrote, or saw, is committed. Every one ends in one of four ways: committed, lost, past
 * its deadline, or with this node's part in the service.
 *
 * What is rolled back is lost at once where no signature followed it: a new primary begins behind its last signature (consensus spec §9.5), so
 * nobody can bring it back. What was signed may stand in the log of a node that becomes primary later, and commit after all: that is known only
 * when something else, or it, is committed in its place.
 */
import type { Seqno, TxId, TxStatus } from "@sealane/wire";

export type CommitOutcome = "committed" | "lost" | "deadline" | "retired";

export interface CommitWaiter {
  readonly txId: TxId;
  readonly deadlineMs: number;
  finish(outcome: CommitOutcome): void;
}

export class CommitWaiters {
  /** Invariant: seqnos ascend, as entries are executed in order; deadlines ascend too, as all wait equally long. */
  #waiters: CommitWaiter[] = [];
  /** Rolled back here, and perhaps not everywhere. Deadlines ascend. */
  #doubtful: CommitWaiter[] = [];

  get size(): number {
    return this.#waiters.length + this.#doubtful.length;
  }

  add(waiter: CommitWaiter): void {
    this.#waiters.push(waiter);
  }

  /** @param status - Of a transaction, now that everything up to `seqno` is committed. */
  handleCommit(seqno: Seqno, status: (txId: TxId) => TxStatus): void {
    const end = this.#waiters.findIndex(({ txId }) => txId.seqno > seqno);
    finish(this.#waiters.splice(0, end === -1 ? this.#waiters.length : end), "committed");
    if (this.#doubtful.length === 0) return;
    const settled = this.#doubtful.map((waiter) => ({ waiter, status: status(waiter.txId) }));
    this.#doubtful = this.#doubtful.filter((_, index) => !isFinal(settled[index]?.status));
    for (const { waiter, status } of settled) {
      if (isFinal(status)) waiter.finish(status === "committed" ? "committed" : "lost");
    }
  }

  /** @param signedTo - The last signature that was in the log. */
  handleRollback(to: Seqno, signedTo: Seqno): void {
    const start = this.#waiters.findIndex(({ txId }) => txId.seqno > to);
    if (start === -1) return;
    const gone = this.#waiters.splice(start);
    this.#doubtful.push(...gone.filter(({ txId }) => txId.seqno <= signedTo));
    this.#doubtful.sort((a, b) => a.deadlineMs - b.deadlineMs);
    const lost = gone.filter(({ txId }) => txId.seqno > signedTo);
    finish(lost, "lost");
  }

  handleTick(nowMs: number): void {
    for (const list of [this.#waiters, this.#doubtful]) {
      const end = list.findIndex((waiter) => waiter.deadlineMs > nowMs);
      finish(list.splice(0, end === -1 ? list.length : end), "deadline");
    }
  }

  handleRetired(): void {
    finish([...this.#waiters.splice(0), ...this.#doubtful.splice(0)], "retired");
  }

  get nextDeadlineMs(): number {
    const deadlines = [this.#waiters[0], this.#doubtful[0]].map(
      (waiter) => waiter?.deadlineMs ?? Number.POSITIVE_INFINITY,
    );
    return Math.min(...deadlines);
  }
}

function isFinal(status: TxStatus | undefined): boolean {
  return status === "committed" || status === "invalid";
}

function finish(waiters: readonly CommitWaiter[], outcome: CommitOutcome): void {
  for (const waiter of waiters) waiter.finish(outcome);
}
