/**
 * Everything that can go wrong in a simulated cluster, as plain data: a list of faults can be saved, shortened and run again.
 *
 * Nodes are named by their place: 0 is the founder, 1 the first that joined, and so on. A node that replaces another takes its place.
 * Faults that last have `forMs`; for a node that goes down it is how long it stays down. All times are virtual ms.
 */

import type { PowerLoss } from "../cluster/simulated-disk.js";

interface Lasting {
  readonly forMs: number;
}
interface OfNode {
  readonly node: number;
}
interface PerFrame extends Lasting {
  /** Of each frame, from 0 to 1. */
  readonly probability: number;
}

export type Fault = NetworkFault | WireFault | ProcessFault | DiskFault | PowerCut | ClockFault | MembershipFault;

export type NetworkFault =
  | ({ readonly kind: "loss" | "duplication" | "connection-reset" } & PerFrame)
  /** Frames are held back by up to `byMs`, so that later ones overtake them. */
  | ({ readonly kind: "reordering"; readonly byMs: number } & PerFrame)
  | ({ readonly kind: "delay"; readonly minMs: number; readonly maxMs: number } & Lasting)
  /** What one direction of a link carries. */
  | ({ readonly kind: "bandwidth"; readonly bytesPerMs: number } & Lasting)
  /** Nothing passes between `side` and the others. */
  | ({ readonly kind: "partition"; readonly side: readonly number[] } & Lasting)
  /** Nothing passes from `side` to the others; they still reach it. */
  | ({ readonly kind: "one-way-partition"; readonly side: readonly number[] } & Lasting)
  /** Each node misses what its row names: `deaf[i]` are the places that node i does not hear. */
  | ({ readonly kind: "asymmetric-partition"; readonly deaf: readonly (readonly number[])[] } & Lasting)
  /** `side` and the others reach each other only through `bridge`, which reaches all. */
  | ({ readonly kind: "bridge-partition"; readonly bridge: number; readonly side: readonly number[] } & Lasting)
  /** The link between two nodes is cut and healed in turn. */
  | ({ readonly kind: "flapping"; readonly a: number; readonly b: number; readonly periodMs: number } & Lasting);

/** Somebody on the wire. */
export type WireFault = {
  readonly kind:
    | "wire-flip"
    | "wire-truncate"
    | "wire-replay"
    | "wire-reorder"
    | "wire-inject"
    | "wire-reflect"
    | "wire-splice"
    | "wire-delay";
} & PerFrame;

export type ProcessFault =
  /** Power is lost: what is not synced is gone. */
  | ({ readonly kind: "kill" } & OfNode & Lasting)
  /** The process stands still, as for garbage collection: no turns, then all at once. */
  | ({ readonly kind: "pause" } & OfNode & Lasting)
  /** Killed, and back at once with its disk. */
  | ({ readonly kind: "restart" } & OfNode)
  /** Killed; a fresh node without a disk takes its place at once. */
  | ({ readonly kind: "restart-empty" } & OfNode)
  /** Killed, and after its return it takes `startMs` until its first turn. */
  | ({ readonly kind: "slow-start"; readonly startMs: number } & OfNode & Lasting);

/**
 * The power of all `nodes` fails at once, as any of them syncs entries, or the first of them a vote for another node, within `withinMs`: just
 * before that is durable, or `afterMs` later, when what depended on it has left. Until then their syncs take `syncMs`. All come back together.
 */
export interface PowerCut extends Lasting {
  readonly kind: "power-cut";
  readonly nodes: readonly number[];
  readonly what: "entries" | "vote";
  /** 0: just before it is durable. */
  readonly afterMs: number;
  readonly syncMs: number;
  readonly withinMs: number;
  /** Of what was not synced. */
  readonly leaves: PowerLoss;
}

