/** A request that somebody makes again and again, of one node after another, while everything around may fail. */
import type { Timeline } from "../faults/timeline.js";
import type { Answer, SimulatedNode, SimulatedRequest } from "./simulated-node.js";

export interface PetitionWorld {
  readonly timeline: Timeline;
  readonly nowMs: number;
  /** A node to ask: the one published at an address, or one at random. */
  pickNode(apiAddress?: string): SimulatedNode | undefined;
}

/** An unanswered request is given up after this, in ms. */
const ANSWER_MS = 4_000;
/** A refusal is tried again after this, in ms. */
export const RETRY_MS = 250;

export class Petition {
  readonly #world: PetitionWorld;
  /** The node asked last, and asked again while it answers. */
  #via: SimulatedNode | undefined;
  /** What came before the latest step is void. */
  #step = 0;

  /** @param via - The first node to ask. */
  constructor(world: PetitionWorld, via?: SimulatedNode) {
    this.#world = world;
    this.#via = via;
  }

  /** Asks; without an answer in time `retry` is called. */
  send(request: SimulatedRequest, handle: (answer: Answer) => void, retry: () => void): void {
    const { timeline, nowMs } = this.#world;
    const step = ++this.#step;
    this.#via = this.#via?.isUp ? this.#via : this.#world.pickNode();
    timeline.at(nowMs + ANSWER_MS, () => {
      if (step !== this.#step) return;
      this.#via = undefined;
      retry();
    });
    this.#via?.request(request, nowMs, (answer) => {
      if (step === this.#step) handle(answer);
    });
  }

  /** Asks another node from now on. @param apiAddress - Where to look first. */
  turnTo(apiAddress: string | undefined): void {
    this.#via = this.#world.pickNode(apiAddress);
  }

  /** Goes on after some time, unless something else comes first. */
  later(afterMs: number, next: () => void): void {
    const step = ++this.#step;
    this.#world.timeline.at(this.#world.nowMs + afterMs, () => {
      if (step === this.#step) next();
    });
  }
}
