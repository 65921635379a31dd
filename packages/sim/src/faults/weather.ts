/** The network's faults in force, several at a time: they add up to one setting of the network. */
import type { FaultCounts, InMemoryNetwork, NetworkFaults } from "@sealane/transport";
import type { NodeId } from "@sealane/wire";
import type { NetworkFault } from "./fault.js";

interface Active {
  readonly fault: NetworkFault;
  /** What the network had counted when it began. */
  readonly before: number;
  /** A flapping link is cut half of the time. */
  isCut: boolean;
}

type Cut = readonly [from: NodeId, to: NodeId];

export class Weather {
  readonly #network: InMemoryNetwork;
  readonly #calm: NetworkFaults;
  /** The node at each place. */
  readonly #places: () => readonly NodeId[];
  readonly #active = new Map<NetworkFault, Active>();
  #cuts = new Map<string, Cut>();

  /** @param calm - The network without faults. */
  constructor(network: InMemoryNetwork, calm: NetworkFaults, places: () => readonly NodeId[]) {
    this.#network = network;
    this.#calm = calm;
    this.#places = places;
    network.setFaults(calm);
  }

  begin(fault: NetworkFault): void {
    this.#active.set(fault, { fault, before: countOf(fault, this.#network.counts), isCut: true });
    this.refresh();
  }

  /** @returns whether the fault had any effect; undefined when it had ended before. */
  end(fault: NetworkFault): boolean | undefined {
    const active = this.#active.get(fault);
    if (active === undefined) return undefined;
    this.#active.delete(fault);
    this.refresh();
    return hadEffect(active, this.#network.counts);
  }

  /** Cuts or heals a flapping link. @returns false once the fault has ended. */
  flap(fault: NetworkFault): boolean {
    const active = this.#active.get(fault);
    if (active === undefined) return false;
    active.isCut = !active.isCut;
    this.refresh();
    return true;
  }

  get active(): readonly NetworkFault[] {
    return [...this.#active.keys()];
  }

  /** Faults in force that have had an effect already. */
  get effective(): readonly NetworkFault[] {
    return [...this.#active.values()]
      .filter((active) => hadEffect(active, this.#network.counts))
      .map(({ fault }) => fault);
  }

  /** To be called when a place has got another node. */
  refresh(): void {
    this.#network.setFaults([...this.#active.values()].reduce((sum, { fault }) => add(sum, fault), this.#calm));
    const cuts = new Map<string, Cut>();
    for (const active of this.#active.values()) {
      if (!active.isCut) continue;
      for (const cut of cutsOf(active.fault, this.#places())) cuts.set(cut.join(" "), cut);
    }
    for (const [key, [from, to]] of this.#cuts) if (!cuts.has(key)) this.#network.heal(from, to, "one-way");
    for (const [key, [from, to]] of cuts) if (!this.#cuts.has(key)) this.#network.cut(from, to, "one-way");
    this.#cuts = cuts;
  }
}

/** The worse of what is and what comes. */
function add(sum: NetworkFaults, fault: NetworkFault): NetworkFaults {
  switch (fault.kind) {
    case "loss":
      return { ...sum, loss: Math.max(sum.loss, fault.probability) };
    case "duplication":
      return { ...sum, duplicate: Math.max(sum.duplicate, fault.probability) };
    case "connection-reset":
      return { ...sum, reset: Math.max(sum.reset, fault.probability) };
    case "reordering":
      return {
        ...sum,
        reorder: Math.max(sum.reorder, fault.probability),
        reorderMs: Math.max(sum.reorderMs, fault.byMs),
      };
    case "delay":
      return { ...sum, delayMs: [Math.max(sum.delayMs[0], fault.minMs), Math.max(sum.delayMs[1], fault.maxMs)] };
    case "bandwidth":
      return { ...sum, bytesPerMs: Math.min(sum.bytesPerMs, fault.bytesPerMs) };
    case "partition":
    case "one-way-partition":
    case "asymmetric-partition":
    case "bridge-partition":
    case "flapping":
      return sum;
    default:
      return fault satisfies never;
  }
}

function cutsOf(fault: NetworkFault, places: readonly NodeId[]): Cut[] {
  const cuts: Cut[] = [];
  for (const [a, from] of places.entries()) {
    for (const [b, to] of places.entries()) if (a !== b && separates(fault, a, b)) cuts.push([from, to]);
  }
  return cuts;
}

/** Whether nothing passes from place `a` to place `b`. */
function separates(fault: NetworkFault, a: number, b: number): boolean {
  switch (fault.kind) {
    case "partition":
      return fault.side.includes(a) !== fault.side.includes(b);
    case "one-way-partition":
      return fault.side.includes(a) && !fault.side.includes(b);
    case "asymmetric-partition":
      return fault.deaf[b]?.includes(a) ?? false;
    case "bridge-partition":
      return a !== fault.bridge && b !== fault.bridge && fault.side.includes(a) !== fault.side.includes(b);
    case "flapping":
      return (a === fault.a && b === fault.b) || (a === fault.b && b === fault.a);
    default:
      return false;
  }
}

/** What the network counts of a fault's effects; a delay has its effect on every frame. */
function countOf(fault: NetworkFault, counts: Readonly<FaultCounts>): number {
  switch (fault.kind) {
    case "loss":
      return counts.lost;
    case "duplication":
      return counts.duplicated;
    case "connection-reset":
      return counts.reset;
    case "reordering":
      return counts.reordered;
    case "bandwidth":
      return counts.throttled;
    case "delay":
      return counts.carried;
    case "partition":
    case "one-way-partition":
    case "asymmetric-partition":
    case "bridge-partition":
    case "flapping":
      return counts.cut;
    default:
      return fault satisfies never;
  }
}

function hadEffect({ fault, before }: Active, counts: Readonly<FaultCounts>): boolean {
  return countOf(fault, counts) > before;
}
