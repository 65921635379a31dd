/**
 * What a node does that hears from no primary for long: it asks other nodes, over the API that clients use, who belongs to the service. For two
 * things may have happened while it was away that nobody tells it through channels, since it has none to those who know: it was removed, or
 * the nodes it knows were replaced. What it is told decides only whom it opens channels to, and whether it gives up.
 */
import type { NetworkNode, NodeId } from "@sealane/wire";
import { isTakingPart } from "./tables.js";

/** It asks after this many election timeouts without a primary, and again after as many more. */
const SILENT_ELECTION_TIMEOUTS = 2;

export class Inquiry {
  readonly #id: NodeId;
  readonly #everyMs: number;
  /** The nodes it was told of, at its start and since, by id. */
  readonly #told = new Map<NodeId, NetworkNode>();
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(id: NodeId, electionTimeoutMs: number, nodes: readonly NetworkNode[]) {
    this.#id = id;
    this.#everyMs = SILENT_ELECTION_TIMEOUTS * electionTimeoutMs;
    this.#learn(nodes);
  }

  /** The nodes it was told of that take part, as far as it knows. The service's own records come before these. */
  get told(): readonly NetworkNode[] {
    return [...this.#told.values()].filter(isTakingPart);
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  handlePrimary(isKnown: boolean, nowMs: number): void {
    if (isKnown) this.#dueMs = Number.POSITIVE_INFINITY;
    else this.#dueMs = Math.min(this.#dueMs, nowMs + this.#everyMs);
  }

  /** @returns whether it is time to ask; then the next time is set. */
  takeDue(nowMs: number): boolean {
    if (nowMs < this.#dueMs) return false;
    this.#dueMs = nowMs + this.#everyMs;
    return true;
  }

  /** @returns whether this very node may be switched off: the service has removed it. */
  handleNetwork(nodes: readonly NetworkNode[]): boolean {
    this.#learn(nodes);
    return nodes.some(({ id, retiredCommitted }) => id === this.#id && retiredCommitted === true);
  }

  /** A node that is gone stays gone, whatever one that knows less says later. */
  #learn(nodes: readonly NetworkNode[]): void {
    for (const node of nodes) if (this.#told.get(node.id)?.retiredCommitted !== true) this.#told.set(node.id, node);
  }
}
