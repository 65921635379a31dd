/**
 * Nodes whose removal is committed, until the retirement-committed entry that names them is committed too (consensus
 * spec §11.2–§11.4). The original keeps this in its store; the core does it itself, so that no owner can get it wrong.
 */
import type { NodeId, Seqno } from "@sealane/wire";
import { ascending } from "./configurations.js";

/** A retirement-committed entry in the log, above the commit seqno. */
export interface RetirementEntry {
  readonly seqno: Seqno;
  readonly nodes: readonly NodeId[];
}

export class RemovedNodes {
  readonly #removed: Set<NodeId>;
  /** Ascending in seqno. */
  #entries: RetirementEntry[];

  constructor(removed: readonly NodeId[] = [], entries: readonly RetirementEntry[] = []) {
    this.#removed = new Set(removed);
    this.#entries = [...entries];
  }

  /** Removed, and the entry that would let them be switched off is not committed. Ascending. */
  get removed(): readonly NodeId[] {
    return ascending(this.#removed);
  }

  get entries(): readonly RetirementEntry[] {
    return [...this.#entries];
  }

  /** §11.3: those for which such an entry has yet to be written. Ascending. */
  get unmarked(): readonly NodeId[] {
    return this.removed.filter((node) => !this.#entries.some((entry) => entry.nodes.includes(node)));
  }

  /** The removal of these nodes is committed. */
  remove(nodes: readonly NodeId[]): void {
    for (const node of nodes) this.#removed.add(node);
  }

  /** A retirement-committed entry was appended. */
  mark(seqno: Seqno, nodes: readonly NodeId[]): void {
    this.#entries.push({ seqno, nodes: ascending(nodes) });
  }

  rollback(to: Seqno): void {
    this.#entries = this.#entries.filter((entry) => entry.seqno <= to);
  }

  /** @returns the nodes named by entries that are now committed, in log order, then ascending (spec §11.4). */
  commit(to: Seqno): readonly NodeId[] {
    const named = this.#entries.filter((entry) => entry.seqno <= to).flatMap((entry) => entry.nodes);
    this.#entries = this.#entries.filter((entry) => entry.seqno > to);
    for (const node of named) this.#removed.delete(node);
    return named;
  }
}