export type DiskFault =
  /**
   * Power fails while the disk writes: of what was not synced nothing is left, a part that may end within an entry, or sectors in no order.
   * Armed for `withinMs` until the node writes.
   */
  | ({ readonly kind: "lost-suffix" | "torn-write" | "reordered-writes"; readonly withinMs: number } & OfNode & Lasting)
  /** While the node is down, one bit of its ledger changes: `at` says where, from 0 to 1. */
  | ({ readonly kind: "bit-rot"; readonly at: number } & OfNode & Lasting)
  /** While the node is down, its ledger loses its last bytes although they were synced. */
  | ({ readonly kind: "truncation"; readonly bytes: number } & OfNode & Lasting)
  /** While the node is down, its newest snapshot loses its end, or a bit of it changes; or the file is gone. */
  | ({ readonly kind: "snapshot-damage" | "snapshot-lost" } & OfNode & Lasting)
  /** What the oldest snapshot of a node stands for is moved away from its ledger, as far as every member is past it. */
  | ({ readonly kind: "archive" } & OfNode)
  /** Reads fail: the node is killed, and cannot open its ledger before `forMs` is over. */
  | ({ readonly kind: "read-error" } & OfNode & Lasting)
  /** fdatasync fails, or the disk is full: the node stops itself as soon as it has something to write, and comes back afterwards. */
  | ({ readonly kind: "sync-error" | "disk-full" } & OfNode & Lasting)
  /** A sync takes this long. */
  | ({ readonly kind: "slow-disk"; readonly minMs: number; readonly maxMs: number } & OfNode & Lasting)
  /** Killed with its disk; after `forMs` a fresh node takes its place. */
  | ({ readonly kind: "wiped" } & OfNode & Lasting);

export type ClockFault =
  /** Forward at once. Back only together with a restart: while a process runs, its clock counts on monotonically (node `host/clock.ts`). */
  | ({ readonly kind: "clock-jump"; readonly byMs: number } & OfNode)
  /** The clock runs at `rate` of the true speed. */
  | ({ readonly kind: "clock-drift"; readonly rate: number } & OfNode & Lasting)
  | ({ readonly kind: "clock-stall" } & OfNode & Lasting);

export type MembershipFault =
  /** A fresh node joins. */
  | { readonly kind: "add-node" }
  /** A node is taken out of the service for good. */
  | ({ readonly kind: "remove-node" } & OfNode)
  /** A fresh node takes the place of a working one. */
  | ({ readonly kind: "replace" } & OfNode);

export type FaultKind = Fault["kind"];

/** A fault and when it happens, counted from the start of the plan. */
export interface TimedFault {
  readonly atMs: number;
  readonly fault: Fault;
}

const KINDS: Readonly<Record<FaultKind, true>> = {
  loss: true,
  duplication: true,
  reordering: true,
  delay: true,
  bandwidth: true,
  "connection-reset": true,
  partition: true,
  "one-way-partition": true,
  "asymmetric-partition": true,
  "bridge-partition": true,
  flapping: true,
  "wire-flip": true,
  "wire-truncate": true,
  "wire-replay": true,
  "wire-reorder": true,
  "wire-inject": true,
  "wire-reflect": true,
  "wire-splice": true,
  "wire-delay": true,
  kill: true,
  pause: true,
  restart: true,
  "restart-empty": true,
  "slow-start": true,
  "lost-suffix": true,
  "torn-write": true,
  "reordered-writes": true,
  "bit-rot": true,
  truncation: true,
  "snapshot-damage": true,
  "snapshot-lost": true,
  archive: true,
  "read-error": true,
  "sync-error": true,
  "disk-full": true,
  "slow-disk": true,
  wiped: true,
  "power-cut": true,
  "clock-jump": true,
  "clock-drift": true,
  "clock-stall": true,
  "add-node": true,
  "remove-node": true,
  replace: true,
};

/** Every kind there is. */
export const FAULT_KINDS: readonly FaultKind[] = Object.keys(KINDS) as FaultKind[]; // the record above is typed to have exactly these keys
