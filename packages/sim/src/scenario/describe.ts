/** A scenario's nodes and messages in words: the printing commands, `assert_detail` (raft-scenarios spec §4, §5), and golden output. */
import type { RetirementPhase, Role } from "@sealane/consensus";
import type { ConsensusMessage } from "@sealane/wire";
import type { ScenarioNode } from "./world.js";

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  none: "None",
  backup: "Follower",
  "pre-vote-candidate": "PreVoteCandidate",
  candidate: "Candidate",
  primary: "Leader",
};
export const PHASE_NAMES: Readonly<Record<RetirementPhase, string>> = {
  ordered: "Ordered",
  signed: "Signed",
  completed: "Completed",
  "retired-committed": "RetiredCommitted",
};
const ROLE_LETTERS: Readonly<Record<Role, string>> = {
  none: "?",
  backup: "F",
  "pre-vote-candidate": "?",
  candidate: "C",
  primary: "P",
};

/** §5, the keys of `assert_detail`. @throws {Error} for a key that the node does not have. */
export function detail({ replica }: ScenarioNode, key: string): string {
  const phase = replica.retirementPhase;
  switch (key) {
    case "leadership_state":
      return ROLE_NAMES[replica.role];
    case "membership_state":
      return phase === undefined ? "Active" : "Retired";
    case "retirement_phase":
      if (phase === undefined) throw new Error("it is absent");
      return PHASE_NAMES[phase];
    case "current_view":
      return String(replica.view);
    case "primary_id":
      return replica.primary ?? "null";
    case "ticking":
      return String(replica.ticking);
    case "reconfiguration_type":
      return "OneTransaction";
    default:
      throw new Error(`unknown detail ${key}`);
  }
}

export function stateLine({ id, replica }: ScenarioNode): string {
  const membership = replica.retirementPhase === undefined ? "A" : "R";
  const { role, view, lastSeqno, commitSeqno } = replica;
  return `${id}: leadership ${ROLE_LETTERS[role]} membership ${membership} @${view}.${lastSeqno} (committed ${commitSeqno})`;
}

export function logLine({ id, ledger, replica }: ScenarioNode): string {
  const entries = ledger.map(({ view, seqno }) =>
    seqno === replica.commitSeqno ? `[${view}.${seqno}]` : `${view}.${seqno}`,
  );
  return `${id}: ${entries.join(" ")}`;
}

export function messageText(message: ConsensusMessage): string {
  switch (message.type) {
    case "append-entries":
      return `AE(t${message.view}, (${message.prevView}.${message.prevSeqno}, ${message.viewOfSeqno}.${message.seqno}])`;
    case "append-entries-response":
      return `AER(${message.success ? "ACK" : "NACK"}, t${message.view}, i${message.lastSeqno})`;
    case "request-vote":
      return "RV";
    case "request-vote-response":
      return "RVR";
    case "propose-request-vote":
      return "PRV";
  }
}
