/** Requests that this backup has sent on to the primary and whose answers are outstanding (ledger spec §13). */
import type { NodeId, View } from "@sealane/wire";

/** At most this many requests are under way to the primary; a further one is refused to its client. */
export const FORWARDED_MAX = 4_096;

interface Outstanding {
  readonly requestId: number;
  readonly primary: NodeId;
  /** The view in which it was sent. */
  readonly view: View;
  readonly deadlineMs: number;
}

export class Forwarding {
  /** By command id, in the order sent; deadlines ascend, as all wait equally long, and views do. */
  readonly #outstanding = new Map<number, Outstanding>();
  #nextCommandId = 0;

  get isFull(): boolean {
    return this.#outstanding.size >= FORWARDED_MAX;
  }

  /** Notes a request as sent. @returns its command id, counting up from 0. */
  add(requestId: number, primary: NodeId, view: View, deadlineMs: number): number {
    const commandId = this.#nextCommandId++;
    this.#outstanding.set(commandId, { requestId, primary, view, deadlineMs });
    return commandId;
  }

  /** Takes back a request that could not be sent after all. */
  remove(commandId: number): void {
    this.#outstanding.delete(commandId);
  }

  /** @returns the request an answer is for, or undefined when none is outstanding: late, repeated, or from a node that was not asked. */
  takeAnswered(commandId: number, from: NodeId): number | undefined {
    const outstanding = this.#outstanding.get(commandId);
    if (outstanding?.primary !== from) return undefined;
    this.#outstanding.delete(commandId);
    return outstanding.requestId;
  }

  /** @returns the requests whose deadline has passed; they are forgotten. */
  takeExpired(nowMs: number): number[] {
    return this.#takeWhile(({ deadlineMs }) => deadlineMs <= nowMs);
  }

  /** @returns the requests sent in views before `view`, whose primary leads no more; they are forgotten. */
  takeBefore(view: View): number[] {
    return this.#takeWhile((outstanding) => outstanding.view < view);
  }

  takeAll(): number[] {
    return this.#takeWhile(() => true);
  }

  #takeWhile(holds: (outstanding: Outstanding) => boolean): number[] {
    const taken: number[] = [];
    for (const [commandId, outstanding] of this.#outstanding) {
      if (!holds(outstanding)) break;
      this.#outstanding.delete(commandId);
      taken.push(outstanding.requestId);
    }
    return taken;
  }

  get nextDeadlineMs(): number {
    for (const outstanding of this.#outstanding.values()) return outstanding.deadlineMs;
    return Number.POSITIVE_INFINITY;
  }
}
