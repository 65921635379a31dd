/**
 * Requests that were executed and wait until what they wrote, or saw, is committed. Every one ends in one of four ways: committed, rolled
 * back, past its deadline, or with this node's part in the service.
 */
import type { Seqno } from "@sealane/wire";

export type CommitOutcome = "committed" | "lost" | "deadline" | "retired";

export interface CommitWaiter {
  readonly seqno: Seqno;
  readonly deadlineMs: number;
  finish(outcome: CommitOutcome): void;
}

export class CommitWaiters {
  /** Invariant: seqnos ascend, as entries are executed in order; deadlines ascend too, as all wait equally long. */
  #waiters: CommitWaiter[] = [];

  get size(): number {
    return this.#waiters.length;
  }

  add(waiter: CommitWaiter): void {
    this.#waiters.push(waiter);
  }

  handleCommit(seqno: Seqno): void {
    const end = this.#waiters.findIndex((waiter) => waiter.seqno > seqno);
    this.#finish(0, end === -1 ? this.#waiters.length : end, "committed");
  }

  handleRollback(seqno: Seqno): void {
    const start = this.#waiters.findIndex((waiter) => waiter.seqno > seqno);
    if (start !== -1) this.#finish(start, this.#waiters.length, "lost");
  }

  handleTick(nowMs: number): void {
    const end = this.#waiters.findIndex((waiter) => waiter.deadlineMs > nowMs);
    this.#finish(0, end === -1 ? this.#waiters.length : end, "deadline");
  }

  handleRetired(): void {
    this.#finish(0, this.#waiters.length, "retired");
  }

  get nextDeadlineMs(): number {
    return this.#waiters[0]?.deadlineMs ?? Number.POSITIVE_INFINITY;
  }

  #finish(start: number, end: number, outcome: CommitOutcome): void {
    for (const waiter of this.#waiters.splice(start, end - start)) waiter.finish(outcome);
  }
}
