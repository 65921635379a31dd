/** One node on its way into the service: it is recorded, trusted by ballot, given its answer, started, and has caught up at last. */
import { fromUtf8, type JoinedNetwork, parseJoinResponse } from "@sealane/wire";
import type { Consortium, OwnConfig } from "./consortium.js";
import { Petition, type PetitionWorld, RETRY_MS } from "./petition.js";
import type { Answer, SimulatedNode, SimulatedRequest } from "./simulated-node.js";

export interface JoiningWorld extends PetitionWorld {
  readonly consortium: Consortium;
  /** The service has let the node in. */
  start(own: OwnConfig, network: JoinedNetwork): SimulatedNode;
}

/** How often it is looked whether the node takes part, in ms. */
const POLL_MS = 10;
/** A node that was let in and still takes no part after this, in ms, is trusted anew: the entry may be gone (docs/decisions/0003). */
const TAKEN_BACK_MS = 5_000;

export class Joining {
  readonly #world: JoiningWorld;
  readonly #own: OwnConfig;
  readonly #request: SimulatedRequest;
  readonly #petition: Petition;
  #node: SimulatedNode | undefined;
  #isActive = false;
  readonly #whenActive: ((node: SimulatedNode) => void)[] = [];

  /** @param via - The first node to ask. */
  constructor(world: JoiningWorld, own: OwnConfig, via?: SimulatedNode) {
    this.#world = world;
    this.#own = own;
    this.#petition = new Petition(world, via);
    this.#request = world.consortium.joinRequest(own, world.nowMs);
    this.#ask();
  }

  /** The node, once it was let in. */
  get node(): SimulatedNode | undefined {
    return this.#node;
  }

  /** It takes part. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** @param then - Called once it takes part. */
  whenActive(then: (node: SimulatedNode) => void): void {
    this.#whenActive.push(then);
  }

  #ask(): void {
    if (this.#isNowActive()) return;
    this.#petition.send(
      this.#request,
      (answer) => this.#handleAnswer(answer),
      () => this.#ask(),
    );
  }

  #handleAnswer({ status, body, location }: Answer): void {
    const again = (): void => this.#ask();
    const answer = status === 200 ? parseJoinResponse(JSON.parse(fromUtf8(body))) : undefined;
    if (answer?.status === "trusted") {
      this.#node ??= this.#world.start(this.#own, answer.network); // or it is trusted once more, and runs already
      this.#petition.later(0, () => this.#watch(this.#world.nowMs + TAKEN_BACK_MS));
    } else if (answer?.status === "pending") {
      const ballot = this.#world.consortium.ballotFor(this.#own.id, "trust-node");
      this.#petition.send(ballot, () => this.#petition.later(0, again), again);
    } else {
      this.#petition.turnTo(location?.split("/")[2]);
      this.#petition.later(status === 308 ? 0 : RETRY_MS, again);
    }
  }

  #watch(patientUntilMs: number): void {
    if (this.#world.nowMs >= patientUntilMs) this.#ask();
    else if (!this.#isNowActive()) this.#petition.later(POLL_MS, () => this.#watch(patientUntilMs));
  }

  #isNowActive(): boolean {
    const node = this.#node;
    if (node?.state(this.#world.nowMs)?.phase !== "active") return false;
    this.#isActive = true;
    for (const then of this.#whenActive) then(node);
    return true;
  }
}
