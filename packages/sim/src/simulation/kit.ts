/** Puts a user's application under simulation: many seeds, and for the first that fails the smallest run that still does, told so that it can be repeated. */
import { type Model, requireLinearizable } from "../history/linearizability.js";
import { ViolationError } from "../violation.js";
import { shrink } from "./shrink.js";
import { type Report, type SimulationOptions, type Subject, simulate } from "./simulate.js";

export interface KitOptions<Input, Output, State = unknown>
  extends Omit<SimulationOptions<Input, Output>, "seed" | "subject">,
    Subject<Input, Output> {
  /** What the operations mean; then all answers together must be linearizable. Default: not looked at. */
  readonly model?: Model<State, Input, Output>;
  /** How many seeds. Default 10. */
  readonly seeds?: number;
  /** The first of them. Default 1. */
  readonly firstSeed?: number;
  /** Simulations that may be spent on looking for a smaller run. Default 60. */
  readonly shrinkRunsMax?: number;
}

export interface KitFailure {
  readonly seed: number;
  /** Of the smallest run found. */
  readonly report: Report;
  /** What repeats the smallest run: JSON, for `saved`. */
  readonly saved: string;
  /** All that a reader needs: what is wrong, the faults, and how many operations it took. */
  readonly message: string;
}

const SEEDS = 10;
const SHRINK_RUNS_MAX = 60;

/** What of the options is data, and so can be saved. */
type Saved<Input, Output> = Pick<
  SimulationOptions<Input, Output>,
  "seed" | "nodes" | "clients" | "durationMs" | "operationsMax" | "plan"
>;

/**
 * Runs seeds until one fails. What does not hold may be the application's invariant, its judge or model, or anything that the simulation
 * checks by itself.
 * @param saved - of an earlier failure: runs that one alone.
 * @returns undefined when nothing fails.
 * @example
 * const failure = findFailure({ app, workload, invariant: (committed) => expectBalanced(committed.map(accounts)) });
 * if (failure !== undefined) throw new Error(failure.message);
 */
export function findFailure<Input, Output, State>(
  options: KitOptions<Input, Output, State>,
  saved?: string,
): KitFailure | undefined {
  const { seeds = SEEDS, firstSeed = 1, shrinkRunsMax = SHRINK_RUNS_MAX } = options;
  const simulation = { ...options, subject: subjectOf(options) };
  if (saved !== undefined) {
    const settings = JSON.parse(saved) as Saved<Input, Output>; // as `failureOf` wrote it
    const report = simulate({ ...simulation, ...settings });
    return report.violation === undefined ? undefined : failureOf({ ...simulation, ...settings }, report);
  }
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const report = simulate({ ...simulation, seed });
    if (report.violation === undefined) continue;
    const smaller = shrink({ ...simulation, seed }, report, shrinkRunsMax);
    return failureOf(smaller.options, smaller.report);
  }
  return undefined;
}

function subjectOf<Input, Output, State>(options: KitOptions<Input, Output, State>): Subject<Input, Output> {
  const { app, workload, invariant, judge, model } = options;
  return {
    app,
    workload,
    ...(invariant !== undefined && { invariant }),
    judge(committed, operations) {
      if (model !== undefined) requireLinearizable(model, operations);
      try {
        judge?.(committed, operations);
      } catch (cause) {
        if (cause instanceof ViolationError) throw cause;
        throw new ViolationError("application", cause instanceof Error ? cause.message : String(cause), { cause });
      }
    },
  };
}

function failureOf<Input, Output>(options: SimulationOptions<Input, Output>, report: Report): KitFailure {
  const { seed, nodes, clients, durationMs, operationsMax } = options;
  const saved = JSON.stringify({ seed, nodes, clients, durationMs, operationsMax, plan: report.plan });
  const { ok, failed, unknown } = report.operations;
  const faults = report.plan.map(({ atMs, fault }) => `  at ${atMs} ms: ${JSON.stringify(fault)}`);
  const message = [
    `seed ${seed}: ${report.violation?.code}: ${report.violation?.message}`,
    faults.length === 0
      ? "It takes no fault at all."
      : `It takes ${faults.length} of the faults:\n${faults.join("\n")}`,
    `and ${ok + failed + unknown} operations, in ${Math.round(report.simulatedMs)} virtual ms.`,
  ].join("\n");
  return { seed, report, saved, message };
}
