/**
 * Is there one order of all operations that explains every answer, in which each operation stands between its invocation and its return?
 * (Herlihy and Wing, 1990.) The search is Wing and Gong's (1993) with Lowe's memoisation (2017): an operation is put next in the order
 * if its answer fits, and taken back when nothing can follow; a set of ordered operations that led to the same state before is not
 * tried again. Operations on different keys do not meet, so each key is searched by itself (the property is local).
 *
 * An operation whose outcome is unknown may stand anywhere behind its invocation, or nowhere. One that failed stands nowhere.
 */
import { ViolationError } from "../violation.js";
import type { Operation } from "./history.js";

/** What the operations mean, said by itself: a sequential specification. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /**
   * The state after `input`, or undefined when it cannot be answered with `output` in this state.
   * @param output - undefined: nobody was told, any answer fits.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal texts for equal states, different texts for different ones. */
  textOf(state: State): string;
  /** What an operation is about; operations on different keys do not influence each other. */
  keyOf(input: Input): string;
}

export type Verdict<Input, Output> =
  | { readonly type: "linearizable" }
  | {
      readonly type: "not-linearizable";
      readonly key: string;
      /** All operations on the key. */
      readonly operations: readonly Operation<Input, Output>[];
      /** Ids of the longest order found that explains its answers; with any further operation one of them is wrong. */
      readonly longest: readonly number[];
    }
  /** The search took too many steps. Nothing is shown, so a caller treats this as a failure. */
  | { readonly type: "undecided"; readonly key: string; readonly steps: number };

/** Far more than any history of the simulation takes, and still seconds. */
const STEPS_MAX = 2_000_000;

/** @param options.stepsMax - of the search, for each key. */
export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  { stepsMax = STEPS_MAX }: { readonly stepsMax?: number } = {},
): Verdict<Input, Output> {
  for (const [key, ofKey] of byKey(model, operations)) {
    const verdict = new Search(model, ofKey).run(stepsMax);
    if (verdict === "linearizable") continue;
    if (verdict === "undecided") return { type: "undecided", key, steps: stepsMax };
    return { type: "not-linearizable", key, operations: ofKey, longest: verdict };
  }
  return { type: "linearizable" };
}

/** @throws {ViolationError} `not-linearizable`, `undecided` */
export function requireLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): void {
  const verdict = checkLinearizable(model, operations);
  if (verdict.type === "linearizable") return;
  if (verdict.type === "undecided") {
    throw new ViolationError("undecided", `the operations on ${verdict.key}, after ${verdict.steps} steps`);
  }
  const lines = verdict.operations.map(
    ({ id, client, input, outcome, invokedMs, returnedMs }) =>
      `  ${id} by ${client}, ${invokedMs} to ${returnedMs} ms: ${JSON.stringify(input)} ${JSON.stringify(outcome)}`,
  );
  const explained = verdict.longest.length;
  throw new ViolationError(
    "not-linearizable",
    `no order explains the answers of ${verdict.key}, at most ${explained} of them:\n${lines.join("\n")}`,
  );
}

function byKey<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): Map<string, Operation<Input, Output>[]> {
  const keys = new Map<string, Operation<Input, Output>[]>();
  for (const operation of operations) {
    if (operation.outcome.type === "failed") continue;
    const key = model.keyOf(operation.input);
    const list = keys.get(key);
    if (list === undefined) keys.set(key, [operation]);
    else list.push(operation);
  }
  return keys;
}

