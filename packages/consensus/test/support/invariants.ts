/**
 * The run-time properties of consensus spec §15, by their names there, checked on a whole network at message and tick boundaries.
 * Knows replicas only through what they show; keeps the history it needs (who led which view, what was ever committed).
 */
import type { NodeId } from "@sealane/wire";
import type { Entry, Replica } from "../../src/index.js";

/** An entry together with what tells two entries of the same id apart. */
export interface StoredEntry extends Entry {
  readonly data: string;
}

export interface Observed {
  readonly id: NodeId;
  readonly replica: Replica<StoredEntry>;
  /** The owner's ledger; index 0 is seqno 1. */
  readonly ledger: readonly StoredEntry[];
}

export class InvariantError extends Error {
  override readonly name = "InvariantError";
  readonly invariant: string;
  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

interface Remembered {
  readonly view: number;
  readonly commit: number;
  readonly role: string;
  readonly matches: ReadonlyMap<NodeId, number>;
}

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

  check(nodes: readonly Observed[]): void {
    for (const node of nodes) {
      this.#checkOwner(node);
      this.#checkCommitted(node);
      this.#checkLeader(node);
      this.#checkMonoLog(node);
      this.#checkConfigurations(node);
      this.#checkMembership(node);
      this.#checkActions(node);
    }
    for (const [index, a] of nodes.entries()) for (const b of nodes.slice(index + 1)) checkLogMatching(a, b);
    for (const node of nodes) {
      if (node.replica.role === "primary") checkElectionSafety(node, nodes);
      if (node.replica.role === "primary") checkLeaderCompleteness(node, nodes);
      checkQuorumLog(node, nodes);
    }
  }

  #checkOwner({ id, replica, ledger }: Observed): void {
    if (ledger.length !== replica.lastSeqno) fail("TypeInv", `${id} holds ${ledger.length}, says ${replica.lastSeqno}`);
    const last = ledger.at(-1);
    if (last !== undefined && replica.viewAt(last.seqno) !== last.view) fail("TypeInv", `${id}: view of ${last.seqno}`);
    if (replica.commitSeqno > replica.lastSeqno) fail("TypeInv", `${id}: commit beyond the end`);
    if (replica.durableSeqno > replica.lastSeqno) fail("TypeInv", `${id}: durable beyond the end`);
  }

  /** LogInv and CommittedLogAppendOnlyProp over all time; SignatureInv. */
  #checkCommitted({ id, replica, ledger }: Observed): void {
    const { commitSeqno } = replica;
    for (let i = 0; i < commitSeqno; i++) {
      const entry = ledger[i];
      if (entry === undefined) fail("CommittedLogAppendOnlyProp", `${id} lacks committed ${i + 1}`);
      const known = this.#committed[i];
      if (known === undefined) this.#committed.push(entry);
      else if (!sameEntry(known, entry)) fail("LogInv", `${id} at ${i + 1}: ${text(entry)} against ${text(known)}`);
    }
    if (commitSeqno > 0 && ledger[commitSeqno - 1]?.signature !== true) fail("SignatureInv", `${id} at ${commitSeqno}`);
  }

  #checkLeader({ id, replica }: Observed): void {
    if (replica.role !== "primary") return;
    const leader = this.#leaders.get(replica.view);
    if (leader !== undefined && leader !== id) fail("MoreThanOneLeaderInv", `${leader} and ${id} in ${replica.view}`);
    this.#leaders.set(replica.view, id);
    if (replica.retirementPhase === "retired-committed") fail("MembershipStateConsistentInv", `${id} leads`);
  }

  #checkMonoLog({ id, replica, ledger }: Observed): void {
    if ((ledger.at(-1)?.view ?? 0) > replica.view) fail("MonoLogInv", `${id}: entry above view ${replica.view}`);
    for (let i = 1; i < ledger.length; i++) {
      const [before, after] = [ledger[i - 1], ledger[i]];
      if (before === undefined || after === undefined || before.view === after.view) continue;
      if (before.view > after.view || !before.signature) fail("MonoLogInv", `${id} at ${after.seqno}`);
    }
  }

  /** LogConfigurationConsistentInv. */
  #checkConfigurations({ id, replica, ledger }: Observed): void {
    const { configurations, commitSeqno } = replica;
    if (replica.role === "none" || configurations.length === 0) return;
    for (const { seqno, nodes } of configurations) {
      if (seqno === 0) continue;
      const named = [...(ledger[seqno - 1]?.configuration ?? [])].sort();
      if (named.join() !== nodes.join()) fail("LogConfigurationConsistentInv", `${id}: configuration at ${seqno}`);
    }
    const second = configurations[1];
    if (second !== undefined && commitSeqno >= second.seqno)
      fail("LogConfigurationConsistentInv", `${id}: not dropped`);
  }

  #checkMembership({ id, replica, ledger }: Observed): void {
    const phase = replica.retirementPhase;
    const removal = ledger.find(
      (entry, index) =>
        entry.configuration !== undefined &&
        !entry.configuration.includes(id) &&
        ledger.findLast((other, at) => at < index && other.configuration !== undefined)?.configuration?.includes(id) ===
          true,
    );
    const removed = removal?.seqno ?? 0;
    const lastSignature = ledger.findLast((entry) => entry.signature)?.seqno ?? 0;
    const consistent =
      phase === undefined
        ? removed === 0
        : phase === "ordered"
          ? removed > lastSignature
          : phase === "signed"
            ? removed <= lastSignature
            : removed <= replica.commitSeqno;
    if (!consistent) fail("MembershipStateConsistentInv", `${id} is ${phase}, removed at ${removed}`);
  }

  /** MonotonicCommitIndexProp, MonotonicTermProp, MonotonicMatchIndexProp, NeverCommitEntryPrevTermsProp. */
  #checkActions({ id, replica, ledger }: Observed): void {
    const before = this.#before.get(id);
    const matches = new Map(replica.peers.map((peer) => [peer.node, peer.matchSeqno]));
    if (before !== undefined) {
      if (replica.commitSeqno < before.commit) fail("MonotonicCommitIndexProp", id);
      if (replica.view < before.view) fail("MonotonicTermProp", id);
      if (replica.role === "primary" && before.role === "primary" && replica.view === before.view) {
        for (const [node, match] of before.matches) {
          if ((matches.get(node) ?? match) < match) fail("MonotonicMatchIndexProp", `${id} of ${node}`);
        }
        const committed = ledger[replica.commitSeqno - 1];
        if (replica.commitSeqno > before.commit && committed?.view !== replica.view) {
          fail("NeverCommitEntryPrevTermsProp", `${id} at ${replica.commitSeqno}`);
        }
      }
    }
    this.#before.set(id, { view: replica.view, commit: replica.commitSeqno, role: replica.role, matches });
  }
}

