/** What simulated clients do: operations, each a short conversation with the service. Pure, so that a seed decides all of it. */
import type { SeededRandom } from "../random.js";

/** One request. */
export interface Call {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Sent as JSON; left out: no body. */
  readonly body?: unknown;
}

/** An answer that says what became of the request: anything but a refusal that may be repeated, and but silence. */
export interface Reply {
  readonly status: number;
  /** Fields of the JSON object; empty when the body is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * The calls of one operation, one after the other: it yields a call, is handed the reply, and returns what the client has learned. It ends
 * early, as `unknown`, when a call may have had its effect and nobody said so. Throw `Refused` for an operation that had no effect.
 */
export type Script<Output> = Generator<Call, Output, Reply>;

export interface Workload<Input, Output> {
  /** The next operation of a client; plain data, so that a history can be printed. */
  next(random: SeededRandom, client: number): Input;
  /** @param operation - different for each operation of a run: a name under which it can be recognised when it is sent again. */
  run(input: Input, operation: number): Script<Output>;
}

/** An operation was refused and had no effect. */
export class Refused extends Error {
  override readonly name = "Refused";
}
