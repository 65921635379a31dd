import * as crypto from "@sealane/crypto";
import * as wire from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, RECORDS_MAX, resolveLimits } from "./limits.js";

describe("bounds that two packages below state, neither of which imports the other", () => {
  it("has one for certificates", () => {
    expect(wire.CERTIFICATE_BYTES_MAX).toBe(crypto.CERTIFICATE_BYTES_MAX);
  });
});

describe("resolveLimits", () => {
  it("gives the specification's values by default", () => {
    expect(resolveLimits()).toEqual(DEFAULT_LIMITS);
    expect(RECORDS_MAX).toBe(Math.floor(2 ** 24.5));
  });

  it("takes an override and leaves the rest", () => {
    expect(resolveLimits({ backoffMsMax: 900 })).toEqual({ ...DEFAULT_LIMITS, backoffMsMax: 900 });
  });

  it.each([
    { backoffMsMin: 100, backoffMsMax: 100 },
    { rekeyAtRecords: 99, recordsMax: 100 },
    { recordsMax: RECORDS_MAX, failedOpensMax: 2 ** 20 },
    { pendingHandshakesMax: 1 },
  ])("takes %j", (overrides) => {
    expect(resolveLimits(overrides)).toMatchObject(overrides);
  });

  it.each([
    { rekeyAtRecords: 0 },
    { handshakeTimeoutMs: 1.5 },
    { pendingHandshakesMax: Number.NaN },
    { recordsMax: RECORDS_MAX + 1 },
    { failedOpensMax: 2 ** 20 + 1 },
    { rekeyAtRecords: 100, recordsMax: 100 },
    { backoffMsMin: 200, backoffMsMax: 100 },
  ])("refuses %j", (overrides) => {
    expect(() => resolveLimits(overrides)).toThrow(RangeError);
  });
});
