/** The invariants of consensus spec §15.1 that two nodes, or all of them together, can break. Names are those of the spec. */
import { fail, type Observed } from "./observed.js";

/** What must hold between any two nodes. */
export function checkPair(a: Observed, b: Observed): void {
  checkLogMatching(a, b);
  checkLogs(a, b);
  checkOneLeader(a, b);
  for (const [leader, other] of [[a, b] as const, [b, a] as const]) {
    if (leader.replica.role !== "primary") continue;
    checkElectionSafety(leader, other);
    checkLeaderCompleteness(leader, other);
  }
}

/** What only all nodes together show. @param resting - nodes that do not run, of which the logs count. */
export function checkTogether(nodes: readonly Observed[], resting: readonly Observed[] = []): void {
  const all = resting.length === 0 ? nodes : [...nodes, ...resting];
  for (const node of nodes) {
    checkQuorumLog(node, all);
    if (node.replica.role === "candidate") checkCandidate(node, all);
  }
  checkReplication(all);
}

/** LogMatchingInv: same view at n ⇒ equal up to n. Looked at from the end, the last common (seqno, view) decides. */
function checkLogMatching(a: Observed, b: Observed): void {
  let seqno = Math.min(a.log.length, b.log.length);
  while (seqno > 0 && a.log.viewAt(seqno) !== b.log.viewAt(seqno)) seqno -= 1;
  if (!a.log.holdsPrefix(b.log, seqno)) fail("LogMatchingInv", `${a.id} and ${b.id} within their first ${seqno}`);
}

/** LogInv: of two committed prefixes, one is a prefix of the other. */
function checkLogs(a: Observed, b: Observed): void {
  const common = Math.min(a.replica.commitSeqno, b.replica.commitSeqno);
  if (!a.log.holdsPrefix(b.log, common)) fail("LogInv", `${a.id} and ${b.id} within their first ${common}`);
}

function checkOneLeader(a: Observed, b: Observed): void {
  if (a.replica.role !== "primary" || b.replica.role !== "primary" || a.replica.view !== b.replica.view) return;
  fail("MoreThanOneLeaderInv", `${a.id} and ${b.id} in ${a.replica.view}`);
}

/** ElectionSafetyInv, the strong form: no log reaches further in the leader's view than the leader's own. */
function checkElectionSafety(leader: Observed, other: Observed): void {
  const { view } = leader.replica;
  if (other.log.lastOf(view) > leader.log.lastOf(view))
    fail("ElectionSafetyInv", `${other.id} is ahead of primary ${leader.id}`);
}

/**
 * LeaderCompletenessInv, as far as one state shows it. The spec asks for all of C_j up to the last entry of a view at or below the leader's.
 * That is too much: in figure 8 of the Raft paper those entries become committed in a later view, and the primary of a view
 * in between, which has not heard of it, never had them. What is committed with a signature of its view or an earlier one, it has.
 */
function checkLeaderCompleteness(leader: Observed, { id, replica, log }: Observed): void {
  const { commitSeqno } = replica;
  if (log.viewAt(commitSeqno) > leader.replica.view) return;
  if (!leader.log.holdsPrefix(log, commitSeqno)) {
    fail("LeaderCompletenessInv", `primary ${leader.id} lacks part of ${commitSeqno}, committed on ${id}`);
  }
}

/** Every quorum of the current configuration has a node with the committed prefix ⇔ those without it are no majority. */
function checkQuorumLog({ id, replica, log }: Observed, nodes: readonly Observed[]): void {
  const current = replica.configurations[0];
  if (current === undefined) return;
  const lacking = current.nodes.filter((member) => {
    const holder = nodes.find((node) => node.id === member);
    return holder === undefined || !holder.log.holdsPrefix(log, replica.commitSeqno);
  });
  if (lacking.length > current.nodes.length / 2) fail("QuorumLogInv", `${id}, commit ${replica.commitSeqno}`);
}

/** CandidateTermNotInLogInv: whoever can still be elected in its view finds no entry of that view anywhere. */
function checkCandidate({ id, replica }: Observed, nodes: readonly Observed[]): void {
  const electable = replica.configurations.every((configuration) => {
    const voters = configuration.nodes.filter((member) =>
      nodes.some((node) => node.id === member && node.replica.view === replica.view && node.replica.votedFor === id),
    );
    return voters.length > configuration.nodes.length / 2;
  });
  if (!electable) return;
  const holder = nodes.find(({ log }) => log.lastOf(replica.view) > 0);
  if (holder !== undefined) fail("CandidateTermNotInLogInv", `${holder.id} holds an entry of candidate ${id}`);
}

/** ReplicationInv: a quorum of the last committed configuration holds the greatest committed prefix. */
function checkReplication(nodes: readonly Observed[]): void {
  const [first] = nodes;
  if (first === undefined) return;
  const greatest = nodes.reduce(
    (best, node) => (node.replica.commitSeqno > best.replica.commitSeqno ? node : best),
    first,
  );
  const { id, replica, log } = greatest;
  const committed = log.configurations.findLast(({ seqno }) => seqno <= replica.commitSeqno);
  const members = committed?.configuration ?? [];
  const holders = nodes.filter((node) => members.includes(node.id) && node.log.holdsPrefix(log, replica.commitSeqno));
  if (members.length > 0 && holders.length <= members.length / 2) {
    fail("ReplicationInv", `commit ${replica.commitSeqno} of ${id}`);
  }
}
