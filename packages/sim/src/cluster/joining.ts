/** One node on its way into the service: it is recorded, trusted by ballot, given its answer, started, and has caught up at last. */
import { fromUtf8, type JoinedNetwork, parseErrorAnswer, parseJoinResponse, type Seqno, seqno } from "@sealane/wire";
import type { Consortium, OwnConfig } from "./consortium.js";
import { Petition, type PetitionWorld, RETRY_MS } from "./petition.js";
import type { Answer, SimulatedNode, SimulatedRequest } from "./simulated-node.js";
import type { SnapshotFile } from "./simulated-snapshots.js";

export interface JoiningWorld extends PetitionWorld {
  readonly consortium: Consortium;
  /** A snapshot at `since` or later that some node gives; it was checked as far as its receipt goes. Undefined when there is none now. */
  snapshotSince(since: Seqno): SnapshotFile | undefined;
  /**
   * The service has let the node in.
   * @param node - It runs already, and begins again.
   * @returns undefined when the snapshot does not open with the secrets it was told: nothing has begun.
   */
  start(
    own: OwnConfig,
    network: JoinedNetwork,
    snapshot: SnapshotFile | undefined,
    node: SimulatedNode | undefined,
  ): SimulatedNode | undefined;
}

/** How often it is looked whether the node takes part, in ms. */
const POLL_MS = 10;
/** Whoever was sent elsewhere asks there after this, in ms: two nodes may each believe that the other leads. */
const REDIRECTED_MS = 20;
/** A node that was let in and still takes no part after this, in ms, is trusted anew: the entry may be gone (docs/decisions/0003). */
const TAKEN_BACK_MS = 5_000;

export class Joining {
  readonly #world: JoiningWorld;
  readonly #own: OwnConfig;
  #request: SimulatedRequest | undefined;
  #requestedWith: Seqno | undefined;
  /** What it is to begin from. */
  #snapshot: SnapshotFile | undefined;
  readonly #petition: Petition;
  #node: SimulatedNode | undefined;
  #isActive = false;
  readonly #whenActive: ((node: SimulatedNode) => void)[] = [];

  /** @param via - The first node to ask. */
  constructor(world: JoiningWorld, own: OwnConfig, via?: SimulatedNode) {
    this.#world = world;
    this.#own = own;
    this.#petition = new Petition(world, via);
    this.#snapshot = world.snapshotSince(seqno(0));
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
      this.#currentRequest(),
      (answer) => this.#handleAnswer(answer),
      () => this.#ask(),
    );
  }

  /** What it needs everything behind of. */
  get #startupSeqno(): Seqno {
    return this.#snapshot?.seqno ?? this.#node?.disk.lastSeqno ?? seqno(0);
  }

  #currentRequest(): SimulatedRequest {
    const startup = this.#startupSeqno;
    if (this.#request === undefined || this.#requestedWith !== startup) {
      this.#request = this.#world.consortium.joinRequest(this.#own, startup, this.#world.nowMs);
      this.#requestedWith = startup;
    }
    return this.#request;
  }

  #handleAnswer({ status, body, location }: Answer): void {
    const again = (): void => this.#ask();
    if (status === 409 && parseErrorAnswer(JSON.parse(fromUtf8(body))).error.code === "startup-seqno-old") {
      this.#snapshot = this.#world.snapshotSince(seqno(this.#startupSeqno + 1)) ?? this.#snapshot;
      this.#petition.later(RETRY_MS, again);
      return;
    }
    const answer = status === 200 ? parseJoinResponse(JSON.parse(fromUtf8(body))) : undefined;
    if (answer?.status === "trusted") {
      // Trusted once more, it may run already.
      if (this.#node === undefined || this.#snapshot !== undefined) {
        const started = this.#world.start(this.#own, answer.network, this.#snapshot, this.#node);
        this.#snapshot = undefined;
        if (started === undefined) {
          this.#petition.later(RETRY_MS, again);
          return;
        }
        this.#node = started;
      }
      this.#petition.later(0, () => this.#watch(this.#world.nowMs + TAKEN_BACK_MS));
    } else if (answer?.status === "pending") {
      const ballot = this.#world.consortium.ballotFor(this.#own.id, "trust-node");
      this.#petition.send(ballot, () => this.#petition.later(0, again), again);
    } else {
      this.#petition.turnTo(location?.split("/")[2]);
      this.#petition.later(status === 308 ? REDIRECTED_MS : RETRY_MS, again);
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
