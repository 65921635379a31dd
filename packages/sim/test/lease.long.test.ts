/** Many seeds of reads by lease, with clocks as wrong as they may be. */
import { expect, it } from "vitest";
import { ALLOWED, BORNE, bridged, cutOff, late, runWithLeases } from "./lease-runs.js";

it.each(Array.from({ length: 25 }, (_, index) => index + 1))("reads by lease are linearizable: seed %i", (seed) => {
  const seen = [
    runWithLeases({ seed, kinds: BORNE, intensity: 10, clockDriftMax: ALLOWED, voting: votingOf(seed) }),
    ...[cutOff(1 - ALLOWED, 1 + ALLOWED), bridged(), bridged(40), late()].map((plan) =>
      runWithLeases({ seed, plan, voting: votingOf(seed) }),
    ),
  ];
  expect(seen.map(({ violation }) => violation)).toEqual(seen.map(() => undefined));
});

function votingOf(seed: number) {
  return { preVote: seed % 2 === 0, leaderStickiness: seed % 3 === 0, readLease: { clockDriftMax: ALLOWED } };
}
