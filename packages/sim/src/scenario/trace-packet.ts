/** Messages and configurations as a trace writes them (raft-trace.md §2). The order of the fields is that of the reference. */
import type { Configuration } from "@sealane/consensus";
import { type ConsensusMessage, ELECTION_PRE_VOTE } from "@sealane/wire";

export function packetOf(message: ConsensusMessage): Readonly<Record<string, unknown>> {
  switch (message.type) {
    case "append-entries":
      return {
        contains_new_view: false,
        idx: message.seqno,
        leader_commit_idx: message.commitSeqno,
        msg: "raft_append_entries",
        prev_idx: message.prevSeqno,
        prev_term: message.prevView,
        term: message.view,
        term_of_idx: message.viewOfSeqno,
      };
    case "append-entries-response":
      return {
        last_log_idx: message.lastSeqno,
        msg: "raft_append_entries_response",
        success: message.success ? "OK" : "FAIL",
        term: message.view,
      };
    case "request-vote":
      return {
        ...preVote(message.election),
        last_committable_idx: message.lastCommittableSeqno,
        msg: "raft_request_vote",
        term: message.view,
        term_of_last_committable_idx: message.viewOfLastCommittableSeqno,
      };
    case "request-vote-response":
      return {
        ...preVote(message.election),
        msg: "raft_request_vote_response",
        term: message.view,
        vote_granted: message.granted,
      };
    case "propose-request-vote":
      return { msg: "raft_propose_request_vote", term: message.view };
  }
}

function preVote(election: number): { readonly election_type?: "PreVote" } {
  return election === ELECTION_PRE_VOTE ? { election_type: "PreVote" } : {};
}

export function configurationJson({ seqno, nodes }: Configuration): Readonly<Record<string, unknown>> {
  return { idx: seqno, nodes: Object.fromEntries([...nodes].sort().map((id) => [id, { address: ":" }])), rid: seqno };
}
