import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commands, play } from "./commands.js";
import { Run } from "./oracle.js";

describe.each([1, 2] as const)("two channels of version %i, any commands, a bad network", (version) => {
  it("no (key, nonce) pair twice, nothing accepted twice or changed, no different keys beyond the time-out, and they talk in the end", () => {
    let seals = 0;
    fc.assert(
      fc.property(commands(40), (list) => {
        const run = new Run(version);
        play(run, list);
        seals += run.used.size;
      }),
      { numRuns: 20, endOnFailure: true },
    );
    expect(seals).toBeGreaterThan(300);
  });
});
