/** Both banks under the same faults, with customers who send again what nobody answered. */
import { findFailure } from "@sealane/sim";
import { simulationTest } from "@sealane/sim/vitest";
import { expect, test } from "vitest";
import { bankApp, forgetfulBankApp } from "../src/bank.js";
import { expectations } from "./transfers.js";

const faults = {
  durationMs: 6_000,
  kinds: ["kill", "partition", "pause"],
  policy: { inDoubt: "repeat", requestTimeoutMs: 800, thinkMs: [50, 400] },
} as const;

simulationTest("every transfer counts once, whatever fails", { app: bankApp, ...expectations, ...faults, seeds: 3 });

test("the bank that forgets makes a transfer twice, and the simulation shows how", () => {
  const failure = findFailure({ app: forgetfulBankApp, ...expectations, ...faults, shrinkRunsMax: 8 });
  expect(failure?.report.violation).toMatchObject({ code: "application" });
  expect(failure?.message).toMatch(/(ada|grace|edsger|barbara) has \d+, and should have/);
  expect(failure?.report.plan.length).toBeGreaterThan(0); // without a fault nobody asks twice

  const again = findFailure({ app: forgetfulBankApp, ...expectations, ...faults }, failure?.saved);
  expect(again?.report.traceHash).toBe(failure?.report.traceHash);
  expect(findFailure({ app: bankApp, ...expectations, ...faults }, failure?.saved)).toBeUndefined();
});
