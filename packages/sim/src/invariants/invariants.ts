/**
 * The run-time properties of consensus spec §15, checked on a whole network at message and tick boundaries. Keeps the history
 * that a single state does not show: who led which view, and what was ever committed. Looks only at what has changed since it looked last.
 */
import type { NodeId } from "@sealane/wire";
import { checkPair, checkTogether } from "./cluster-invariants.js";
import { checkNode } from "./node-invariants.js";
import { fail, type Observed } from "./observed.js";
import { ObservedLog } from "./observed-log.js";
import { checkStep, type Remembered, remember } from "./step-properties.js";
import { type StoredEntry, sameEntry } from "./stored-entry.js";

/** A commit seqno that a primary reached, and its view. */
interface CommitPoint {
  readonly seqno: number;
  readonly view: number;
}

export class Invariants {
  /** MoreThanOneLeaderInv with a history, which also catches hand-overs inside a view. */
  readonly #leaders = new Map<number, NodeId>();
  /** The longest prefix any node ever called committed. */
  readonly #committed = new ObservedLog();
  readonly #before = new Map<NodeId, Remembered>();
  /** Up to where a node's committed entries have been compared with those of all time. */
  readonly #compared = new Map<NodeId, number>();
  /** Invariant: ascending in both. */
  readonly #commitPoints: CommitPoint[] = [];
  readonly #service: boolean;
  /** How often each node's state was looked at, for those who want to know that something was. */
  #checks = 0;

  /** @param start - `fiat`: nodes were given a configuration without a log entry, which breaks some properties at once (§15, caution d). */
  constructor(start: "service" | "fiat" = "service") {
    this.#service = start === "service";
  }

  get committed(): readonly StoredEntry[] {
    return this.#committed.entries;
  }

  get checks(): number {
    return this.#checks;
  }

  /** A restarted node may know less than before it crashed; its log and view are checked against the others as always. */
  forget(node: NodeId): void {
    this.#before.delete(node);
    this.#compared.delete(node);
  }

  /**
   * Whether a node differs from what it was when it was checked last. Whatever a property speaks of changes together with one of these; a
   * peer's match seqno is compared when the next of them does.
   */
  hasChanged({ id, replica, log }: Observed): boolean {
    const before = this.#before.get(id);
    return (
      before === undefined ||
      before.changes !== log.changes ||
      before.commitSeqno !== replica.commitSeqno ||
      before.view !== replica.view ||
      before.role !== replica.role ||
      before.votedFor !== replica.votedFor ||
      before.phase !== replica.retirementPhase ||
      before.lastSeqno !== replica.lastSeqno ||
      before.durableSeqno !== replica.durableSeqno
    );
  }

  /**
   * @param resting - nodes that do not run now: what their disks hold counts, what they once said of themselves does not.
   * @throws {InvariantError} naming the property and the nodes.
   */
  check(nodes: readonly Observed[], resting: readonly Observed[] = []): void {
    const changed = nodes.filter((node) => this.hasChanged(node));
    if (changed.length === 0) return;
    this.#checks += 1;
    for (const node of changed) {
      if (this.#service) checkNode(node);
      this.#checkCommitted(node);
      this.#checkLeader(node);
      const before = this.#before.get(node.id);
      if (before !== undefined) checkStep(before, node);
      this.#before.set(node.id, remember(node));
    }
    for (const node of nodes) this.#checkCompleteness(node);
    for (const a of changed) {
      for (const b of nodes) if (b !== a && (!changed.includes(b) || a.id < b.id)) checkPair(a, b);
      for (const b of resting) checkPair(a, b);
    }
    checkTogether(nodes, resting);
  }

  /** LogInv over all time. Entries are looked at one by one the first time; from then on their prefix stands for them. */
  #checkCommitted({ id, replica: { commitSeqno }, log }: Observed): void {
    const known = this.#committed;
    for (let seqno = (this.#compared.get(id) ?? 0) + 1; seqno <= commitSeqno; seqno++) {
      const entry = log.at(seqno);
      if (entry === undefined) fail("CommittedLogAppendOnlyProp", `${id} lacks committed ${seqno}`);
      const before = known.at(seqno);
      if (before === undefined) known.append(entry);
      else if (!sameEntry(before, entry)) fail("LogInv", `${id} at ${seqno}: ${text(entry)} against ${text(before)}`);
    }
    if (!log.holdsPrefix(known, commitSeqno)) fail("LogInv", `${id} has changed within its first ${commitSeqno}`);
    this.#compared.set(id, commitSeqno);
  }

  #checkLeader({ id, replica }: Observed): void {
    if (replica.role !== "primary") return;
    const leader = this.#leaders.get(replica.view) ?? id;
    if (leader !== id) fail("MoreThanOneLeaderInv", `${leader} and ${id} in ${replica.view}`);
    this.#leaders.set(replica.view, id);
  }

  /** LeaderCompletenessInv over all time: a primary has what was committed in its view or an earlier one. */
  #checkCompleteness({ id, replica, log }: Observed): void {
    if (replica.role !== "primary") return;
    const { commitSeqno, view } = replica;
    const newest = this.#commitPoints.at(-1);
    if (log.viewAt(commitSeqno) === view && commitSeqno > (newest?.seqno ?? 0) && view >= (newest?.view ?? 0)) {
      this.#commitPoints.push({ seqno: commitSeqno, view });
    }
    // Who holds the newest of them holds all before it.
    const point = this.#commitPoints.findLast((each) => each.view <= view);
    if (point === undefined || log.holdsPrefix(this.#committed, point.seqno)) return;
    fail("LeaderCompletenessInv", `primary ${id} lacks part of ${point.seqno}, committed in ${point.view}`);
  }
}

function text(entry: StoredEntry): string {
  return `${entry.view}.${entry.seqno} ${entry.data}`;
}