/** A call or a return in the list of those not ordered yet. */
interface Event<Input, Output> {
  readonly operation: Operation<Input, Output>;
  /** The operation's number in this search. */
  readonly index: number;
  /** Of a call: its return, unless nobody was told. Of a return: undefined. */
  readonly returns: Event<Input, Output> | undefined;
  readonly isCall: boolean;
  previous: Event<Input, Output> | undefined;
  next: Event<Input, Output> | undefined;
}

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  /** The list starts behind this. */
  readonly #head: { next: Event<Input, Output> | undefined };
  readonly #ordered: OrderedSet;
  /** Operations that returned and are not ordered yet. */
  #open: number;

  constructor(model: Model<State, Input, Output>, operations: readonly Operation<Input, Output>[]) {
    this.#model = model;
    this.#ordered = new OrderedSet(operations.length);
    this.#open = operations.filter(({ outcome }) => outcome.type === "ok").length;
    this.#head = { next: linked(eventsOf(operations)) };
  }

  /** @returns the longest order found when there is none of all. */
  run(stepsMax: number): "linearizable" | "undecided" | readonly number[] {
    const seen = new Set<string>();
    const stack: { readonly event: Event<Input, Output>; readonly state: State }[] = [];
    let longest: readonly number[] = [];
    let { initial: state } = this.#model;
    let event = this.#head.next;
    for (let steps = 0; this.#open > 0; steps++) {
      if (steps >= stepsMax) return "undecided";
      if (event === undefined) throw new Error("a list with an open return ends behind it");
      if (!event.isCall) {
        // Everything that could stand before this return has been tried: the last one ordered was wrong there.
        if (stack.length > longest.length) longest = stack.map((each) => each.event.operation.id);
        const last = stack.pop();
        if (last === undefined) return longest;
        this.#takeBack(last.event);
        ({ state } = last);
        event = last.event.next;
        continue;
      }
      const { input, outcome } = event.operation;
      const after = this.#model.step(state, input, outcome.type === "ok" ? outcome.output : undefined);
      if (after !== undefined && this.#isNew(seen, event.index, after)) {
        stack.push({ event, state });
        state = after;
        this.#order(event);
        event = this.#head.next;
      } else event = event.next;
    }
    return "linearizable";
  }

  /** Whether these ordered operations, with this one, have not led to this state before. */
  #isNew(seen: Set<string>, index: number, state: State): boolean {
    this.#ordered.add(index);
    const text = `${this.#ordered.text}|${this.#model.textOf(state)}`;
    this.#ordered.delete(index);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  }

  #order(call: Event<Input, Output>): void {
    this.#ordered.add(call.index);
    this.#unlink(call);
    if (call.returns === undefined) return;
    this.#unlink(call.returns);
    this.#open -= 1;
  }

  #takeBack(call: Event<Input, Output>): void {
    this.#ordered.delete(call.index);
    if (call.returns !== undefined) {
      this.#relink(call.returns);
      this.#open += 1;
    }
    this.#relink(call);
  }

  #unlink({ previous, next }: Event<Input, Output>): void {
    if (previous === undefined) this.#head.next = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
  }

  /** Undoes `#unlink`, in the opposite order: the event still knows where it stood. */
  #relink(event: Event<Input, Output>): void {
    const { previous, next } = event;
    if (previous === undefined) this.#head.next = event;
    else previous.next = event;
    if (next !== undefined) next.previous = event;
  }
}

/** Calls and returns in the order in which they happened. */
function eventsOf<Input, Output>(operations: readonly Operation<Input, Output>[]): Event<Input, Output>[] {
  const events = operations.flatMap((operation, index) => {
    const links = { operation, index, previous: undefined, next: undefined };
    const returns = operation.outcome.type === "ok" ? { ...links, isCall: false, returns: undefined } : undefined;
    const call = { ...links, isCall: true, returns };
    return returns === undefined ? [call] : [call, returns];
  });
  const placeOf = ({ isCall, operation }: Event<Input, Output>) =>
    isCall ? operation.invokedAt : operation.returnedAt;
  return events.sort((a, b) => placeOf(a) - placeOf(b));
}

function linked<Input, Output>(events: readonly Event<Input, Output>[]): Event<Input, Output> | undefined {
  for (const [index, event] of events.entries()) {
    event.previous = events[index - 1];
    event.next = events[index + 1];
  }
  return events[0];
}

/** A set of small numbers. Nearly all below some number are in it, so its text is that number and the few others. */
class OrderedSet {
  readonly #has: boolean[];
  /** Invariant: all numbers below it are in the set. */
  #full = 0;
  #last = -1;

  constructor(size: number) {
    this.#has = new Array<boolean>(size).fill(false);
  }

  add(index: number): void {
    this.#has[index] = true;
    this.#last = Math.max(this.#last, index);
    while (this.#has[this.#full] === true) this.#full += 1;
  }

  delete(index: number): void {
    this.#has[index] = false;
    this.#full = Math.min(this.#full, index);
    while (this.#last >= 0 && this.#has[this.#last] !== true) this.#last -= 1;
  }

  get text(): string {
    let text = `${this.#full}`;
    for (let index = this.#full + 1; index <= this.#last; index++) if (this.#has[index] === true) text += `,${index}`;
    return text;
  }
}
