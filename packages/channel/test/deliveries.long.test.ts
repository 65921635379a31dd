/** The enumeration of `deliveries.ts` with keys in use; a quarter of a minute. */
import { describe, expect, it } from "vitest";
import { otherSessions } from "./deliveries.js";

describe.each([1, 2] as const)("version %i", (version) => {
  it("messages of other sessions, at every point of a renewal, to both ends", { timeout: 120_000 }, () => {
    expect(otherSessions(version, true)).toEqual([]);
  });
});
