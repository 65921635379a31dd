/**
 * The run-time properties of consensus spec §15, checked on a whole network at message and tick boundaries. Keeps the history
 * that a single state does not show: who led which view, and what was ever committed.
 */
import type { NodeId } from "@sealane/wire";
import { checkPair, checkTogether } from "./cluster-invariants.js";
import { checkNode } from "./node-invariants.js";
import { fail, holdsPrefix, type Observed, type StoredEntry, sameEntry } from "./observed.js";
import { checkStep, type Remembered, remember } from "./step-properties.js";

export class Invariants {
  /** MoreThanOneLeaderInv with a history, which also catches hand-overs inside a view. */
  readonly #leaders = new Map<number, NodeId>();
  /** The longest prefix any node ever called committed. */
  readonly #committed: StoredEntry[] = [];
  readonly #before = new Map<NodeId, Remembered>();
  /** Every seqno that a primary committed to, with the primary's view. */
  readonly #commitPoints = new Map<number, number>();
  readonly #service: boolean;

  /** @param start - `fiat`: nodes were given a configuration without a log entry, which breaks some properties at once (§15, caution d). */
  constructor(start: "service" | "fiat" = "service") {
    this.#service = start === "service";
  }

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
      if (this.#service) checkNode(node);
      this.#checkCommitted(node);
      this.#checkLeader(node);
      const before = this.#before.get(node.id);
      if (before !== undefined) checkStep(before, node);
      this.#before.set(node.id, remember(node));
    }
    for (const node of nodes) this.#checkCompleteness(node);
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

  /** LeaderCompletenessInv over all time: a primary has what was committed in its view or an earlier one. */
  #checkCompleteness({ id, replica, ledger }: Observed): void {
    if (replica.role !== "primary") return;
    if (replica.commitSeqno > 0 && ledger[replica.commitSeqno - 1]?.view === replica.view) {
      this.#commitPoints.set(replica.commitSeqno, replica.view);
    }
    for (const [seqno, view] of this.#commitPoints) {
      if (view > replica.view || holdsPrefix(ledger, this.#committed, seqno)) continue;
      fail("LeaderCompletenessInv", `primary ${id} lacks part of ${seqno}, committed in ${view}`);
    }
  }
}

function text(entry: StoredEntry): string {
  return `${entry.view}.${entry.seqno} ${entry.data}`;
}
