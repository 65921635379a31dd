/** The action properties of consensus spec §15.2: how one node may change in one step. Names are those of the spec. */
import type { Role } from "@sealane/consensus";
import type { NodeId } from "@sealane/wire";
import { fail, type Observed } from "./observed.js";

/** A node as it was before a step. */
export interface Remembered {
  readonly view: number;
  readonly votedFor: NodeId | undefined;
  readonly lastSeqno: number;
  readonly durableSeqno: number;
  readonly commitSeqno: number;
  readonly role: Role;
  readonly phase: string | undefined;
  /** Of the log (`ObservedLog.changes`). */
  readonly changes: number;
  readonly length: number;
  readonly lastSignature: number;
  /** What stood for its entries up to the commit seqno, the last signature and the end (`ObservedLog.prefix`). */
  readonly committed: number | undefined;
  readonly signed: number | undefined;
  readonly all: number | undefined;
  readonly matches: ReadonlyMap<NodeId, number>;
}

export function remember({ replica, log }: Observed): Remembered {
  return {
    view: replica.view,
    votedFor: replica.votedFor,
    lastSeqno: replica.lastSeqno,
    durableSeqno: replica.durableSeqno,
    commitSeqno: replica.commitSeqno,
    role: replica.role,
    phase: replica.retirementPhase,
    changes: log.changes,
    length: log.length,
    lastSignature: log.lastSignature,
    committed: log.prefix(replica.commitSeqno),
    signed: log.prefix(log.lastSignature),
    all: log.prefix(log.length),
    matches: new Map(replica.peers.map((peer) => [peer.node, peer.matchSeqno])),
  };
}

export function checkStep(before: Remembered, node: Observed): void {
  const { id, replica, log } = node;
  if (replica.commitSeqno < before.commitSeqno) fail("MonotonicCommitIndexProp", id);
  if (replica.view < before.view) fail("MonotonicTermProp", id);
  if (log.prefix(before.commitSeqno) !== before.committed) fail("CommittedLogAppendOnlyProp", id);
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
function checkLogChange(before: Remembered, { id, replica, log }: Observed): void {
  if (log.prefix(log.length) === before.all && log.length === before.length) return;
  if (replica.role === "none" || replica.role === "backup") return;
  if (replica.role === "primary") {
    const [kept, prefix] =
      before.role === "primary" ? [before.length, before.all] : [before.lastSignature, before.signed];
    if (log.prefix(kept) !== prefix) fail("PermittedLogChangesProp", `primary ${id} changed its log`);
    // A turn of a node may be more than one step: the new primary may have written in its own view already.
    const isOwn = log.length === kept || log.viewAt(kept + 1) === replica.view;
    if (before.role !== "primary" && before.commitSeqno > 0 && !isOwn) {
      fail("PermittedLogChangesProp", `new primary ${id} has ${log.length}, not ${kept}`);
    }
  } else if (before.role === replica.role) fail("PermittedLogChangesProp", `${replica.role} ${id} changed its log`);
}

/** MonotonicMatchIndexProp, NeverCommitEntryPrevTermsProp. */
function checkReign(before: Remembered, { id, replica, log }: Observed): void {
  for (const { node, matchSeqno } of replica.peers) {
    if (matchSeqno < (before.matches.get(node) ?? 0)) fail("MonotonicMatchIndexProp", `${id} of ${node}`);
  }
  if (replica.commitSeqno > before.commitSeqno && log.viewAt(replica.commitSeqno) !== replica.view) {
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
