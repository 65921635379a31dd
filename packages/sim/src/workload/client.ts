/**
 * A simulated client: asks for one operation after the other, of whichever node it likes, and goes on with another one when a node does not
 * answer, is down or says that it cannot help. What it sees of an operation goes into the history.
 */
import { fromUtf8, type NodeId, utf8 } from "@sealane/wire";
import type { History, Outcome } from "../history/history.js";
import { SeededRandom } from "../random.js";
import { type Call, Refused, type Reply, type Script, type Workload } from "./workload.js";

/** What a client needs of the simulated service. */
export interface Service {
  readonly nowMs: number;
  /** Those that take connections, in a fixed order. */
  readonly nodes: readonly ServiceNode[];
  /** The node that most would name as the primary. */
  readonly primary: ServiceNode | undefined;
  /** Calls back at that time. */
  at(atMs: number, action: () => void): void;
}

export interface ServiceNode {
  readonly id: NodeId;
  request(
    request: { readonly method: string; readonly path: string; readonly body?: Uint8Array },
    nowMs: number,
    answered: (answer: { readonly status: number; readonly body: Uint8Array }) => void,
  ): void;
}

export interface ClientPolicy {
  /** Between two operations, uniform in [least, most] virtual ms. Default [20, 400]. */
  readonly thinkMs?: readonly [min: number, max: number];
  /** How long it waits for an answer. Default 4,000. */
  readonly requestTimeoutMs?: number;
  /** How long it goes on with one operation. Default 15,000. */
  readonly operationTimeoutMs?: number;
  /**
   * A write whose fate is open. Default `give-up`: the operation's outcome is unknown. `repeat`: send it again, which is right only if the
   * application recognises what it has done already.
   */
  readonly inDoubt?: "give-up" | "repeat";
}

const DEFAULTS = {
  thinkMs: [20, 400],
  requestTimeoutMs: 4_000,
  operationTimeoutMs: 15_000,
  inDoubt: "give-up",
} as const satisfies Required<ClientPolicy>;
/** Before it asks again after a refusal, uniform up to this, in ms. */
const PAUSE_MS = 100;
const OK = 200;

/** Refusals after which it is certain that the request had no effect (node README); any other that may be repeated leaves it open. */
const WITHOUT_EFFECT: ReadonlySet<unknown> = new Set(["no-primary", "overloaded", "lost", "not-trusted", "stopping"]);

/** Told of every answer: by whom, and what. */
export type AnswerListener = (node: NodeId, call: Call, reply: Reply) => void;

export class Client<Input, Output> {
  readonly #number: number;
  readonly #service: Service;
  readonly #workload: Workload<Input, Output>;
  readonly #history: History<Input, Output>;
  readonly #policy: Required<ClientPolicy>;
  readonly #random: SeededRandom;
  readonly #onAnswer: AnswerListener;
  #target: ServiceNode | undefined;
  #isStopping = false;
  #isIdle = true;

  constructor(
    number: number,
    seed: number,
    service: Service,
    workload: Workload<Input, Output>,
    history: History<Input, Output>,
    policy: ClientPolicy,
    onAnswer: AnswerListener,
  ) {
    this.#number = number;
    this.#service = service;
    this.#workload = workload;
    this.#history = history;
    this.#policy = { ...DEFAULTS, ...policy };
    // Its own chance: a plan of faults that is shortened leaves what clients want as it was.
    this.#random = new SeededRandom(Math.imul(seed, 0x9e3779b1) ^ (number + 1));
    this.#onAnswer = onAnswer;
    this.#think();
  }

  /** Whether it waits for nothing. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** Ends after the operation under way. */
  stop(): void {
    this.#isStopping = true;
  }

