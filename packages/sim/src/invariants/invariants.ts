/**
 * The run-time properties of consensus spec §15, checked on a whole network at message and tick boundaries. Keeps the history
 * that a single state does not show: who led which view, and what was ever committed.
 */
import type { NodeId } from "@sealane/wire";
import { checkPair, checkTogether } from "./cluster-invariants.js";
import { checkNode } from "./node-invariants.js";
import { fail, type Observed, type StoredEntry, sameEntry } from "./observed.js";
import { checkStep, type Remembered, remember } from "./step-properties.js";

export class Invariants {
  /** MoreThanOneLeaderInv with a history, which also catches hand-overs inside a view. */
  readonly #leaders = new Map<number, NodeId>();
  /** The longest prefix any node ever called committed. */
  readonly #committed: StoredEntry[] = [];
  readonly #before = new Map<NodeId, Remembered>();

  get committed(): readonly StoredEntry[] {
    return this.#committed;
  }

  /** A restarted node may know less than before it crashed; its log and view are checked against the others as always. */
  forget(node: NodeId): void {
    this.#before.delete(node);
  }

  /** @throws {InvariantError} naming the property and the nodes. */
  check(nodes: readonly Observed[]): void {
    for (const node of nodes) {
      checkNode(node);
      this.#checkCommitted(node);
      this.#checkLeader(node);
      const before = this.#before.get(node.id);
      if (before !== undefined) checkStep(before, node);
      this.#before.set(node.id, remember(node));
    }
    for (const [index, a] of nodes.entries()) for (const b of nodes.slice(index + 1)) checkPair(a, b);
    checkTogether(nodes);
  }

  /** LogInv over all time. */
  #checkCommitted({ id, replica, ledger }: Observed): void {
    for (let i = 0; i < replica.commitSeqno; i++) {
      const [entry, known] = [ledger[i], this.#committed[i]];
      if (entry === undefined) fail("CommittedLogAppendOnlyProp", `${id} lacks committed ${i + 1}`);
      if (known === undefined) this.#committed.push(entry);
      else if (!sameEntry(known, entry)) fail("LogInv", `${id} at ${i + 1}: ${text(entry)} against ${text(known)}`);
    }
  }

  #checkLeader({ id, replica }: Observed): void {
    if (replica.role !== "primary") return;
    const leader = this.#leaders.get(replica.view) ?? id;
    if (leader !== id) fail("MoreThanOneLeaderInv", `${leader} and ${id} in ${replica.view}`);
    this.#leaders.set(replica.view, id);
  }
}

function text(entry: StoredEntry): string {
  return `${entry.view}.${entry.seqno} ${entry.data}`;
}
