/** Reads by lease on real nodes: linearizable as long as clocks keep to the drift they are allowed, and found to be stale when they do not. */
import { describe, expect, it } from "vitest";
import { ALLOWED, BORNE, cutOff, runWithLeases } from "./lease-runs.js";

describe("reads by lease", () => {
  it("are linearizable while clocks drift no more than they may", () => {
    const report = runWithLeases({ seed: 1, kinds: BORNE, intensity: 10, clockDriftMax: ALLOWED });
    expect(report.violation).toBeUndefined();
    expect(report.operations.ok).toBeGreaterThan(100);
  });

  it("so they are at the very bound, when a slow primary is cut off from fast nodes", () => {
    expect(runWithLeases({ seed: 1, plan: cutOff(1 - ALLOWED, 1 + ALLOWED) }).violation).toBeUndefined();
  });

  it("are stale when a primary's clock runs far too slow, and that is found", () => {
    const { violation } = runWithLeases({ seed: 1, plan: cutOff(0.25, 1) });
    expect(["not-linearizable", "tx-id-went-back"]).toContain(violation?.code);
  });

  it("without leases that clock does no harm", () => {
    expect(runWithLeases({ seed: 1, voting: {}, plan: cutOff(0.25, 1) }).violation).toBeUndefined();
  });
});
