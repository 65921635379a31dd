/** Runs of real nodes that answer reads by lease, and the plans of faults that try a lease the hardest. */

import type { RegisterInput, RegisterOutput } from "../src/index.js";
import {
  type FaultKind,
  type Report,
  registersSubject,
  type SimulationOptions,
  simulate,
  type TimedFault,
} from "../src/index.js";

/** The drift that the nodes are told to allow for. */
export const ALLOWED = 0.1;
/** All but what a lease cannot bear by its terms: clocks that jump or stand still while their node runs. */
export const BORNE: readonly FaultKind[] = [
  "clock-drift",
  "partition",
  "one-way-partition",
  "bridge-partition",
  "flapping",
  "delay",
  "loss",
  "kill",
  "restart",
  "pause",
  "slow-disk",
  "power-cut",
];
const DURATION_MS = 7_200;
const TURN_MS = 2_400;
const NODES = [0, 1, 2];

type Options = Omit<SimulationOptions<RegisterInput, RegisterOutput>, "subject">;

/** Clients hardly think, and do not wait for a primary that lost its majority: what is stale for half a second only must be read meanwhile. */
export function runWithLeases(options: Options): Report {
  return simulate({
    nodes: NODES.length,
    subject: registersSubject({ keys: 1 }),
    durationMs: DURATION_MS,
    voting: { readLease: { clockDriftMax: ALLOWED } },
    clients: 4,
    policy: { thinkMs: [10, 80], requestTimeoutMs: 200 },
    ...options,
  });
}

/** One node after the other runs at `rate`, the others at `rateOfOthers`, and is cut off from them. */
export function cutOff(rate: number, rateOfOthers: number): TimedFault[] {
  return turns((atMs, node) => [
    ...NODES.map((each) => ({
      atMs,
      fault: { kind: "clock-drift", node: each, rate: each === node ? rate : rateOfOthers, forMs: TURN_MS } as const,
    })),
    { atMs: atMs + 600, fault: { kind: "partition", side: [node], forMs: 1_500 } },
  ]);
}

/** One node after the other is all that the two others have in common; with `restartEveryMs` it hardly ever stays up. */
export function bridged(restartEveryMs?: number): TimedFault[] {
  return turns((atMs, node) => {
    const side = [(node + 1) % NODES.length];
    const restarts = restartEveryMs === undefined ? 0 : Math.floor(500 / restartEveryMs);
    return [
      { atMs: atMs + 100, fault: { kind: "bridge-partition", bridge: node, side, forMs: 2_000 } },
      ...Array.from({ length: restarts }, (_, index) => ({
        atMs: atMs + 600 + index * (restartEveryMs ?? 0),
        fault: { kind: "restart", node } as const,
      })),
    ];
  });
}

/** What nodes say of themselves arrives late, and then they are cut off. */
export function late(): TimedFault[] {
  return turns((atMs, node) => [
    { atMs, fault: { kind: "delay", minMs: 1, maxMs: 700, forMs: 1_800 } },
    { atMs: atMs + 300, fault: { kind: "one-way-partition", side: [node], forMs: 1_600 } },
  ]);
}

function turns(faultsOf: (atMs: number, node: number) => TimedFault[]): TimedFault[] {
  const count = Math.floor(DURATION_MS / TURN_MS);
  return Array.from({ length: count }, (_, turn) => faultsOf(turn * TURN_MS, turn % NODES.length)).flat();
}
