/**
 * Carries faults out on a running cluster, ends them in time, and counts those that had an effect.
 *
 * What it never does, because no service could survive it: lose for ever more nodes than a quorum can spare, or let a node that lost synced
 * data come back under its old name. The second a real node cannot always notice by itself (docs/limits.md); here the operator does.
 */
import type { InMemoryNetwork, NetworkFaults } from "@sealane/transport";
import type { Joining } from "../cluster/joining.js";
import type { Members } from "../cluster/members.js";
import type { SimulatedNode } from "../cluster/simulated-node.js";
import type { SeededRandom } from "../random.js";
import { ViolationError } from "../violation.js";
import type {
  ClockFault,
  DiskFault,
  Fault,
  FaultKind,
  MembershipFault,
  NetworkFault,
  ProcessFault,
  WireFault,
} from "./fault.js";
import type { Timeline } from "./timeline.js";
import { Weather } from "./weather.js";
import { WireAdversary } from "./wire-adversary.js";

export interface FaultyWorld {
  readonly network: InMemoryNetwork;
  /** The network without faults. */
  readonly calm: NetworkFaults;
  readonly random: SeededRandom;
  readonly timeline: Timeline;
  readonly members: Members;
  readonly places: readonly SimulatedNode[];
  readonly nowMs: number;
  /** Brings a fresh node to a place. */
  join(place: number): Joining;
  /** Has a node taken out of the service. */
  remove(node: SimulatedNode, whenGone: () => void): void;
}

/** How long the operator waits before trying again to start a node whose disk cannot be read, in ms. */
const RESTART_RETRY_MS = 200;
const HONEST_LATENCY_MS = [0, 0] as const;
/** Members that faults leave at least, and bring in at most. */
const NODES_MIN = 2;
const NODES_MAX = 7;

type OfNode = Extract<Fault, { readonly node: number }>;
type ArmedFault = Extract<
  DiskFault,
  { readonly kind: "lost-suffix" | "torn-write" | "reordered-writes" | "sync-error" | "disk-full" }
>;

export class FaultInjector {
  readonly #world: FaultyWorld;
  readonly #weather: Weather;
  readonly #adversary: WireAdversary;
  readonly #reached = new Map<FaultKind, number>();
  /** Faults whose first effect has been counted. */
  readonly #counted = new WeakSet<Fault>();
  /** When a node that is down is to come back. */
  readonly #comebackMs = new Map<SimulatedNode, number>();
  /** The fault that a disk waits to bring about. */
  readonly #armed = new Map<SimulatedNode, ArmedFault>();
  /** Grows with `healAll`: what was to end or begin before that is over. */
  #age = 0;

  constructor(world: FaultyWorld) {
    this.#world = world;
    this.#weather = new Weather(world.network, world.calm, () => world.places.map(({ id }) => id));
    this.#adversary = new WireAdversary(world.random, (fault) => this.#countOnce(fault));
  }

