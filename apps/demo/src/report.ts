/** Runs the steps of the headless script one after the other and writes down how each went. */
import { DemoError, sentence } from "./errors.js";

export type Details = Readonly<Record<string, unknown>>;

export interface StepReport {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly details: Details;
}

export interface Report {
  readonly verdict: "pass" | "fail";
  /** ISO 8601. */
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly nodes: number;
  readonly steps: readonly StepReport[];
  readonly counts: Readonly<Record<string, number>>;
}

/** A step found that something does not hold; `details` say what was seen. */
export class StepFailure extends Error {
  override readonly name = "StepFailure";
  readonly details: Details;
  constructor(message: string, details: Details = {}) {
    super(message);
    this.details = details;
  }
}

/** @throws {StepFailure} naming the first of the problems, with up to 20 of them in the details. */
export function requireNone(problems: readonly string[], details: Details): void {
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  throw new StepFailure(`${first}${more}`, { ...details, problems: problems.slice(0, 20) });
}

/** The account of one run. A failed step makes `run` throw: later steps would judge nothing. */
export class Account {
  readonly #print: (line: string) => void;
  readonly #startedAt = new Date();
  readonly #steps: StepReport[] = [];
  readonly #counts: Record<string, number> = {};

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  count(name: string, value: number): void {
    this.#counts[name] = value;
  }

  /** The counters so far. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** @param step - Returns details for the report; throws when what it checks does not hold. */
  async run(name: string, step: () => Promise<Details>): Promise<void> {
    const startedAt = performance.now();
    let ok = true;
    let details: Details;
    try {
      details = await step();
    } catch (error) {
      ok = false;
      details = { error: sentence(error), ...(error instanceof StepFailure ? error.details : {}) };
    }
    const ms = Math.round(performance.now() - startedAt);
    this.#steps.push({ name, ok, ms, details });
    this.#print(`${ok ? "ok  " : "FAIL"} ${name} (${ms} ms)${ok ? brief(details) : `: ${String(details.error)}`}`);
    if (!ok) throw new DemoError(`the step "${name}" failed`);
  }

  report(nodes: number, complete: boolean): Report {
    return {
      verdict: complete && this.#steps.every((step) => step.ok) ? "pass" : "fail",
      startedAt: this.#startedAt.toISOString(),
      elapsedMs: Date.now() - this.#startedAt.getTime(),
      nodes,
      steps: this.#steps,
      counts: this.#counts,
    };
  }
}

/** The details that fit on a line. */
function brief(details: Details): string {
  const parts = Object.entries(details)
    .filter(([, value]) => typeof value === "number" || typeof value === "string")
    .map(([name, value]) => `${name} ${String(value)}`);
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}
