/** What an ordinary test has time for; `exploration.long.test.ts` goes on to 10^7 states and more. */
import { expect, test, vi } from "vitest";
import { type Bounds, Explorer } from "./explore.js";

vi.mock("../../../consensus/src/replica-state.ts", async (original) => {
  const { ReplicaState } = await original<typeof import("../../../consensus/src/replica-state.js")>();
  const { record } = await import("./inside.js");
  return {
    ReplicaState: class extends ReplicaState<never> {
      constructor(options: ConstructorParameters<typeof ReplicaState>[0]) {
        super(options);
        record(this as never); // read only, and it knows nothing of entry types
      }
    },
  };
});

const STATES_MAX = 60_000;
const small: Bounds = { members: 3, requests: 2, viewMax: 4, inFlight: 1, statesMax: STATES_MAX };

test.each<[string, Bounds]>([
  ["three nodes, two views, two requests", small],
  ["{a,b} becomes {b,c}", { ...small, members: 2, requests: 1, reconfigureTo: [1, 2] }],
  ["two messages of a kind on their way", { ...small, inFlight: 2 }],
  ["two reads, one request", { ...small, requests: 1, reads: 2 }],
])("%s: the invariants of §15 hold in the first states", (_, bounds) => {
  const explorer = new Explorer(bounds);
  const { states, localStates } = explorer.run();
  expect(states).toBeGreaterThanOrEqual(STATES_MAX);
  expect(localStates).toBeGreaterThan(100);
  expect(explorer.checkMerges()).toBeGreaterThan(100);
});

/** With few messages on their way at a time, and any of them lost, there is an end to what can happen. */
test.each<[string, Bounds, number]>([
  ["one node, two requests", { ...small, members: 1 }, 5],
  ["two members, two views, one request", { ...small, members: 2, requests: 1, quiet: 0 }, 1_900],
  ["three nodes, two views, one read", { ...small, requests: 0, reads: 1, quiet: 0 }, 100_000],
])("%s: the invariants of §15 hold in every state", (_, bounds, least) => {
  const { complete, states } = new Explorer({ ...bounds, statesMax: Number.POSITIVE_INFINITY }).run();
  expect(complete).toBe(true);
  expect(states).toBeGreaterThan(least);
});
