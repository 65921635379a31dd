/** One node on its way out of the service: the consortium votes, and the others forget it (consensus spec §11). */
import type { Consortium } from "./consortium.js";
import { Petition, type PetitionWorld, RETRY_MS } from "./petition.js";
import type { SimulatedNode, SimulatedRequest } from "./simulated-node.js";

export interface RemovingWorld extends PetitionWorld {
  readonly consortium: Consortium;
}

export class Removing {
  readonly #world: RemovingWorld;
  readonly #node: SimulatedNode;
  readonly #ballot: SimulatedRequest;
  readonly #petition: Petition;
  readonly #whenGone: () => void;

  /** @param whenGone - Called once the node may be switched off. @param via - The first node to ask. */
  constructor(world: RemovingWorld, node: SimulatedNode, whenGone: () => void, via?: SimulatedNode) {
    this.#world = world;
    this.#node = node;
    this.#whenGone = whenGone;
    this.#petition = new Petition(world, via);
    this.#ballot = world.consortium.ballotFor(node.id, "remove-node");
    this.#ask();
  }

  #ask(): void {
    this.#petition.send(
      this.#ballot,
      ({ status }) => {
        if (status !== 200) this.#petition.turnTo(undefined);
        this.#petition.later(RETRY_MS, () => this.#look());
      },
      () => this.#look(),
    );
  }

  /** Whatever was answered: the ballot may have been counted before it was. */
  #look(): void {
    const witness = this.#world.pickNode();
    const record = witness?.state(this.#world.nowMs)?.nodes.find(({ id }) => id === this.#node.id);
    if (record?.retiredCommitted === true) this.#whenGone();
    else if (record?.status === "retired") this.#petition.later(RETRY_MS, () => this.#look());
    else this.#ask();
  }
}
