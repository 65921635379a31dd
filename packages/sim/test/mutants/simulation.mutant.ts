/** Looks for one planted fault with simulated clusters, and says what finds it. Without a fault nothing may. */
import { expect, test } from "vitest";
import type { FaultKind } from "../../src/faults/fault.js";
import { registersSubject } from "../../src/simulation/registers-subject.js";
import { simulate } from "../../src/simulation/simulate.js";

const SEEDS = 30;
/** Without a fault nothing fails: a few will do to see that. */
const SEEDS_OF_NONE = 6;
const ROUGH: readonly FaultKind[] = [
  "kill",
  "restart",
  "partition",
  "one-way-partition",
  "flapping",
  "pause",
  "loss",
  "slow-disk",
  "bridge-partition",
  "power-cut",
];
/** Power that fails at the worst of times, and little else: what a node must not forget is lost in one instant of an election or a commit. */
const POWER: readonly FaultKind[] = ["kill", "slow-disk", "bridge-partition", "power-cut"];

test("who catches it", ({ task }) => {
  const seeds = process.env.FAULT === "none" ? SEEDS_OF_NONE : SEEDS;
  const found: string[] = [];
  for (let seed = 1; seed <= seeds && found.length === 0; seed++) {
    const nodes = seed % 4 === 0 ? 5 : 3;
    const isDark = seed % 2 === 1;
    const faults = isDark
      ? { kinds: POWER, intensity: 16, voting: { preVote: seed % 4 === 1 } }
      : { kinds: ROUGH, intensity: 12, voting: { preVote: seed % 8 < 4 } };
    const subject = registersSubject({ keys: 2 });
    const { violation } = simulate({ seed, nodes, subject, durationMs: 30_000, ...faults });
    if (violation === undefined) continue;
    const what = violation.code === "invariant" ? (violation.message.split(":")[0] ?? "") : violation.code;
    found.push(`${what} (seed ${seed})`);
  }
  task.meta.caughtBy = { own: [], public: [], simulation: found };
  if (process.env.FAULT === "none") expect(found).toEqual([]);
});
