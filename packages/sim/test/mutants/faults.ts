/**
 * The faults of consensus spec §16, and some of our own kind, each as a change to the text of the core. A change names the exact text it replaces, so that a fault
 * that no longer fits the source stops the run instead of planting nothing. None of this exists in what ships.
 */
import type { Fault } from "./plant.js";

/** @param name - Row of §16: `B1`…`B14`, or `T` and a number for the rows of its second table, of which 12, 14, 17 and 18 are B12, B13, B10 and B11. */
function fault(
  name: string,
  what: string,
  ...edits: readonly (readonly [file: string, find: string, replace: string])[]
): Fault {
  return {
    name,
    what,
    edits: edits.map(([file, find, replace]) => ({ file: `consensus/src/${file}.ts`, find, replace })),
  };
}

const STEP_DOWN = ["replica-state", "this.rollback(this.log.lastCommittableSeqno);", ""] as const;
const TAKE_OVER = [
  "elections",
  "if (log.lastCommittableSeqno > 0) state.rollback(log.lastCommittableSeqno);",
  "",
] as const;
const UNION = "Math.floor(log.configurations.nodes.length / 2) + 1";
const GUARD = "if (!state.isNewFollower) return;";

export const FAULTS: readonly Fault[] = [
  fault("B1 elections", "votes are counted in the union of the configurations", [
    "elections",
    "if (!log.configurations.everyQuorum((node) => votes.has(node))) return;",
    `if (log.configurations.nodes.filter((node) => votes.has(node)).length < ${UNION}) return;`,
  ]),
  fault("B1 commit", "acknowledgements are counted in the union of the configurations", [
    "configurations",
    "for (const { nodes } of this.#list) {\n      const values",
    "for (const nodes of this.#list.length > 0 ? [this.nodes] : []) {\n      const values",
  ]),
  fault("B1 CheckQuorum", "CheckQuorum counts in the union of the configurations", [
    "elections",
    "if (!log.configurations.everyQuorum((node) => node === id || heard(node))) this",
    `if (log.configurations.nodes.filter((node) => node === id || heard(node)).length < ${UNION}) this`,
  ]),
  fault("B2", "a signature of an older view is committed once a majority holds it", [
    "primary",
    "if (to !== undefined && log.viewOf(to) === view) this",
    "if (to !== undefined) this",
  ]),
  fault("B2'", "a new primary empties its list of signatures", [
    "elections",
    'state.role = "primary";',
    'log.committable.rollback(seqno(0));\n    state.role = "primary";',
  ]),
  fault("B3", "a NACK's estimate counts as held", [
    "primary",
    "peer.sentSeqno = seqno(Math.max(Math.min(match, peer.sentSeqno), peer.matchSeqno));",
    "peer.matchSeqno = seqno(Math.max(match, peer.matchSeqno)); peer.sentSeqno = match; this.updateCommit();",
  ]),
  fault("B4", "a backup truncates to where a message starts, although all entries agree", [
    "backup",
    "const conflict = log.history.firstOutside(message.viewOfSeqno, message.prevSeqno, heldTo);",
    "const early = state.isNewFollower && message.prevSeqno < heldTo;\n" +
      "    const conflict = early ? message.prevSeqno + 1 : log.history.firstOutside(message.viewOfSeqno, message.prevSeqno, heldTo);",
  ]),
  fault("B5", "an ACK names the end of the log, not of the message", [
    "backup",
    "this.#ack(from, message.seqno);",
    "this.#ack(from, log.lastSeqno);",
  ]),
  fault(
    "B6",
    "a retiring node leaves once its removal is committed",
    [
      "replica-state",
      'return this.log.retirement.phase === "retired-committed";',
      'return this.log.retirement.phase === "retired-committed" || this.log.retirement.phase === "completed";',
    ],
    [
      "membership",
      "if (retired.length > 0) this.#retiredCommitted(retired);",
      'if (retired.length > 0) this.#retiredCommitted(retired);\n    if (log.retirement.phase === "completed") {\n' +
        '      this.#state.role = "none";\n      this.#state.primary = undefined;\n      this.#state.announce();\n    }',
    ],
  ),
  fault("B7", "stepping down rolls back to the commit seqno", [
    "replica-state",
    "this.rollback(this.log.lastCommittableSeqno);",
    "this.rollback(this.log.commitSeqno);",
  ]),
  fault("B8", "a NACK moves the sent seqno below what is known to be held", [
    "primary",
    "seqno(Math.max(Math.min(match, peer.sentSeqno), peer.matchSeqno))",
    "seqno(Math.min(match, peer.sentSeqno))",
  ]),
  fault("B9", "a vote is granted although the primary of the view is known", [
    "elections",
    "const free = state.primary === undefined && (",
    "const free = (",
  ]),
  // Between honest nodes nothing reaches this guard (a backup that truncated in a view holds a prefix of its primary's log from then on), so
  // only the specification test, which forges the message, can tell. An adversary among the members is outside of the model.
  fault("B10", "a backup truncates again and again in one view", ["backup", GUARD, ""]),
  fault("B11", "a candidate advertises its last entry", [
    "elections",
    "const lastCommittableSeqno = log.lastCommittableSeqno; // never",
    "const lastCommittableSeqno = log.lastSeqno; // never",
  ]),
  fault("B12", "an empty message uses up the one truncation", [
    "backup",
    "const conflict = log",
    "if (message.seqno === message.prevSeqno) state.isNewFollower = false;\n    const conflict = log",
  ]),
  fault("B13", "ACKs of an older view are counted", [
    "primary",
    "if (message.view !== view || message.lastSeqno < peer.matchSeqno) return;",
    "if (message.lastSeqno < peer.matchSeqno) return;",
  ]),
  fault("B14", "a new primary does not ask for the second retirement entry", [
    "elections",
    "this.#membership.askForCleanup();",
    "",
  ]),
  fault("T1", "NACKs of another view are dropped", [
    "primary",
    "if (!message.success) {",
    "if (!message.success && message.view !== view) return;\n    if (!message.success) {",
  ]),
  fault("T2", "a NACK may raise the sent seqno", [
    "primary",
    "seqno(Math.max(Math.min(match, peer.sentSeqno), peer.matchSeqno))",
    "seqno(Math.max(match, peer.matchSeqno))",
  ]),
  fault("T3", "a batch crosses the end of a view", [
    "append-sender",
    "const available = endOfView === 0 ? lastSeqno : endOfView;",
    "const available = endOfView === 0 ? lastSeqno : lastSeqno;",
  ]),
  fault("T4", "a candidate ignores append-entries of its own view", [
    "backup",
    'if (sameView && state.role === "primary") return;',
    'if (sameView && (state.role === "primary" || state.role.endsWith("candidate"))) return;',
  ]),
  fault("T5", "a pre-vote raises the view", [
    "elections",
    'state.role = "pre-vote-candidate";',
    'state.role = "pre-vote-candidate";\n    state.setHardState(view(state.view + 1), undefined);',
  ]),
  fault("T6", "no CheckQuorum", ["elections", "if (log.configurations.newest === undefined) return;", "return;"]),
  fault("T7", "no ProposeRequestVote", [
    "membership",
    "if (successor !== undefined) state.send",
    "if (false) state.send",
  ]),
  fault("T8 B15", "a peer's record goes with its configuration", [
    "membership",
    "if (configurationDropped) {",
    "if (configurationDropped) {\n      for (const node of [...this.#state.peers.ids])\n" +
      "        if (!log.configurations.includes(node)) this.#state.peers.delete(node);",
  ]),
  fault("T9", "a primary goes on leading after retired-committed", [
    "membership",
    'state.role = "none";\n    state.primary = undefined;',
    'if (state.role !== "primary") {\n      state.role = "none";\n      state.primary = undefined;\n    }',
  ]),
  fault("T10", "commit asks the oldest configuration only", [
    "configurations",
    "for (const { nodes } of this.#list) {\n      const values",
    "for (const { nodes } of this.#list.slice(0, 1)) {\n      const values",
  ]),
  fault("T11", "CheckQuorum asks the newest configuration only", [
    "elections",
    "if (!log.configurations.everyQuorum((node) => node === id || heard(node))) this",
    "const newest = log.configurations.newest.nodes;\n" +
      "    if (newest.filter((node) => node === id || heard(node)).length * 2 <= newest.length) this",
  ]),
  fault("T13", "commit asks the newest configuration only", [
    "configurations",
    "for (const { nodes } of this.#list) {\n      const values",
    "for (const { nodes } of this.#list.slice(-1)) {\n      const values",
  ]),
  fault("T15a", "the unsigned tail is kept when stepping down", STEP_DOWN),
  fault("T15b", "the unsigned tail is kept when becoming primary", TAKE_OVER),
  fault("T15c", "the unsigned tail is kept at both", STEP_DOWN, TAKE_OVER),
  fault("T16", "a backup commits what the primary committed, signed or not", [
    "backup",
    "const to = this.#state.log.committable.highestAtOrBelow(limit);\n    if (to !== undefined) this",
    "const to = seqno(Math.min(limit, this.#state.log.lastSeqno));\n    if (to > this.#state.log.commitSeqno) this",
  ]),
  fault("R1", "any acknowledgement of the view confirms a read, also one that was on its way before", [
    "reads",
    "findIndex(({ after }) => after >= confirmed)",
    "findIndex(({ after }) => after > confirmed)",
  ]),
  fault("R2", "a primary answers reads before an entry of its own view is committed", [
    "reads",
    "if (log.viewOf(log.commitSeqno) !== view) return;",
    "",
  ]),
  fault("R3", "a read is confirmed by a majority of the oldest configuration alone", [
    "reads",
    "return configurations.agreedSeqno((node) => (node === id ? LAST_SEQNO : matchOf(node))) ?? seqno(0);",
    "const [{ nodes } = { nodes: [] }] = configurations.all;\n" +
      "    const values = nodes.map((node) => (node === id ? LAST_SEQNO : matchOf(node))).sort((a, b) => a - b);\n" +
      "    return values[Math.floor((nodes.length - 1) / 2)] ?? seqno(0);",
  ]),
  fault("R4", "a read outlives the primary's role, and is answered in another view of it", [
    "reads",
    'if (role !== "primary" || view !== this.#view) {',
    'if (role !== "primary") return;\n    if (false) {',
  ]),
  fault("R5", "a lease is counted from the acknowledgement, not from the append of what it names", [
    "reads",
    "lease.covers(matchOf(node), nowMs)",
    "nowMs - (peers.get(node)?.lastAckMs ?? 0) < this.#state.contact.minTimeoutMs",
  ]),
  fault("R6", "with leases, a node votes although it hears from a primary", [
    "elections",
    "const refuses = lease !== undefined || ",
    "const refuses = ",
  ]),
  fault("R7", "with leases, a restarted node has forgotten what it promised", [
    "replica",
    "if (lease !== undefined && view > 0) contact.heard(nowMs);",
    "",
  ]),
  fault("R8", "a transfer names a target that does not hold everything", [
    "transfer",
    "const caughtUp = peers.get(to)?.matchSeqno === log.lastSeqno && ",
    "const caughtUp = peers.get(to) !== undefined && ",
  ]),
];
