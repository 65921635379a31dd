/** Looks for less that fails in the same way: fewer faults, less time, fewer nodes, fewer operations. */
import { reduceList } from "./reduce-list.js";
import {
  CLIENTS_DEFAULT,
  DURATION_MS_DEFAULT,
  NODES_DEFAULT,
  type Report,
  type SimulationOptions,
  simulate,
} from "./simulate.js";

type Filled = "plan" | "nodes" | "clients" | "durationMs";

export interface Shrunk<Input, Output> {
  /** Fails too. What had been left out is filled in. */
  readonly options: SimulationOptions<Input, Output> & Required<Pick<SimulationOptions<Input, Output>, Filled>>;
  readonly report: Report;
  /** Simulations that were tried. */
  readonly runs: number;
}

const RUNS_MAX = 200;
/** What a run goes on for behind the last fault that is left, in virtual ms. */
const TAIL_MS = 2_000;

/**
 * @param failed - the report of `options`, with a violation.
 * @param runsMax - the most simulations to try. Default 200.
 * @param run - what runs one.
 * @throws {TypeError} when there is no violation to look for.
 */
export function shrink<Input, Output>(
  options: SimulationOptions<Input, Output>,
  failed: Report,
  runsMax = RUNS_MAX,
  run: (options: SimulationOptions<Input, Output>) => Report = simulate,
): Shrunk<Input, Output> {
  const { violation } = failed;
  if (violation === undefined) throw new TypeError("a run that fails can be shrunk");
  const filled = { nodes: NODES_DEFAULT, clients: CLIENTS_DEFAULT, durationMs: DURATION_MS_DEFAULT, ...options };
  let best = { options: { ...filled, plan: failed.plan }, report: failed };
  let runs = 0;
  const mayGoOn = () => runs < runsMax;
  /** Keeps the smaller one if it fails too. */
  const attempt = (smaller: typeof best.options): boolean => {
    if (!mayGoOn()) return false;
    runs += 1;
    const report = run(smaller);
    if (report.violation?.code !== violation.code) return false;
    best = { options: smaller, report };
    return true;
  };
  const reducePlan = () => reduceList(best.options.plan, (plan) => attempt({ ...best.options, plan }), mayGoOn);

  reducePlan();
  const lastMs = best.options.plan.reduce(
    (last, { atMs, fault }) => Math.max(last, atMs + ("forMs" in fault ? fault.forMs : 0)),
    0,
  );
  if (lastMs + TAIL_MS < best.options.durationMs) attempt({ ...best.options, durationMs: lastMs + TAIL_MS });
  for (const what of ["nodes", "clients"] as const) {
    while (best.options[what] > 1 && attempt({ ...best.options, [what]: best.options[what] - 1 }));
  }
  const { ok, failed: refused, unknown } = best.report.operations;
  for (let operations = ok + refused + unknown; operations >= 1; operations = Math.floor(operations / 2)) {
    if (!attempt({ ...best.options, operationsMax: operations })) break;
  }
  reducePlan();
  return { ...best, runs };
}
