/**
 * Carries out what goes wrong with nodes: their processes, disks, clocks, and who they are.
 *
 * What it never does, because no service could survive it: lose for ever more nodes than a quorum can spare, or let a node that lost synced
 * data come back under its old name. The second a real node cannot always notice by itself (docs/limits.md); here the operator does.
 */
import { seqno } from "@sealane/wire";
import type { CrashPoint, Synced } from "../cluster/simulated-disk.js";
import type { SimulatedNode } from "../cluster/simulated-node.js";
import { Comebacks } from "./comebacks.js";
import type { ClockFault, DiskFault, Fault, MembershipFault, PowerCut, ProcessFault } from "./fault.js";
import type { Endings, FaultyWorld } from "./faulty-world.js";
import type { Tally } from "./tally.js";

const HONEST_LATENCY_MS = [0, 0] as const;
/** Members that faults leave at least, and bring in at most. */
const NODES_MIN = 2;
const NODES_MAX = 7;
/** How long a loss waits for a change of members, and how often it looks, in ms. */
const LOSS_PATIENCE_MS = 3_000;
const LOSS_POLL_MS = 5;

export type NodeFault = Extract<Fault, { readonly node: number }>;
type ArmedFault =
  | PowerCut
  | Extract<
      DiskFault,
      { readonly kind: "lost-suffix" | "torn-write" | "reordered-writes" | "sync-error" | "disk-full" }
    >;

export class NodeInjector {
  readonly #world: FaultyWorld;
  readonly #endings: Endings;
  readonly #tally: Tally;
  readonly #comebacks: Comebacks;
  /** The fault that a disk waits to bring about. */
  readonly #armed = new Map<SimulatedNode, ArmedFault>();

  constructor(world: FaultyWorld, endings: Endings, tally: Tally) {
    this.#world = world;
    this.#endings = endings;
    this.#tally = tally;
    this.#comebacks = new Comebacks(world);
  }

  disturb(fault: NodeFault): void {
    const node = this.#world.places[fault.node];
    if (node === undefined || !node.isUp) return;
    switch (fault.kind) {
      case "kill":
      case "pause":
      case "restart":
      case "restart-empty":
      case "slow-start":
        this.#disturbProcess(node, fault);
        break;
      case "clock-jump":
      case "clock-drift":
      case "clock-stall":
        this.#disturbClock(node, fault);
        break;
      case "remove-node":
      case "replace":
        this.#changeMembers(node, fault);
        break;
      default:
        this.#disturbDisk(node, fault);
        break;
    }
  }

  addNode(fault: Extract<MembershipFault, { kind: "add-node" }>): void {
    const { places, members } = this.#world;
    if (members.size >= NODES_MAX || !members.canGrow) return;
    const free = places.findIndex((node) => !members.isMember(node));
    this.#world.join(free < 0 ? places.length : free);
    this.#tally.count(fault);
  }

