import { describe, expect, it } from "vitest";
import { CROWD_MS_MAX, SIGNING_DEFAULTS, SigningPolicy } from "./signing-policy.js";

describe("SigningPolicy", () => {
  it("signs nothing when nothing is unsigned", () => {
    const policy = new SigningPolicy(SIGNING_DEFAULTS);
    expect(policy.isDue(false, 0)).toBe(false);
    expect(policy.dueMs(false)).toBe(Number.POSITIVE_INFINITY);
  });

  it("signs a lone write at once", () => {
    const policy = new SigningPolicy(SIGNING_DEFAULTS);
    policy.handleEntry(false, 0);
    expect(policy.isDue(false, 0)).toBe(true);
    policy.handleSignature(0);
    expect(policy.isDue(false, 0)).toBe(false);
  });

  it("collects while a signature is uncommitted, up to the number and the time it is given", () => {
    const policy = new SigningPolicy({ entriesMax: 3, delayMsMax: 100, fixed: false });
    policy.handleEntry(false, 10);
    policy.handleEntry(false, 20);
    expect(policy.isDue(true, 20)).toBe(false);
    expect(policy.dueMs(true)).toBe(110);
    expect(policy.isDue(true, 109)).toBe(false);
    expect(policy.isDue(true, 110)).toBe(true);
    policy.handleEntry(false, 30);
    expect(policy.isDue(true, 30)).toBe(true);
  });

  it("never lets a lone writer wait", () => {
    const policy = new SigningPolicy(SIGNING_DEFAULTS);
    for (let nowMs = 0; nowMs < 100; nowMs += 10) {
      policy.handleEntry(false, nowMs);
      expect(policy.isDue(false, nowMs)).toBe(true);
      policy.handleSignature(nowMs);
      policy.handleCommit(nowMs + 10);
    }
  });

  it("waits after a commit for those whom it answered and those who waited", () => {
    const policy = afterCommit({ answered: 3, waiting: 1, roundMs: 8 });
    expect(policy.isDue(false, 8)).toBe(false);
    policy.handleEntry(false, 9);
    policy.handleEntry(false, 9);
    expect(policy.isDue(false, 9)).toBe(false);
    policy.handleEntry(false, 10);
    expect(policy.isDue(false, 10)).toBe(true);
  });

  it("waits no longer than the last round took, for who does not come back", () => {
    const policy = afterCommit({ answered: 3, waiting: 1, roundMs: 8 });
    expect(policy.dueMs(false)).toBe(16);
    expect(policy.isDue(false, 15)).toBe(false);
    expect(policy.isDue(false, 16)).toBe(true);
    expect(policy.isDue(true, 16)).toBe(false);
  });

  it("waits CROWD_MS_MAX at most, however slow a round was", () => {
    const policy = afterCommit({ answered: 1, waiting: 1, roundMs: 500 });
    expect(policy.dueMs(false)).toBe(500 + CROWD_MS_MAX);
  });

  it("does not wait for a crowd whose time has passed", () => {
    const policy = afterCommit({ answered: 3, waiting: 0, roundMs: 8 });
    policy.handleEntry(false, 1_000);
    expect(policy.isDue(false, 1_000)).toBe(true);
  });

  it("signs a reconfiguration whatever is pending", () => {
    const policy = new SigningPolicy(SIGNING_DEFAULTS);
    policy.handleEntry(true, 0);
    expect(policy.isDue(true, 0)).toBe(true);
    policy.handleSignature(0);
    policy.handleEntry(false, 0);
    expect(policy.isDue(true, 0)).toBe(false);
  });

  it("keeps to the two limits alone when fixed", () => {
    const policy = new SigningPolicy({ entriesMax: 2, delayMsMax: 100, fixed: true });
    policy.handleEntry(false, 0);
    expect(policy.isDue(false, 0)).toBe(false);
    policy.handleEntry(false, 1);
    expect(policy.isDue(false, 1)).toBe(true);
  });

  it("forgets what was rolled back", () => {
    const policy = new SigningPolicy(SIGNING_DEFAULTS);
    policy.handleEntry(true, 0);
    policy.handleRollback();
    expect(policy.isDue(false, 0)).toBe(false);
  });

  it("waits for nobody whose write was rolled back", () => {
    const policy = afterCommit({ answered: 3, waiting: 1, roundMs: 8 });
    policy.handleRollback();
    policy.handleEntry(false, 9);
    expect(policy.isDue(false, 9)).toBe(true);
  });
});

/** Signed at 0, committed at `roundMs`. */
function afterCommit({ answered, waiting, roundMs }: { answered: number; waiting: number; roundMs: number }) {
  const policy = new SigningPolicy(SIGNING_DEFAULTS);
  for (let count = 0; count < answered; count++) policy.handleEntry(false, 0);
  policy.handleSignature(0);
  for (let count = 0; count < waiting; count++) policy.handleEntry(false, 1);
  policy.handleCommit(roundMs);
  return policy;
}
