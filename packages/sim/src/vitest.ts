/**
 * Entry point `@sealane/sim/vitest`: a test that puts your application under simulated faults. Runs inside vitest, which it takes from
 * whoever runs it.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "vitest";
import { findFailure, type KitOptions } from "./simulation/kit.js";

export type { KitOptions } from "./simulation/kit.js";

export interface SimulationTestOptions<Input, Output, State = unknown> extends KitOptions<Input, Output, State> {
  /** Of the whole test, in real ms. Default two minutes. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 120_000;

/**
 * Registers one test that runs the application under many seeds. When one fails, the error has the seed, the smallest list of faults that
 * was found, and how to repeat it: `SEALANE_SIM_RUN=FILE` runs the saved run alone, `SEALANE_SIM_SEED=N` another seed.
 * @example
 * simulationTest("no money is made or lost", {
 *   app: bankApp,
 *   workload: transfers,
 *   invariant: (committed) => expect(total(committed)).toBe(0),
 * });
 */
export function simulationTest<Input, Output, State>(
  name: string,
  options: SimulationTestOptions<Input, Output, State>,
): void {
  test(name, { timeout: options.timeoutMs ?? TIMEOUT_MS }, () => {
    const { SEALANE_SIM_RUN: run, SEALANE_SIM_SEED: seed } = process.env;
    const chosen = seed === undefined ? options : { ...options, firstSeed: Number(seed), seeds: 1 };
    const failure = findFailure(chosen, run === undefined ? undefined : readFileSync(run, "utf8"));
    if (failure === undefined) return;
    const file = run ?? save(failure.seed, failure.saved);
    const again = `SEALANE_SIM_RUN=${file} npx vitest run -t ${JSON.stringify(name)}`;
    throw new Error(
      `${failure.message}\nRepeat this run:       ${again}\nRepeat the whole seed: SEALANE_SIM_SEED=${failure.seed}`,
    );
  });
}

function save(seed: number, text: string): string {
  const folder = join(tmpdir(), "sealane-sim");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${seed}-${process.pid}.json`);
  writeFileSync(file, `${text}\n`);
  return file;
}
