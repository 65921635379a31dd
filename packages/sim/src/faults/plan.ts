/** Draws a list of faults from chance: what goes wrong, to whom, when and for how long. */
import type { SeededRandom } from "../random.js";
import { FAULT_KINDS, type Fault, type FaultKind, type PowerCut, type TimedFault } from "./fault.js";

export interface PlanOptions {
  readonly random: SeededRandom;
  /** Places there are from the start: faults name 0 to `nodes - 1`. */
  readonly nodes: number;
  /** Virtual ms. Faults begin within it; all but the last end within it too. */
  readonly durationMs: number;
  /** Default: all. */
  readonly kinds?: readonly FaultKind[];
  /** Faults per 10 s of virtual time, on average. Default 8. */
  readonly intensity?: number;
  /** A clock that drifts runs at most this part too fast or too slow. Default 0.5. */
  readonly clockDriftMax?: number;
}

const INTENSITY_DEFAULT = 8;
const CLOCK_DRIFT_MAX_DEFAULT = 0.5;
const INTENSITY_UNIT_MS = 10_000;

/**
 * @returns Faults in order of time. Any such list is one the service can survive: what it could not, `Cluster.inject` leaves out.
 * @throws {RangeError} without a kind, a node or time.
 * @example
 * cluster.schedule(planFaults({ random: new SeededRandom(7), nodes: 3, durationMs: 60_000 }));
 */
export function planFaults(options: PlanOptions): TimedFault[] {
  const { random, nodes, durationMs, kinds = FAULT_KINDS, intensity = INTENSITY_DEFAULT } = options;
  const { clockDriftMax = CLOCK_DRIFT_MAX_DEFAULT } = options;
  if (kinds.length === 0 || nodes < 1 || !(durationMs > 0))
    throw new RangeError("a plan has kinds, nodes and a duration");
  const count = Math.max(1, Math.round((durationMs / INTENSITY_UNIT_MS) * intensity));
  const possible = kinds.filter((kind) => nodes > 1 || !NEEDS_TWO.has(kind));
  if (possible.length === 0) return [];
  const mayDuel = kinds.includes("kill") && kinds.includes("bridge-partition");
  const faults = Array.from({ length: count }, (): TimedFault[] => {
    const atMs = random.below(durationMs);
    const fault = drawFault(random.pick(possible), random, nodes, clockDriftMax);
    return mayDuel && fault.kind === "power-cut" && fault.what === "vote"
      ? duelFor(fault, atMs, random, nodes)
      : [{ atMs, fault }];
  }).flat();
  return faults.sort((a, b) => a.atMs - b.atMs);
}

const NEEDS_TWO: ReadonlySet<FaultKind> = new Set<FaultKind>([
  "partition",
  "one-way-partition",
  "asymmetric-partition",
  "bridge-partition",
  "flapping",
]);

/**
 * A vote matters when two want it. So the whole cluster loses power; when it comes back, it is split, and the voter alone reaches both sides:
 * each may elect a primary with its help, and never both in one view. The voter comes back last, or it would be the candidate.
 */
function duelFor(fault: PowerCut, atMs: number, random: SeededRandom, nodes: number): TimedFault[] {
  const [voter = 0, ...side] = fault.nodes;
  const lateMs = drawMs(random, 20, 400);
  return [
    { atMs, fault: { kind: "bridge-partition", bridge: voter, side, forMs: fault.withinMs } },
    ...Array.from({ length: nodes }, (_, node) => ({
      atMs,
      fault: { kind: "kill", node, forMs: node === voter ? lateMs : 1 } as const,
    })),
    { atMs: atMs + lateMs + 1, fault },
  ];
}

function drawPowerCut(random: SeededRandom, nodes: number): PowerCut {
  const places = Array.from({ length: nodes }, (_, place) => place);
  random.shuffle(places);
  const what = nodes > 1 && random.chance(0.5) ? "vote" : "entries";
  const quorum = Math.floor(nodes / 2) + 1;
  return {
    kind: "power-cut",
    // With a voter, half of the others: those who are left may want its vote too.
    nodes: places.slice(
      0,
      what === "vote" ? 1 + Math.ceil((nodes - 1) / 2) : quorum + random.below(nodes - quorum + 1),
    ),
    what,
    afterMs: random.chance(0.5) ? 0 : drawMs(random, 2, 20),
    syncMs: drawMs(random, 5, what === "vote" ? 50 : 200),
    withinMs: drawMs(random, 1_000, 6_000),
    forMs: what === "vote" ? drawMs(random, 1, 50) : drawMs(random, 10, 3_000),
    leaves: random.pick(["lost-suffix", "lost-suffix", "torn-write", "reordered-writes"]),
  };
}

