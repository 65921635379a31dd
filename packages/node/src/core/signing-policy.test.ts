import { describe, expect, it } from "vitest";
import { SIGNING_DEFAULTS, SigningPolicy } from "./signing-policy.js";

describe("SigningPolicy", () => {
  it("signs nothing when nothing is unsigned", () => {
    const policy = new SigningPolicy(SIGNING_DEFAULTS);
    expect(policy.isDue(false, 0)).toBe(false);
    expect(policy.dueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("signs a lone write at once", () => {
    const policy = new SigningPolicy(SIGNING_DEFAULTS);
    policy.handleEntry(false, 0);
    expect(policy.isDue(false, 0)).toBe(true);
    policy.handleSignature();
    expect(policy.isDue(false, 0)).toBe(false);
  });

  it("collects while a signature is uncommitted, up to the number and the time it is given", () => {
    const policy = new SigningPolicy({ entriesMax: 3, delayMsMax: 100, fixed: false });
    policy.handleEntry(false, 10);
    policy.handleEntry(false, 20);
    expect(policy.isDue(true, 20)).toBe(false);
    expect(policy.dueMs).toBe(110);
    expect(policy.isDue(true, 109)).toBe(false);
    expect(policy.isDue(true, 110)).toBe(true);
    policy.handleEntry(false, 30);
    expect(policy.isDue(true, 30)).toBe(true);
  });

  it("signs a reconfiguration whatever is pending", () => {
    const policy = new SigningPolicy(SIGNING_DEFAULTS);
    policy.handleEntry(true, 0);
    expect(policy.isDue(true, 0)).toBe(true);
    policy.handleSignature();
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
});
