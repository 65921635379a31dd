/** The invariants of consensus spec §15.1 that one node by itself can break. Names are those of the spec. */
import { fail, type Observed } from "./observed.js";

export function checkNode(node: Observed): void {
  checkTypes(node);
  checkRole(node);
  checkMonoLog(node);
  checkCommit(node);
  checkConfigurations(node);
  checkMembership(node);
  checkRetirements(node);
}

/** TypeInv, as far as types leave something open; and the owner's ledger is the log. */
function checkTypes({ id, replica, log }: Observed): void {
  const { lastSeqno, commitSeqno, durableSeqno } = replica;
  if (log.length !== lastSeqno) fail("TypeInv", `${id} holds ${log.length}, says ${lastSeqno}`);
  if (commitSeqno > lastSeqno) fail("TypeInv", `${id}: commit beyond the end`);
  if (durableSeqno > lastSeqno) fail("TypeInv", `${id}: durable beyond the end`);
}

/** NoLeaderBeforeInitialTerm, and the part of MembershipStateConsistentInv that speaks of roles. */
function checkRole({ id, replica: { role, view, retirementPhase } }: Observed): void {
  if (role === "primary" && view < 2) fail("NoLeaderBeforeInitialTerm", `${id} leads view ${view}`);
  if (retirementPhase === "retired-committed" && (role === "candidate" || role === "primary")) {
    fail("MembershipStateConsistentInv", `${id} is ${role} and retired-committed`);
  }
}

function checkMonoLog({ id, replica, log }: Observed): void {
  if (log.viewAt(log.length) > replica.view) fail("MonoLogInv", `${id}: entry above view ${replica.view}`);
  if (log.firstMisplaced !== undefined) fail("MonoLogInv", `${id} at ${log.firstMisplaced}`);
}

/** SignatureInv, CommitCommittableIndices. */
function checkCommit({ id, replica: { commitSeqno, lastCommittableSeqno }, log }: Observed): void {
  if (commitSeqno > 0 && log.at(commitSeqno)?.signature !== true) fail("SignatureInv", `${id} at ${commitSeqno}`);
  if (lastCommittableSeqno !== log.lastSignature) {
    fail("CommitCommittableIndices", `${id} says ${lastCommittableSeqno}, its log has ${log.lastSignature}`);
  }
}

/** LogConfigurationConsistentInv. A configuration at 0 is one that a test gave to all nodes by fiat. */
function checkConfigurations({ id, replica, log }: Observed): void {
  const { configurations, commitSeqno } = replica;
  const [current, second] = configurations;
  if (replica.role === "none" || current === undefined) return;
  for (const { seqno, nodes } of configurations) {
    const named = [...(log.at(seqno)?.configuration ?? [])].sort();
    if (seqno > 0 && named.join() !== nodes.join()) {
      fail("LogConfigurationConsistentInv", `${id}: configuration at ${seqno}`);
    }
  }
  if (second !== undefined && commitSeqno >= second.seqno)
    fail("LogConfigurationConsistentInv", `${id}: ${current.seqno} is not dropped`);
  // A set that equals the newest one is ignored (spec §10.1), so an entry may stand for the configuration before it.
  let newest = [...current.nodes].join();
  for (const { seqno, configuration = [] } of log.configurations) {
    if (seqno <= current.seqno) continue;
    const nodes = [...configuration].sort().join();
    if (nodes !== newest && !configurations.some((active) => active.seqno === seqno)) {
      fail("LogConfigurationConsistentInv", `${id}: the configuration at ${seqno} is not active`);
    }
    newest = nodes;
  }
}

function checkMembership({ id, replica, log }: Observed): void {
  const removed = log.removalOf(id);
  const { retirementPhase: phase, commitSeqno } = replica;
  const named = log.retirements.some(({ seqno, retired }) => seqno <= commitSeqno && retired?.includes(id) === true);
  const consistent = {
    active: removed === 0,
    ordered: removed > log.lastSignature,
    signed: removed > 0 && removed <= log.lastSignature,
    completed: removed > 0 && removed <= commitSeqno && !named,
    "retired-committed": removed > 0 && removed <= commitSeqno && named,
  }[phase ?? "active"];
  if (!consistent) fail("MembershipStateConsistentInv", `${id} is ${phase}, removed at ${removed}`);
}

/** RetiredCommittedInv, RetirementCompletedNotInConfigsInv. */
function checkRetirements({ id, replica, log }: Observed): void {
  for (const { seqno, retired = [] } of log.retirements) {
    for (const node of retired) {
      const removed = log.removalOf(node);
      if (removed === 0 || removed > seqno || removed > replica.commitSeqno) {
        fail("RetiredCommittedInv", `${id}: the entry at ${seqno} names ${node}, removed at ${removed}`);
      }
    }
  }
  for (const node of replica.removedNodes) {
    if (replica.configurations.some(({ nodes }) => nodes.includes(node))) {
      fail("RetirementCompletedNotInConfigsInv", `${id} counts ${node}`);
    }
  }
}
