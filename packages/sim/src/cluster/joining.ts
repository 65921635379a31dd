/**
 * One node on its way into the service, asking and asking again while everything around it may fail: record it, cast the ballot, take the
 * answer, start, catch up. It gives up only when it is told to.
 */
import { fromUtf8, type JoinedNetwork, parseJoinResponse } from "@sealane/wire";
import type { Timeline } from "../faults/timeline.js";
import type { Consortium, OwnConfig } from "./consortium.js";
import type { Answer, SimulatedNode, SimulatedRequest } from "./simulated-node.js";

export interface JoiningWorld {
  readonly consortium: Consortium;
  readonly timeline: Timeline;
  readonly nowMs: number;
  /** A node to ask: at random, or the one published at an address. */
  pickNode(apiAddress?: string): SimulatedNode | undefined;
  /** The service has let the node in. */
  start(own: OwnConfig, network: JoinedNetwork): SimulatedNode;
}

/** An unanswered request is given up after this, in ms; a refusal is tried again after that. */
const ANSWER_MS = 4_000;
const RETRY_MS = 100;
/** How often it is looked whether the node takes part. */
const POLL_MS = 10;

export class Joining {
  readonly #world: JoiningWorld;
  readonly #own: OwnConfig;
  readonly #request: SimulatedRequest;
  #via: SimulatedNode | undefined;
  #attempt = 0;
  #node: SimulatedNode | undefined;
  #isActive = false;
  readonly #whenActive: ((node: SimulatedNode) => void)[] = [];

  /** @param via - The first node to ask. */
  constructor(world: JoiningWorld, own: OwnConfig, via?: SimulatedNode) {
    this.#world = world;
    this.#own = own;
    this.#via = via;
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
    this.#send(this.#request, (answer) => this.#handleAnswer(answer));
  }

  #handleAnswer({ status, body, location }: Answer): void {
    if (status === 308) {
      this.#via = this.#world.pickNode(location?.split("/")[2]);
      this.#again(this.#via === undefined ? RETRY_MS : 0);
      return;
    }
    const answer = status === 200 ? parseJoinResponse(JSON.parse(fromUtf8(body))) : undefined;
    if (answer?.status === "trusted") {
      this.#attempt++;
      this.#node = this.#world.start(this.#own, answer.network);
      this.#watch(this.#node);
    } else if (answer?.status === "pending") {
      this.#send(this.#world.consortium.ballotFor(this.#own.id, "trust-node"), () => this.#again(0));
    } else {
      this.#via = undefined;
      this.#again(RETRY_MS);
    }
  }

  /** Sends one request; what is answered later than `ANSWER_MS`, or not at all, begins anew. */
  #send(request: SimulatedRequest, handle: (answer: Answer) => void): void {
    const { timeline, nowMs } = this.#world;
    const attempt = ++this.#attempt;
    this.#via = this.#via?.isUp ? this.#via : this.#world.pickNode();
    timeline.at(nowMs + ANSWER_MS, () => {
      if (attempt !== this.#attempt) return;
      this.#via = undefined;
      this.#ask();
    });
    this.#via?.request(request, nowMs, (answer) => {
      if (attempt === this.#attempt) handle(answer);
    });
  }

  #again(afterMs: number): void {
    const attempt = ++this.#attempt;
    this.#world.timeline.at(this.#world.nowMs + afterMs, () => {
      if (attempt === this.#attempt) this.#ask();
    });
  }

  #watch(node: SimulatedNode): void {
    if (node.state(this.#world.nowMs)?.phase === "active") {
      this.#isActive = true;
      for (const then of this.#whenActive) then(node);
    } else this.#world.timeline.at(this.#world.nowMs + POLL_MS, () => this.#watch(node));
  }
}
