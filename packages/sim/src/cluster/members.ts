/** Who counts in the service's quorums, as its operator keeps book: how many nodes it can still lose for ever. */
import type { Joining } from "./joining.js";
import type { SimulatedNode } from "./simulated-node.js";

export class Members {
  /** May be down, and come back. */
  readonly #live = new Set<SimulatedNode>();
  /** Will never come back, and count until they are removed. */
  readonly #lost = new Set<SimulatedNode>();
  readonly #joining = new Set<Joining>();
  readonly #leaving = new Set<SimulatedNode>();
  /** Down, with a damaged disk: whether they are lost shows when they come back. */
  readonly #doubtful = new Set<SimulatedNode>();

  get live(): readonly SimulatedNode[] {
    return [...this.#live];
  }

  get size(): number {
    return this.#live.size + this.#lost.size;
  }

  /** Nodes on their way in or out. */
  get changing(): number {
    return this.#joining.size + this.#leaving.size;
  }

  addFounder(node: SimulatedNode): void {
    this.#live.add(node);
  }

  addJoining(joining: Joining): void {
    this.#joining.add(joining);
    joining.whenActive((node) => {
      this.#joining.delete(joining);
      this.#live.add(node);
    });
  }

  /** Its removal has begun; it counts until `remove`. */
  addLeaving(node: SimulatedNode): void {
    this.#leaving.add(node);
  }

  /** It is no member any more. */
  remove(node: SimulatedNode): void {
    this.#live.delete(node);
    this.#lost.delete(node);
    this.#leaving.delete(node);
  }

  /** It will never come back as what it was. */
  lose(node: SimulatedNode): void {
    if (this.#live.delete(node)) this.#lost.add(node);
  }

  isLost(node: SimulatedNode): boolean {
    return this.#lost.has(node);
  }

  isMember(node: SimulatedNode): boolean {
    return this.#live.has(node) || this.#lost.has(node);
  }

  /** Whether the service goes on without this node, before and after its removal. */
  canSpare(node: SimulatedNode): boolean {
    const left = this.#live.size - 1;
    return this.isSettled && this.#live.has(node) && left >= quorumOf(this.size) && left >= quorumOf(this.size - 1);
  }

  /** Whether a further node may join: while it has caught up with nothing, it counts already. */
  get canGrow(): boolean {
    return this.isSettled && this.#live.size >= quorumOf(this.size + 1);
  }

  /**
   * Whether nothing is under way that a loss could meet. A node on its way in counts in the quorum and holds nothing yet; one that is down
   * with a damaged disk may be lost already.
   */
  get isSettled(): boolean {
    return this.changing === 0 && this.#doubtful.size === 0 && this.live.every(knowsCommit);
  }

  doubt(node: SimulatedNode): void {
    this.#doubtful.add(node);
  }

  /** @returns whether it was in doubt. */
  endDoubt(node: SimulatedNode): boolean {
    return this.#doubtful.delete(node);
  }
}

/**
 * Whether a node knows, and would know after a restart, that the last reconfiguration is committed. As long as it does not, it asks the
 * configuration before for votes too, and that one may be unable to lose anybody (docs/limits.md).
 */
function knowsCommit({ replication, disk }: SimulatedNode): boolean {
  const [configuration, further] = replication?.configurations ?? [];
  return configuration !== undefined && further === undefined && configuration.seqno <= disk.hardState.commitSeqno;
}

function quorumOf(size: number): number {
  return Math.floor(size / 2) + 1;
}