  #think(): void {
    this.#isIdle = true;
    const [minMs, maxMs] = this.#policy.thinkMs;
    this.#later(minMs + this.#random.upTo(maxMs - minMs), () => {
      if (!this.#isStopping) this.#begin();
    });
  }

  #begin(): void {
    this.#isIdle = false;
    const input = this.#workload.next(this.#random, this.#number);
    const id = this.#history.invoke(this.#number, input, this.#service.nowMs);
    const deadlineMs = this.#service.nowMs + this.#policy.operationTimeoutMs;
    const operation: Running<Output> = {
      id,
      script: this.#workload.run(input, id),
      deadlineMs,
      hasAsked: false,
      isInDoubt: false,
    };
    this.#advance(operation, () => operation.script.next());
  }

  /** Lets the script go on to its next call, or to its end. */
  #advance(operation: Running<Output>, go: () => IteratorResult<Call, Output>): void {
    let result: IteratorResult<Call, Output>;
    try {
      result = go();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // After a call in doubt the refusal may be of the second attempt, and the first had its effect.
      this.#end(operation, operation.isInDoubt ? { type: "unknown" } : { type: "failed" });
      return;
    }
    if (result.done === true) this.#end(operation, { type: "ok", output: result.value });
    else this.#ask(operation, result.value);
  }

  #end(operation: Running<Output>, outcome: Outcome<Output>): void {
    this.#history.complete(operation.id, outcome, this.#service.nowMs);
    this.#think();
  }

  #ask(operation: Running<Output>, call: Call): void {
    const { nowMs } = this.#service;
    if (nowMs >= operation.deadlineMs) {
      // Nothing of this call was carried out; what earlier calls of the operation did is done.
      this.#end(operation, operation.hasAsked ? { type: "unknown" } : { type: "failed" });
      return;
    }
    const target = this.#choose();
    if (target === undefined) {
      this.#askElsewhere(operation, call);
      return;
    }
    const { method, path, body } = call;
    const request = { method, path, ...(body !== undefined && { body: utf8(JSON.stringify(body)) }) };
    // The answer or the time-out, whichever comes first. An answer is heard in the node's turn and acted upon after it.
    let isOver = false;
    const first = (inMs: number, action: () => void) =>
      this.#later(inMs, () => {
        if (isOver) return;
        isOver = true;
        action();
      });
    target.request(request, nowMs, (answer) => first(0, () => this.#handleAnswer(operation, call, target, answer)));
    first(this.#policy.requestTimeoutMs, () => this.#handleDoubt(operation, call));
  }

  #handleAnswer(
    operation: Running<Output>,
    call: Call,
    target: ServiceNode,
    answer: { readonly status: number; readonly body: Uint8Array },
  ): void {
    const reply = replyOf(answer);
    this.#onAnswer(target.id, call, reply);
    const error = refusalOf(reply);
    if (error?.retryable !== true) {
      operation.hasAsked ||= call.method !== "GET" && reply.status === OK;
      this.#target = target;
      this.#advance(operation, () => operation.script.next(reply));
    } else if (WITHOUT_EFFECT.has(error.code)) this.#askElsewhere(operation, call);
    else this.#handleDoubt(operation, call);
  }

  /** Nobody says what became of a call. */
  #handleDoubt(operation: Running<Output>, call: Call): void {
    if (call.method === "GET") this.#askElsewhere(operation, call);
    else if (this.#policy.inDoubt === "repeat") {
      operation.hasAsked = true;
      operation.isInDoubt = true;
      this.#askElsewhere(operation, call);
    } else {
      this.#target = undefined;
      this.#end(operation, { type: "unknown" });
    }
  }

  #askElsewhere(operation: Running<Output>, call: Call): void {
    this.#target = undefined;
    this.#later(1 + this.#random.upTo(PAUSE_MS), () => this.#ask(operation, call));
  }

  /** The node that answered last, mostly; else the primary, as far as one can tell; else any. */
  #choose(): ServiceNode | undefined {
    const { nodes, primary } = this.#service;
    const known = this.#target;
    if (known !== undefined && nodes.includes(known) && !this.#random.chance(0.1)) return known;
    if (primary !== undefined && this.#random.chance(0.5)) return primary;
    return nodes.length === 0 ? undefined : this.#random.pick(nodes);
  }

  #later(inMs: number, action: () => void): void {
    this.#service.at(this.#service.nowMs + inMs, action);
  }
}

interface Running<Output> {
  readonly id: number;
  readonly script: Script<Output>;
  readonly deadlineMs: number;
  /** A call that may have written something was carried out, or may have been. */
  hasAsked: boolean;
  /** Nobody said what became of a call, and it was sent again. */
  isInDoubt: boolean;
}

function replyOf({ status, body }: { readonly status: number; readonly body: Uint8Array }): Reply {
  const value: unknown = body.length === 0 ? {} : JSON.parse(fromUtf8(body));
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return { status, body: isObject ? { ...value } : {} };
}

function refusalOf({ body: { error } }: Reply): { readonly code: unknown; readonly retryable: boolean } | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return { code: error.code, retryable: "retryable" in error && error.retryable === true };
}
