/** The whole enumeration of `deliveries.ts` over other sessions; half a minute. */
import { describe, expect, it } from "vitest";
import { otherSessions } from "./deliveries.js";

describe.each([1, 2] as const)("version %i", (version) => {
  it.each([false, true])(
    "messages of other sessions, at every point, to both ends (keys in use: %s)",
    { timeout: 120_000 },
    (isRenewal) => {
      expect(otherSessions(version, isRenewal)).toEqual([]);
    },
  );
});