  /** Arms the disks; counted when one of them gets there. */
  cutPower(fault: PowerCut): void {
    const nodes = fault.nodes.flatMap((place) => this.#world.places[place] ?? []).filter(({ isUp }) => isUp);
    for (const [index, node] of nodes.entries()) {
      this.#arm(node, fault, fault.withinMs);
      if (fault.what === "vote" && index > 0) continue;
      const { disk } = node;
      disk.latencyMs = [fault.syncMs, fault.syncMs];
      if (fault.afterMs === 0) disk.armed = crashPoint(node, fault);
      else disk.onSynced = (synced) => this.#cutLater(node, fault, synced);
    }
  }

  #cutLater(node: SimulatedNode, fault: PowerCut, { entries, votedFor }: Synced): void {
    const isWanted = fault.what === "entries" ? entries : votedFor !== undefined && votedFor !== node.id;
    if (!isWanted) return;
    this.#endings.after(fault.afterMs, () => {
      if (this.#armed.get(node) === fault) this.#fell(node, fault);
    });
  }

  healAll(): void {
    for (const [node, fault] of this.#armed) this.#disarm(node, fault);
    for (const node of this.#world.places) {
      node.clock.setRate(1, this.#world.nowMs);
      node.disk.latencyMs = HONEST_LATENCY_MS;
      node.disk.failsToRead = false;
      if (node.isPaused) node.resume();
    }
    this.#comebacks.healAll();
  }

  #disturbProcess(node: SimulatedNode, fault: ProcessFault): void {
    switch (fault.kind) {
      case "kill":
        this.#takeDown(node, fault.forMs);
        break;
      case "restart":
        this.#takeDown(node, 0);
        break;
      case "slow-start":
        this.#takeDown(node, fault.forMs);
        this.#endings.after(fault.forMs, () => this.#pause(node, fault.startMs));
        break;
      case "pause":
        if (node.isPaused) return;
        this.#pause(node, fault.forMs);
        break;
      case "restart-empty":
        this.#loseWhenSpared(node, fault, 0);
        return;
      default:
        fault satisfies never;
    }
    this.#tally.count(fault);
  }

  #disturbDisk(node: SimulatedNode, fault: DiskFault): void {
    const { disk } = node;
    switch (fault.kind) {
      case "lost-suffix":
      case "torn-write":
      case "reordered-writes":
        this.#arm(node, fault, fault.withinMs);
        disk.armed = { at: "write", how: fault.kind };
        return; // counted when it writes
      case "sync-error":
      case "disk-full":
        this.#arm(node, fault, fault.forMs);
        disk.failsToWrite = true;
        return;
      case "bit-rot":
        this.#damage(node, fault, () => disk.rot(fault.at));
        return;
      case "truncation":
        this.#damage(node, fault, () => disk.cutOff(fault.bytes));
        return;
      case "snapshot-damage":
        this.#damage(node, fault, () => node.snapshots.damageNewest());
        return;
      case "snapshot-lost":
        this.#damage(node, fault, () => node.snapshots.loseNewest());
        return;
      case "archive":
        if (!this.#archive(node)) return;
        break;
      case "read-error":
        disk.failsToRead = true;
        this.#takeDown(node, 0);
        this.#endings.after(fault.forMs, () => {
          disk.failsToRead = false;
        });
        break;
      case "slow-disk":
        disk.latencyMs = [fault.minMs, fault.maxMs];
        this.#endings.after(fault.forMs, () => {
          disk.latencyMs = HONEST_LATENCY_MS;
        });
        break;
      case "wiped":
        this.#loseWhenSpared(node, fault, fault.forMs);
        return;
      default:
        fault satisfies never;
    }
    this.#tally.count(fault);
  }

  #disturbClock(node: SimulatedNode, fault: ClockFault): void {
    const { clock } = node;
    switch (fault.kind) {
      case "clock-jump":
        if (fault.byMs < 0) this.#takeDown(node, 0);
        clock.jump(fault.byMs);
        break;
      case "clock-drift":
      case "clock-stall":
        clock.setRate(fault.kind === "clock-drift" ? fault.rate : 0, this.#world.nowMs);
        this.#endings.after(fault.forMs, () => clock.setRate(1, this.#world.nowMs));
        break;
      default:
        fault satisfies never;
    }
    this.#tally.count(fault);
  }

  #changeMembers(node: SimulatedNode, fault: Exclude<MembershipFault, { kind: "add-node" }>): void {
    const { members, places } = this.#world;
    if (fault.kind === "remove-node") {
      if (members.size <= NODES_MIN || !members.canSpare(node)) return;
      this.#remove(node);
      this.#tally.count(fault);
    } else if (members.canGrow && members.canSpare(node)) {
      this.#world.join(places.indexOf(node)).whenActive(() => this.#remove(node));
      this.#tally.count(fault);
    }
  }

  /** It leaves, and is switched off once nothing depends on it. */
  #remove(node: SimulatedNode): void {
    this.#world.remove(node, () => {
      this.#comebacks.forget(node);
      this.#endNode(node);
    });
  }

  /** A member that is further behind could be sent the rest by nobody. @returns whether there was anything to move. */
  #archive({ snapshots, disk }: SimulatedNode): boolean {
    const { oldest } = snapshots;
    if (oldest === undefined || snapshots.isDamaged(oldest)) return false;
    const known = this.#world.members.live.map(({ secured }) => secured);
    return disk.archive(seqno(Math.min(oldest.seqno, ...known)));
  }

  #damage(node: SimulatedNode, fault: Extract<DiskFault, { forMs: number }>, happens: () => boolean): void {
    const { members } = this.#world;
    if (!members.canSpare(node)) return;
    members.doubt(node);
    this.#takeDown(node, fault.forMs);
    if (happens()) this.#tally.count(fault);
  }

  #arm(node: SimulatedNode, fault: ArmedFault, forMs: number): void {
    const before = this.#armed.get(node);
    if (before !== undefined) this.#disarm(node, before);
    this.#armed.set(node, fault);
    node.onDownfall = () => {
      const armed = this.#armed.get(node);
      if (armed === undefined) throw new Error("a disk fails only when it is told to");
      this.#fell(node, armed);
    };
    this.#endings.after(forMs, () => this.#disarm(node, fault));
  }

  /** What a disk was armed for has come about. */
  #fell(node: SimulatedNode, fault: ArmedFault): void {
    this.#tally.count(fault);
    const fallen =
      fault.kind === "power-cut" ? [...this.#armed].filter(([, armed]) => armed === fault) : [[node] as const];
    for (const [each] of fallen) {
      this.#disarm(each, fault);
      each.kill(fault.kind === "power-cut" ? fault.leaves : undefined); // without effect where that has happened already
      this.#comebacks.comeBackAfter(each, fault.forMs);
    }
  }

  #disarm(node: SimulatedNode, fault: ArmedFault): void {
    if (this.#armed.get(node) !== fault) return;
    this.#armed.delete(node);
    node.disk.armed = undefined;
    node.disk.onSynced = undefined;
    node.disk.failsToWrite = false;
    if (fault.kind === "power-cut") node.disk.latencyMs = HONEST_LATENCY_MS;
  }

  #pause(node: SimulatedNode, forMs: number): void {
    if (!node.isUp) return;
    node.pause();
    this.#endings.after(forMs, () => node.resume());
  }

  #takeDown(node: SimulatedNode, forMs: number): void {
    this.#endNode(node);
    this.#comebacks.comeBackAfter(node, forMs);
  }

  /**
   * Its data is gone: what comes back in its place is a fresh node. While nodes come or go that waits, and happens as soon as the change
   * is complete: that is when a service is likeliest to have forgotten it.
   */
  #loseWhenSpared(node: SimulatedNode, fault: NodeFault, downMs: number, patienceMs = LOSS_PATIENCE_MS): void {
    const { members } = this.#world;
    if (members.canSpare(node)) {
      this.#endNode(node);
      members.lose(node);
      this.#tally.count(fault);
      this.#comebacks.comeBackAfter(node, downMs);
    } else if (!members.isSettled && patienceMs > 0) {
      this.#endings.after(LOSS_POLL_MS, () => {
        if (node.isUp) this.#loseWhenSpared(node, fault, downMs, patienceMs - LOSS_POLL_MS);
      });
    }
  }

  #endNode(node: SimulatedNode): void {
    const armed = this.#armed.get(node);
    if (armed !== undefined) this.#disarm(node, armed);
    node.kill();
  }
}

function crashPoint(node: SimulatedNode, { what, leaves }: PowerCut): CrashPoint {
  return what === "vote" ? { at: "vote", self: node.id, how: leaves } : { at: "sync", how: leaves };
}
