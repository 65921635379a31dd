/** Exploration of the real core to a fixpoint or to 10^7 states (consensus spec §15.4): a few minutes for each. */
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

const STATES_MAX = 10_000_000;
const bounds: Bounds = { members: 3, requests: 2, viewMax: 4, inFlight: 1, statesMax: STATES_MAX };

const reconfiguration: Bounds = { ...bounds, members: 2, reconfigureTo: [1, 2] };
const everything = { quiet: 0, statesMax: Number.POSITIVE_INFINITY };

test.each<[string, Bounds]>([
  ["three nodes, two views, one request, all there is", { ...bounds, ...everything, requests: 1 }],
  ["{a,b} becomes {b,c}, two views, all there is", { ...reconfiguration, ...everything, requests: 0 }],
  ["three nodes, two views, one read, all there is", { ...bounds, ...everything, requests: 0, reads: 1 }],
  ["three nodes, two views, one request, two reads, few messages", { ...bounds, requests: 1, reads: 2, quiet: 1 }],
  ["three nodes, two views, two requests, few messages", { ...bounds, quiet: 1 }],
  ["three nodes, two views, two requests", bounds],
  ["{a,b} becomes {b,c}, two views, two requests, few messages", { ...reconfiguration, quiet: 1 }],
  ["{a,b} becomes {b,c}, two views, two requests", reconfiguration],
])(
  "%s: no invariant of §15 is broken",
  (name, each) => {
    const started = performance.now();
    const explorer = new Explorer(each);
    const explored = explorer.run();
    const compared = explorer.checkMerges();
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stdout.write(`${name}: ${JSON.stringify({ ...explored, compared, seconds })}\n`);
    expect(explored.complete || explored.states >= STATES_MAX).toBe(true);
  },
  1_800_000,
);
