/** What clients asked and what they were told, in the order in which it happened. Written while a run goes on, judged afterwards. */

/** How an operation ended, as its client saw it. */
export type Outcome<Output> =
  /** Answered: it took effect at some instant between its invocation and its return. */
  | { readonly type: "ok"; readonly output: Output }
  /** Refused, and certain to have had no effect. */
  | { readonly type: "failed" }
  /** Not answered, or answered with a doubt: it may have had its effect at any instant since its invocation, or never. */
  | { readonly type: "unknown" };

export interface Operation<Input, Output> {
  /** Its place in the order of invocations, from 0. */
  readonly id: number;
  readonly client: number;
  readonly input: Input;
  readonly outcome: Outcome<Output>;
  /** Places in the one order of all invocations and returns; `returnedAt` is `Infinity` unless the outcome is `ok` or `failed`. */
  readonly invokedAt: number;
  readonly returnedAt: number;
  /** Virtual ms, for people. */
  readonly invokedMs: number;
  readonly returnedMs: number;
}

const UNKNOWN = { type: "unknown" } as const;

export class History<Input, Output> {
  readonly #operations: Operation<Input, Output>[] = [];
  #events = 0;

  /** In the order of their invocations. Those still under way are `unknown`. */
  get operations(): readonly Operation<Input, Output>[] {
    return this.#operations;
  }

  /** @returns the operation's id. */
  invoke(client: number, input: Input, nowMs: number): number {
    const id = this.#operations.length;
    this.#operations.push({
      id,
      client,
      input,
      outcome: UNKNOWN,
      invokedAt: this.#events++,
      returnedAt: Number.POSITIVE_INFINITY,
      invokedMs: nowMs,
      returnedMs: Number.POSITIVE_INFINITY,
    });
    return id;
  }

  /** @throws {RangeError} for an operation that was never invoked, or has returned already. */
  complete(id: number, outcome: Outcome<Output>, nowMs: number): void {
    const operation = this.#operations[id];
    if (operation === undefined || operation.returnedMs !== Number.POSITIVE_INFINITY) {
      throw new RangeError(`operation ${id} is not under way`);
    }
    const returnedAt = outcome.type === "unknown" ? Number.POSITIVE_INFINITY : this.#events++;
    this.#operations[id] = { ...operation, outcome, returnedAt, returnedMs: nowMs };
  }
}
