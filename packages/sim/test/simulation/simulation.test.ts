/** A small slice of `pnpm test:sim`: whole runs with all faults and all checkers. */
import { expect, it } from "vitest";
import { registersSubject } from "../../src/simulation/registers-subject.js";
import { simulate } from "../../src/simulation/simulate.js";

const SETTINGS = { subject: registersSubject(), durationMs: 20_000 };

it.each([1, 2, 3, 4, 5, 6])("nothing is wrong after all faults: seed %i", (seed) => {
  const report = simulate({ ...SETTINGS, seed, nodes: seed % 2 === 0 ? 3 : 5 });
  expect(report.violation).toBeUndefined();
  expect(report.operations.ok).toBeGreaterThan(50);
  expect(report.checks).toBeGreaterThan(100);
  expect(report.reached.size).toBeGreaterThan(3);
});

it("a seed repeats, faults, clients and answers included", () => {
  const [one, other] = [simulate({ ...SETTINGS, seed: 7 }), simulate({ ...SETTINGS, seed: 7 })];
  expect(other.traceHash).toBe(one.traceHash);
  expect(other.operations).toEqual(one.operations);
});

it("a plan that is given replaces the one from the seed", () => {
  const plan = [{ atMs: 1_000, fault: { kind: "kill", node: 0, forMs: 2_000 } }] as const;
  const report = simulate({ ...SETTINGS, seed: 8, plan, durationMs: 6_000 });
  expect(report.violation).toBeUndefined();
  expect([...report.reached]).toEqual([["kill", 1]]);
});
