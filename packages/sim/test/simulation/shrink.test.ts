import { describe, expect, it } from "vitest";
import type { TimedFault } from "../../src/faults/fault.js";
import { planFaults } from "../../src/faults/plan.js";
import { SeededRandom } from "../../src/random.js";
import { registersSubject } from "../../src/simulation/registers-subject.js";
import { shrink } from "../../src/simulation/shrink.js";
import { type Report, type SimulationOptions, simulate } from "../../src/simulation/simulate.js";
import { ViolationError } from "../../src/violation.js";
import type { RegisterInput, RegisterOutput } from "../../src/workload/registers.js";

type Options = SimulationOptions<RegisterInput, RegisterOutput>;

const subject = registersSubject();

function report(options: Options, isWrong: boolean): Report {
  const operations = { ok: options.operationsMax ?? 1_000, failed: 0, unknown: 0 };
  const { seed, plan = [] } = options;
  const facts = { seed, plan, operations, traceHash: "", simulatedMs: 0, committed: 0, checks: 0, reached: new Map() };
  const violation = { code: "agreement", message: "they differ", atMs: 0, cause: undefined } as const;
  return isWrong ? { ...facts, violation } : facts;
}

describe("a failing run", () => {
  const plan: readonly TimedFault[] = planFaults({ random: new SeededRandom(1), nodes: 5, durationMs: 60_000 });
  const [first, second] = [plan[10], plan[30]];
  /** Fails with two of the faults, three nodes and 40 operations. */
  const run = (options: Options): Report => {
    const { nodes = 3, operationsMax = 1_000, durationMs = 60_000, plan: left = [] } = options;
    const hasBoth = [first, second].every((fault) => left.some((each) => each === fault));
    return report(options, hasBoth && nodes >= 3 && operationsMax >= 40 && durationMs >= (second?.atMs ?? 0));
  };
  const options: Options = { seed: 1, nodes: 5, clients: 4, subject, plan };

  it("becomes one that fails with the least", () => {
    const { options: smaller, runs } = shrink(options, run(options), 200, run);
    expect(smaller.plan).toEqual([first, second]);
    expect(smaller).toMatchObject({ nodes: 3, clients: 1, operationsMax: 62 });
    expect(smaller.durationMs).toBeLessThan(60_000);
    expect(runs).toBeLessThan(100);
  });

  it("is left as it is when no run may be tried", () => {
    const { options: same, runs } = shrink(options, run(options), 0, run);
    expect(same.plan).toEqual(plan);
    expect(runs).toBe(0);
  });

  it("does not become one that fails in another way", () => {
    const other = (tried: Options): Report => {
      const of = report(tried, true);
      return of.violation === undefined ? of : { ...of, violation: { ...of.violation, code: "no-progress" } };
    };
    expect(shrink(options, run(options), 50, other).options.plan).toEqual(plan);
  });

  it("is needed to begin with", () => {
    expect(() => shrink(options, report(options, false), 10, run)).toThrow(TypeError);
  });
});

it("a real run that fails can be repeated from its plan", () => {
  const fails = {
    ...subject,
    judge: () => {
      throw new ViolationError("application", "never right");
    },
  };
  const options: Options = { seed: 4, durationMs: 2_000, clients: 1, subject: fails };
  const { options: smaller, report: again } = shrink(options, simulate(options), 3);
  expect(again.violation?.message).toBe("never right");
  expect(smaller.plan).toEqual([]);
  expect(simulate(smaller).traceHash).toBe(again.traceHash);
});
