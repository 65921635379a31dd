/** What faults act upon: a running cluster, as the injectors see it. */
import type { InMemoryNetwork, NetworkFaults } from "@sealane/transport";
import type { Joining } from "../cluster/joining.js";
import type { Members } from "../cluster/members.js";
import type { SimulatedNode } from "../cluster/simulated-node.js";
import type { SeededRandom } from "../random.js";
import type { Timeline } from "./timeline.js";

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

/** Ends faults in their time. */
export class Endings {
  readonly #world: Pick<FaultyWorld, "timeline" | "nowMs">;
  /** Grows with `healAll`: what was to end or begin before that is over. */
  #age = 0;

  constructor(world: Pick<FaultyWorld, "timeline" | "nowMs">) {
    this.#world = world;
  }

  /** Ends something after a time; healing ends it earlier in its own way. */
  after(ms: number, end: () => void): void {
    const age = this.#age;
    this.#world.timeline.at(this.#world.nowMs + ms, () => {
      if (age === this.#age) end();
    });
  }

  healAll(): void {
    this.#age++;
  }
}