  get reached(): ReadonlyMap<FaultKind, number> {
    for (const fault of this.#weather.effective) this.#countOnce(fault);
    return this.#reached;
  }

  /** To be called when a place has got another node. */
  refresh(): void {
    this.#weather.refresh();
  }

  inject(fault: Fault): void {
    switch (fault.kind) {
      case "loss":
      case "duplication":
      case "reordering":
      case "delay":
      case "bandwidth":
      case "connection-reset":
      case "partition":
      case "one-way-partition":
      case "asymmetric-partition":
      case "bridge-partition":
      case "flapping":
        this.#disturbNetwork({ ...fault });
        break;
      case "wire-flip":
      case "wire-truncate":
      case "wire-replay":
      case "wire-reorder":
      case "wire-inject":
      case "wire-reflect":
      case "wire-splice":
      case "wire-delay":
        this.#tapWire({ ...fault });
        break;
      case "add-node":
        this.#addNode(fault);
        break;
      default:
        this.#disturbNode(fault);
        break;
    }
  }

  healAll(): void {
    this.#age++;
    for (const fault of this.#weather.active) if (this.#weather.end(fault)) this.#countOnce(fault);
    this.#adversary.endAll();
    this.#world.network.setAdversary(undefined);
    this.#armed.clear();
    for (const node of this.#world.places) {
      node.clock.setRate(1, this.#world.nowMs);
      node.disk.latencyMs = HONEST_LATENCY_MS;
      node.disk.armed = undefined;
      node.disk.failsToRead = false;
      node.disk.failsToWrite = false;
      if (node.isPaused) node.resume();
    }
    for (const node of [...this.#comebackMs.keys()]) this.#comeBack(node);
  }

  #disturbNetwork(fault: NetworkFault): void {
    this.#weather.begin(fault);
    this.#after(fault.forMs, () => {
      if (this.#weather.end(fault)) this.#countOnce(fault);
    });
    if (fault.kind === "flapping") this.#flap(fault);
  }

  #flap(fault: Extract<NetworkFault, { kind: "flapping" }>): void {
    this.#after(Math.max(1, fault.periodMs / 2), () => {
      if (this.#weather.flap(fault)) this.#flap(fault);
    });
  }

  #tapWire(fault: WireFault): void {
    this.#adversary.begin(fault);
    this.#world.network.setAdversary(this.#adversary.handleFrame);
    this.#after(fault.forMs, () => {
      this.#adversary.end(fault);
      if (!this.#adversary.isActive) this.#world.network.setAdversary(undefined);
    });
  }

  #addNode(fault: Extract<MembershipFault, { kind: "add-node" }>): void {
    const { places, members } = this.#world;
    if (members.size >= NODES_MAX || !members.canGrow) return;
    const free = places.findIndex((node) => !members.isMember(node));
    this.#world.join(free < 0 ? places.length : free);
    this.#count(fault);
  }

  #disturbNode(fault: OfNode): void {
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
        this.#after(fault.forMs, () => this.#pause(node, fault.startMs));
        break;
      case "pause":
        if (node.isPaused) return;
        this.#pause(node, fault.forMs);
        break;
      case "restart-empty":
        if (!this.#world.members.canSpare(node)) return;
        this.#lose(node);
        this.#comeBackAfter(node, 0);
        break;
      default:
        fault satisfies never;
    }
    this.#count(fault);
  }

  #disturbDisk(node: SimulatedNode, fault: DiskFault): void {
    const { disk } = node;
    switch (fault.kind) {
      case "lost-suffix":
      case "torn-write":
      case "reordered-writes":
        this.#arm(node, fault, fault.withinMs);
        disk.armed = fault.kind;
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
      case "read-error":
        disk.failsToRead = true;
        this.#takeDown(node, 0);
        this.#after(fault.forMs, () => {
          disk.failsToRead = false;
        });
        break;
      case "slow-disk":
        disk.latencyMs = [fault.minMs, fault.maxMs];
        this.#after(fault.forMs, () => {
          disk.latencyMs = HONEST_LATENCY_MS;
        });
        break;
      case "wiped":
        if (!this.#world.members.canSpare(node)) return;
        this.#lose(node);
        this.#comeBackAfter(node, fault.forMs);
        break;
      default:
        fault satisfies never;
    }
    this.#count(fault);
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
        this.#after(fault.forMs, () => clock.setRate(1, this.#world.nowMs));
        break;
      default:
        fault satisfies never;
    }
    this.#count(fault);
  }

  #changeMembers(node: SimulatedNode, fault: Exclude<MembershipFault, { kind: "add-node" }>): void {
    const { members, places } = this.#world;
    if (fault.kind === "remove-node") {
      if (members.size <= NODES_MIN || !members.canSpare(node)) return;
      this.#remove(node);
      this.#count(fault);
    } else if (members.canGrow && members.canSpare(node)) {
      this.#world.join(places.indexOf(node)).whenActive(() => this.#remove(node));
      this.#count(fault);
    }
  }

  /** It leaves, and is switched off once nothing depends on it. */
  #remove(node: SimulatedNode): void {
    this.#world.remove(node, () => {
      this.#comebackMs.delete(node);
      this.#endNode(node);
    });
  }

  #damage(node: SimulatedNode, fault: Extract<DiskFault, { forMs: number }>, happens: () => boolean): void {
    const { members } = this.#world;
    if (!members.canSpare(node)) return;
    members.doubt(node);
    this.#takeDown(node, fault.forMs);
    if (happens()) this.#count(fault);
  }

  #arm(node: SimulatedNode, fault: ArmedFault, forMs: number): void {
    this.#armed.set(node, fault);
    node.onDownfall = () => {
      const armed = this.#armed.get(node);
      if (armed === undefined) throw new Error("a disk fails only when it is told to");
      this.#disarm(node, armed);
      this.#count(armed);
      this.#comeBackAfter(node, armed.forMs);
    };
    this.#after(forMs, () => this.#disarm(node, fault));
  }

  #disarm(node: SimulatedNode, fault: ArmedFault): void {
    if (this.#armed.get(node) !== fault) return;
    this.#armed.delete(node);
    node.disk.armed = undefined;
    node.disk.failsToWrite = false;
  }

  #pause(node: SimulatedNode, forMs: number): void {
    if (!node.isUp) return;
    node.pause();
    this.#after(forMs, () => node.resume());
  }

  #takeDown(node: SimulatedNode, forMs: number): void {
    this.#endNode(node);
    this.#comeBackAfter(node, forMs);
  }

  /** Its data is gone: what comes back in its place is a fresh node. */
  #lose(node: SimulatedNode): void {
    this.#endNode(node);
    this.#world.members.lose(node);
  }

  #endNode(node: SimulatedNode): void {
    const armed = this.#armed.get(node);
    if (armed !== undefined) this.#disarm(node, armed);
    node.kill();
  }

  #comeBackAfter(node: SimulatedNode, forMs: number): void {
    const { nowMs, timeline } = this.#world;
    const atMs = Math.max(nowMs + forMs, this.#comebackMs.get(node) ?? 0);
    this.#comebackMs.set(node, atMs);
    timeline.at(atMs, () => {
      if (this.#comebackMs.get(node) === atMs) this.#comeBack(node);
    });
  }

  #comeBack(node: SimulatedNode): void {
    const { members, nowMs } = this.#world;
    this.#comebackMs.delete(node);
    if (node.isUp) return;
    if (!members.isLost(node)) {
      const outcome = node.restart(nowMs);
      if (outcome === "unreadable") {
        this.#comeBackAfter(node, RESTART_RETRY_MS);
        return;
      }
      const wasDamaged = members.endDoubt(node);
      if (outcome === "up") return;
      if (!wasDamaged) {
        throw new ViolationError("not-recovered", `${node.id} cannot come back (${outcome}), and its disk was honest`);
      }
      members.lose(node);
    }
    this.#replaceLost(node);
  }

  /** In either order: the dead node out first, or the fresh one in first where there is a quorum for that. */
  #replaceLost(node: SimulatedNode): void {
    const { members, places, random } = this.#world;
    const join = (): Joining => this.#world.join(places.indexOf(node));
    if (members.canGrow && random.chance(0.5)) join().whenActive(() => this.#world.remove(node, () => {}));
    else this.#world.remove(node, join);
  }

  /** Ends something after a time; healing ends it earlier in its own way. */
  #after(ms: number, end: () => void): void {
    const age = this.#age;
    this.#world.timeline.at(this.#world.nowMs + ms, () => {
      if (age === this.#age) end();
    });
  }

  #countOnce(fault: Fault): void {
    if (!this.#counted.has(fault)) this.#count(fault);
  }

  #count(fault: Fault): void {
    this.#counted.add(fault);
    this.#reached.set(fault.kind, (this.#reached.get(fault.kind) ?? 0) + 1);
  }
}
