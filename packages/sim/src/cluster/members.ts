/** Who counts in the service's quorums, as its operator keeps book: how many nodes it can still lose for ever. */
import type { Joining } from "./joining.js";
import type { SimulatedNode } from "./simulated-node.js";

export class Members {
  readonly #live = new Set<SimulatedNode>();
  readonly #lost = new Set<SimulatedNode>();
  readonly #joining = new Set<Joining>();
  /** Down, with a damaged disk: whether they are lost shows when they come back. */
  readonly #doubtful = new Set<SimulatedNode>();

  /** Members that are not lost for ever; they may be down. */
  get live(): readonly SimulatedNode[] {
    return [...this.#live];
  }

  /** Nodes on their way in. */
  get joining(): number {
    return this.#joining.size;
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

  /**
   * Whether the service goes on without this node. Not while a node is on its way in: that one counts already in the quorum, and holds
   * nothing yet.
   */
  canSpare(node: SimulatedNode): boolean {
    if (!this.#isSettled(node)) return false;
    const quorum = Math.floor((this.#live.size + this.#lost.size) / 2) + 1;
    return this.#live.size - 1 >= quorum;
  }

  /** Whether a fresh node may join first, and this one be lost then. */
  canReplace(node: SimulatedNode): boolean {
    if (!this.#isSettled(node)) return false;
    return this.#live.size >= Math.floor((this.#live.size + this.#lost.size + 1) / 2) + 1;
  }

  isLost(node: SimulatedNode): boolean {
    return this.#lost.has(node);
  }

  doubt(node: SimulatedNode): void {
    this.#doubtful.add(node);
  }

  /** @returns whether it was in doubt. */
  endDoubt(node: SimulatedNode): boolean {
    return this.#doubtful.delete(node);
  }

  /** It is no member any more. */
  remove(node: SimulatedNode): void {
    this.#live.delete(node);
    this.#lost.delete(node);
  }

  /** It will never come back as what it was. */
  lose(node: SimulatedNode): void {
    if (this.#live.delete(node)) this.#lost.add(node);
  }

  #isSettled(node: SimulatedNode): boolean {
    return this.#live.has(node) && this.#joining.size === 0 && this.#doubtful.size === 0;
  }
}