/** Same view at n ⇒ equal up to n: looked at from the end, the last common (seqno, view) decides. */
function checkLogMatching(a: Observed, b: Observed): void {
  let matched = false;
  for (let i = Math.min(a.ledger.length, b.ledger.length) - 1; i >= 0; i--) {
    const [x, y] = [a.ledger[i], b.ledger[i]];
    if (x === undefined || y === undefined || x === y) {
      matched ||= x !== undefined;
      continue;
    }
    matched ||= x.view === y.view;
    if (matched && !sameEntry(x, y)) fail("LogMatchingInv", `${a.id} and ${b.id} at ${i + 1}`);
  }
}

/** The strong form: no log reaches further in the leader's view than the leader's own. */
function checkElectionSafety(leader: Observed, nodes: readonly Observed[]): void {
  const lastOfView = ({ ledger }: Observed) =>
    ledger.findLast((entry) => entry.view === leader.replica.view)?.seqno ?? 0;
  const own = lastOfView(leader);
  for (const node of nodes) {
    if (lastOfView(node) > own) fail("ElectionSafetyInv", `${node.id} is ahead of primary ${leader.id}`);
  }
}

function checkLeaderCompleteness(leader: Observed, nodes: readonly Observed[]): void {
  for (const { id, replica, ledger } of nodes) {
    const last = ledger.findLast((entry) => entry.view <= leader.replica.view)?.seqno ?? 0;
    for (let i = 0; i < Math.min(replica.commitSeqno, last); i++) {
      const [theirs, own] = [ledger[i], leader.ledger[i]];
      if (theirs !== undefined && (own === undefined || !sameEntry(theirs, own))) {
        fail("LeaderCompletenessInv", `primary ${leader.id} lacks ${i + 1}, committed on ${id}`);
      }
    }
  }
}

/** Every quorum of the current configuration has a node with the committed prefix ⇔ those without it are no majority. */
function checkQuorumLog({ id, replica, ledger }: Observed, nodes: readonly Observed[]): void {
  const current = replica.configurations[0];
  if (current === undefined) return;
  const lacking = current.nodes.filter((member) => {
    const holder = nodes.find((node) => node.id === member);
    return holder === undefined || !holdsPrefix(holder.ledger, ledger, replica.commitSeqno);
  });
  if (lacking.length > current.nodes.length / 2) fail("QuorumLogInv", `${id}, commit ${replica.commitSeqno}`);
}

/** Compared from the end: by LogMatching an equal entry at the end means an equal prefix. */
function holdsPrefix(log: readonly StoredEntry[], prefix: readonly StoredEntry[], length: number): boolean {
  const [a, b] = [log[length - 1], prefix[length - 1]];
  return length === 0 || (a !== undefined && b !== undefined && sameEntry(a, b));
}

export function sameEntry(a: StoredEntry, b: StoredEntry): boolean {
  return a === b || (a.view === b.view && a.seqno === b.seqno && a.signature === b.signature && a.data === b.data);
}

function text(entry: StoredEntry): string {
  return `${entry.view}.${entry.seqno} ${entry.data}`;
}

function fail(invariant: string, detail: string): never {
  throw new InvariantError(invariant, detail);
}
