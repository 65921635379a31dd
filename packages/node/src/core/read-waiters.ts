/**
 * Linearisable reads that wait until this primary has made sure that it still leads. Every one ends in one of three ways: ready, refused by
 * the replica, or past its deadline. What the replica says of a read that has ended already is passed over.
 */
import type { ReadRefusal } from "@sealane/consensus";
import { RequestError } from "./errors.js";

export interface ReadWaiter {
  readonly deadlineMs: number;
  /** The committed state is recent enough now. */
  ready(): void;
  refuse(error: RequestError): void;
}

/** At most this many reads wait; a further one is refused. */
const READS_MAX = 20_000;

export class ReadWaiters {
  /** By token, in the order asked; deadlines ascend, as all wait equally long. */
  readonly #waiters = new Map<number, ReadWaiter>();
  #nextToken = 0;

  /** @returns its token, which the replica gives back. @throws RequestError `overloaded`. */
  add(waiter: ReadWaiter): number {
    if (this.#waiters.size >= READS_MAX) {
      throw new RequestError("overloaded", "Too many reads wait already. Send this one again a little later.");
    }
    const token = this.#nextToken++;
    this.#waiters.set(token, waiter);
    return token;
  }

  handleReady(token: number): void {
    this.#take(token)?.ready();
  }

  handleRefused(token: number, reason: ReadRefusal): void {
    this.#take(token)?.refuse(
      reason === "too-many"
        ? new RequestError("overloaded", "Too many reads wait already. Send this one again a little later.")
        : new RequestError("no-primary", "The primary changed before it could answer this read. Send it again."),
    );
  }

  handleTick(nowMs: number): void {
    for (const [token, waiter] of this.#waiters) {
      if (waiter.deadlineMs > nowMs) break;
      this.#waiters.delete(token);
      const why = "No quorum confirmed in time that this state is the newest.";
      waiter.refuse(new RequestError("no-quorum", `${why} Send this read again, or take ?consistency=serializable.`));
    }
  }

  get nextDeadlineMs(): number {
    for (const { deadlineMs } of this.#waiters.values()) return deadlineMs;
    return Number.POSITIVE_INFINITY;
  }

  #take(token: number): ReadWaiter | undefined {
    const waiter = this.#waiters.get(token);
    this.#waiters.delete(token);
    return waiter;
  }
}