function drawFault(kind: FaultKind, random: SeededRandom, nodes: number, clockDriftMax: number): Fault {
  const node = random.below(nodes);
  const forMs = drawMs(random, 200, 6_000);
  switch (kind) {
    case "loss":
    case "duplication":
      return { kind, probability: random.float() * 0.5, forMs };
    case "reordering":
      return { kind, probability: random.float() * 0.5, byMs: drawMs(random, 2, 300), forMs };
    case "connection-reset":
      return { kind, probability: random.float() * 0.1, forMs };
    case "delay": {
      const minMs = random.below(100);
      return { kind, minMs, maxMs: minMs + random.below(300), forMs };
    }
    case "bandwidth":
      return { kind, bytesPerMs: drawMs(random, 5, 1_000), forMs };
    case "partition":
    case "one-way-partition":
      return { kind, side: drawSide(random, nodes), forMs };
    case "asymmetric-partition":
      return { kind, deaf: drawDeafness(random, nodes), forMs };
    case "bridge-partition":
      return { kind, bridge: node, side: drawSide(random, nodes), forMs };
    case "flapping":
      return {
        kind,
        a: node,
        b: (node + 1 + random.below(nodes - 1)) % nodes,
        periodMs: drawMs(random, 20, 2_000),
        forMs,
      };
    case "wire-flip":
    case "wire-truncate":
    case "wire-replay":
    case "wire-reorder":
    case "wire-inject":
    case "wire-reflect":
    case "wire-splice":
    case "wire-delay":
      return { kind, probability: random.float() * 0.3, forMs };
    case "kill":
    case "pause":
    case "read-error":
    case "sync-error":
    case "disk-full":
    case "wiped":
    case "snapshot-damage":
    case "snapshot-lost":
    case "clock-stall":
      return { kind, node, forMs };
    case "restart":
    case "restart-empty":
    case "archive":
    case "remove-node":
    case "replace":
      return { kind, node };
    case "slow-start":
      return { kind, node, forMs: drawMs(random, 10, 2_000), startMs: drawMs(random, 100, 4_000) };
    case "lost-suffix":
    case "torn-write":
    case "reordered-writes":
      return { kind, node, withinMs: drawMs(random, 200, 4_000), forMs: drawMs(random, 10, 3_000) };
    case "bit-rot":
      return { kind, node, at: random.float(), forMs };
    case "truncation":
      return { kind, node, bytes: drawMs(random, 1, 20_000), forMs };
    case "slow-disk": {
      const minMs = drawMs(random, 1, 60);
      return { kind, node, minMs, maxMs: minMs + random.below(200), forMs };
    }
    case "power-cut":
      return drawPowerCut(random, nodes);
    case "clock-jump":
      return { kind, node, byMs: (random.chance(0.5) ? 1 : -1) * drawMs(random, 10, 60_000) };
    case "clock-drift":
      return { kind, node, rate: 1 + clockDriftMax * (2 * random.float() - 1), forMs };
    case "add-node":
      return { kind };
    default:
      return kind satisfies never;
  }
}

/** Spread evenly over the orders of magnitude, so that short and long both come up. */
function drawMs(random: SeededRandom, least: number, most: number): number {
  return Math.round(least * (most / least) ** random.float());
}

/** Some of the nodes, neither none nor all. */
function drawSide(random: SeededRandom, nodes: number): number[] {
  const places = Array.from({ length: nodes }, (_, place) => place);
  random.shuffle(places);
  return places.slice(0, 1 + random.below(nodes - 1)).sort((a, b) => a - b);
}

function drawDeafness(random: SeededRandom, nodes: number): number[][] {
  const places = Array.from({ length: nodes }, (_, place) => place);
  return places.map((place) => places.filter((other) => other !== place && random.chance(0.4)));
}
