/** The action properties of consensus spec §15.2: how one node may change in one step. Names are those of the spec. */
import type { Role } from "@sealane/consensus";
import type { NodeId } from "@sealane/wire";
import { fail, holdsPrefix, type Observed, type StoredEntry } from "./observed.js";

/** A node as it was before a step. */
export interface Remembered {
  readonly view: number;
  readonly commitSeqno: number;
  readonly role: Role;
  readonly phase: string | undefined;
  readonly ledger: readonly StoredEntry[];
  readonly matches: ReadonlyMap<NodeId, number>;
}

export function remember({ replica, ledger }: Observed): Remembered {
  return {
    view: replica.view,
    commitSeqno: replica.commitSeqno,
    role: replica.role,
    phase: replica.retirementPhase,
    ledger: [...ledger],
    matches: new Map(replica.peers.map((peer) => [peer.node, peer.matchSeqno])),
  };
}

export function checkStep(before: Remembered, node: Observed): void {
  const { id, replica, ledger } = node;
  if (replica.commitSeqno < before.commitSeqno) fail("MonotonicCommitIndexProp", id);
  if (replica.view < before.view) fail("MonotonicTermProp", id);
  if (!holdsPrefix(ledger, before.ledger, before.commitSeqno)) fail("CommittedLogAppendOnlyProp", id);
  if (before.phase === "retired-committed" && replica.retirementPhase !== before.phase) {
    fail("MembershipStateTransitionsProp", `${id} is ${replica.retirementPhase} again`);
  }
  if (before.role === "none" && replica.role === "none" && replica.retirementPhase === undefined) {
    const member = replica.configurations.some(({ nodes, seqno }) => seqno > 0 && nodes.includes(id));
    if (member) fail("PendingBecomesFollowerProp", id);
  }
  checkLogChange(before, node);
  if (before.role === "primary" && replica.role === "primary" && before.view === replica.view) checkReign(before, node);
}

/** PermittedLogChangesProp. A new primary of several roles in one step (one member alone) is covered by its last one. */
function checkLogChange(before: Remembered, { id, replica, ledger }: Observed): void {
  const changed = ledger.length !== before.ledger.length || !holdsPrefix(ledger, before.ledger, ledger.length);
  if (!changed || replica.role === "none" || replica.role === "backup") return;
  if (replica.role === "primary") {
    const kept = before.role === "primary" ? before.ledger.length : lastSignature(before.ledger);
    if (!holdsPrefix(ledger, before.ledger, kept)) fail("PermittedLogChangesProp", `primary ${id} changed its log`);
    if (before.role !== "primary" && before.commitSeqno > 0 && ledger.length !== kept) {
      fail("PermittedLogChangesProp", `new primary ${id} has ${ledger.length}, not ${kept}`);
    }
  } else if (before.role === replica.role) fail("PermittedLogChangesProp", `${replica.role} ${id} changed its log`);
}

/** MonotonicMatchIndexProp, NeverCommitEntryPrevTermsProp. */
function checkReign(before: Remembered, { id, replica, ledger }: Observed): void {
  for (const { node, matchSeqno } of replica.peers) {
    if (matchSeqno < (before.matches.get(node) ?? 0)) fail("MonotonicMatchIndexProp", `${id} of ${node}`);
  }
  if (replica.commitSeqno > before.commitSeqno && ledger[replica.commitSeqno - 1]?.view !== replica.view) {
    fail("NeverCommitEntryPrevTermsProp", `${id} at ${replica.commitSeqno}`);
  }
}

/** StateTransitionsProp, with the cases that the code adds: start of a service, a nudged primary (spec §14, §18). */
const NEXT_ROLES: Readonly<Record<Role, readonly Role[]>> = {
  none: ["none", "backup", "pre-vote-candidate", "candidate", "primary"],
  backup: ["none", "backup", "pre-vote-candidate", "candidate"],
  "pre-vote-candidate": ["backup", "pre-vote-candidate", "candidate"],
  candidate: ["backup", "pre-vote-candidate", "candidate", "primary"],
  primary: ["none", "backup", "candidate", "primary"],
};

/** To be told every role a replica reports, also several in one step. */
export function checkRoleChange(id: NodeId, before: Role, after: Role, phase: string | undefined): void {
  if (!NEXT_ROLES[before].includes(after)) fail("StateTransitionsProp", `${id}: ${before} to ${after}`);
  if (after === "none" && before !== "none" && phase !== "retired-committed") {
    fail("StateTransitionsProp", `${id}: ${before} to none, and not retired`);
  }
}

function lastSignature(ledger: readonly StoredEntry[]): number {
  return ledger.findLast((entry) => entry.signature)?.seqno ?? 0;
}
