/** The invariants of consensus spec §15.1 that one node by itself can break. Names are those of the spec. */
import { fail, type Observed, type StoredEntry } from "./observed.js";

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
function checkTypes({ id, replica, ledger }: Observed): void {
  const { lastSeqno, commitSeqno, durableSeqno } = replica;
  if (ledger.length !== lastSeqno) fail("TypeInv", `${id} holds ${ledger.length}, says ${lastSeqno}`);
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

function checkMonoLog({ id, replica, ledger }: Observed): void {
  if ((ledger.at(-1)?.view ?? 0) > replica.view) fail("MonoLogInv", `${id}: entry above view ${replica.view}`);
  for (let i = 1; i < ledger.length; i++) {
    const [before, after] = [ledger[i - 1], ledger[i]];
    if (before === undefined || after === undefined || before.view === after.view) continue;
    if (before.view > after.view || !before.signature) fail("MonoLogInv", `${id} at ${after.seqno}`);
  }
}

/** SignatureInv, CommitCommittableIndices. */
function checkCommit({ id, replica: { commitSeqno, lastCommittableSeqno }, ledger }: Observed): void {
  if (commitSeqno > 0 && ledger[commitSeqno - 1]?.signature !== true) fail("SignatureInv", `${id} at ${commitSeqno}`);
  const last = lastSignature(ledger);
  if (lastCommittableSeqno !== last) {
    fail("CommitCommittableIndices", `${id} says ${lastCommittableSeqno}, its log has ${last}`);
  }
}

/** LogConfigurationConsistentInv. A configuration at 0 is one that a test gave to all nodes by fiat. */
function checkConfigurations({ id, replica, ledger }: Observed): void {
  const { configurations, commitSeqno } = replica;
  const [current, second] = configurations;
  if (replica.role === "none" || current === undefined) return;
  for (const { seqno, nodes } of configurations) {
    const named = [...(ledger[seqno - 1]?.configuration ?? [])].sort();
    if (seqno > 0 && named.join() !== nodes.join()) {
      fail("LogConfigurationConsistentInv", `${id}: configuration at ${seqno}`);
    }
  }
  if (second !== undefined && commitSeqno >= second.seqno)
    fail("LogConfigurationConsistentInv", `${id}: ${current.seqno} is not dropped`);
  // A set that equals the newest one is ignored (spec §10.1), so an entry may stand for the configuration before it.
  let newest = [...current.nodes].join();
  for (const { seqno, configuration } of ledger.slice(current.seqno)) {
    if (configuration === undefined) continue;
    const nodes = [...configuration].sort().join();
    if (nodes !== newest && !configurations.some((active) => active.seqno === seqno)) {
      fail("LogConfigurationConsistentInv", `${id}: the configuration at ${seqno} is not active`);
    }
    newest = nodes;
  }
}

function checkMembership({ id, replica, ledger }: Observed): void {
  const removed = removalOf(id, ledger);
  const { retirementPhase: phase, commitSeqno } = replica;
  const named = ledger.some(({ seqno, retired }) => seqno <= commitSeqno && retired?.includes(id) === true);
  const consistent = {
    active: removed === 0,
    ordered: removed > lastSignature(ledger),
    signed: removed > 0 && removed <= lastSignature(ledger),
    completed: removed > 0 && removed <= commitSeqno && !named,
    "retired-committed": removed > 0 && removed <= commitSeqno && named,
  }[phase ?? "active"];
  if (!consistent) fail("MembershipStateConsistentInv", `${id} is ${phase}, removed at ${removed}`);
}

/** RetiredCommittedInv, RetirementCompletedNotInConfigsInv. */
function checkRetirements({ id, replica, ledger }: Observed): void {
  for (const { seqno, retired = [] } of ledger) {
    for (const node of retired) {
      const removed = removalOf(node, ledger);
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

/** The seqno of the entry that took `node` out of the configurations; 0 if there is none. */
function removalOf(node: string, ledger: readonly StoredEntry[]): number {
  let member = false;
  for (const { seqno, configuration } of ledger) {
    if (configuration === undefined) continue;
    const named = configuration.some((each) => each === node);
    if (member && !named) return seqno;
    member = named;
  }
  return 0;
}

function lastSignature(ledger: readonly StoredEntry[]): number {
  return ledger.findLast((entry) => entry.signature)?.seqno ?? 0;
}
