/**
 * The active configurations and their quorums (consensus spec §10.1, §8.9, §9.4, §9.6).
 * Every question that needs a majority is asked of each active configuration by itself, never of their union (spec §16 B1).
 */
import { type NodeId, type Seqno, seqno } from "@sealane/wire";
import { assert } from "./assert.js";
import type { Configuration } from "./interface.js";

/** The least number of nodes that is a majority of `nodes`. */
export function quorum(nodes: number): number {
  return Math.floor(nodes / 2) + 1;
}

export class Configurations {
  /** Invariant: strictly ascending in seqno; each has at least one node, nodes ascending and distinct. Oldest = current. */
  #list: Configuration[];

  constructor(list: readonly Configuration[] = []) {
    this.#list = [];
    for (const { seqno, nodes } of list) this.add(seqno, nodes);
  }

  get all(): readonly Configuration[] {
    return [...this.#list];
  }

  get newest(): Configuration | undefined {
    return this.#list.at(-1);
  }

  /** The nodes of all active configurations, ascending. */
  get nodes(): readonly NodeId[] {
    return ascending(this.#list.flatMap((configuration) => configuration.nodes));
  }

  includes(node: NodeId): boolean {
    return this.#list.some((configuration) => configuration.nodes.includes(node));
  }

  /** The seqno of the newest configuration that includes `node`; 0 when none does (spec §11.5). */
  newestSeqnoOf(node: NodeId): Seqno {
    return this.#list.findLast((configuration) => configuration.nodes.includes(node))?.seqno ?? seqno(0);
  }

  /** Makes a node set active. @returns false when it equals the newest one and is therefore ignored (spec §10.1). */
  add(at: Seqno, nodes: readonly NodeId[]): boolean {
    const next = { seqno: at, nodes: ascending(nodes) };
    assert(next.nodes.length > 0, "a configuration has nodes");
    assert(this.newest === undefined || at > this.newest.seqno, "configurations are added in log order");
    if (this.newest !== undefined && equal(this.newest.nodes, next.nodes)) return false;
    this.#list.push(next);
    return true;
  }

  rollback(to: Seqno): void {
    this.#list = this.#list.filter((configuration) => configuration.seqno <= to);
  }

  /**
   * §8.10: a later configuration is committed, so those before it are no longer active.
   * @returns the nodes that are thereby removed, ascending; undefined when no configuration was dropped.
   */
  commit(to: Seqno): readonly NodeId[] | undefined {
    const removed: NodeId[] = [];
    let dropped = false;
    for (;;) {
      const [current, next] = this.#list;
      if (current === undefined || next === undefined || next.seqno > to) break;
      removed.push(...current.nodes.filter((node) => !next.nodes.includes(node)));
      this.#list.shift();
      dropped = true;
    }
    return dropped ? ascending(removed) : undefined;
  }

  /**
   * §8.9: the highest seqno that a majority of every active configuration has reached. Undefined without configuration.
   * @param reached - how far a node has come; 0 for a node nothing is known of.
   */
  agreedSeqno(reached: (node: NodeId) => Seqno): Seqno | undefined {
    let agreed: Seqno | undefined;
    for (const { nodes } of this.#list) {
      const values = nodes.map(reached).sort((a, b) => a - b);
      const value = values[Math.floor((nodes.length - 1) / 2)];
      assert(value !== undefined, "a configuration has nodes");
      agreed = agreed === undefined || value < agreed ? value : agreed;
    }
    return agreed;
  }

  /** Whether there is a configuration and `holds` is true for a majority of each (spec §9.4, §9.6). */
  everyQuorum(holds: (node: NodeId) => boolean): boolean {
    return this.#list.length > 0 && this.#list.every(({ nodes }) => nodes.filter(holds).length >= quorum(nodes.length));
  }
}

/** Node ids ascend by code units everywhere, so that runs do not depend on a locale (spec §2). */
export function ascending(nodes: Iterable<NodeId>): readonly NodeId[] {
  return [...new Set(nodes)].sort();
}

function equal(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node, index) => node === b[index]);
}
