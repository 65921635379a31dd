/** The same laws over 300 runs for each version; a minute or two. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { commands, play } from "./commands.js";
import { Run } from "./oracle.js";

describe.each([1, 2] as const)("two channels of version %i", (version) => {
  it("300 lists of commands", { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(commands(80), (list) => play(new Run(version), list)),
      { numRuns: 300 },
    );
  });
});
