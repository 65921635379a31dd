/** The messages of the replication protocol and their bytes (consensus spec §13; channel-v2 §5 adds `entriesDigest`). */
import type { Seqno, View } from "./brands.js";

export const ELECTION_PRE_VOTE = 0;
export const ELECTION_REGULAR = 1;
export type ElectionType = typeof ELECTION_PRE_VOTE | typeof ELECTION_REGULAR;

export interface AppendEntries {
  readonly type: "append-entries";
  /** Last seqno covered; `prevSeqno` when the message is empty. */
  readonly seqno: Seqno;
  readonly prevSeqno: Seqno;
  /** The sender's view. */
  readonly view: View;
  readonly prevView: View;
  readonly commitSeqno: Seqno;
  /** The view of all entries in this message. */
  readonly viewOfSeqno: View;
}

export interface AppendEntriesResponse {
  readonly type: "append-entries-response";
  readonly view: View;
  readonly lastSeqno: Seqno;
  readonly success: boolean;
}

export interface RequestVote {
  readonly type: "request-vote";
  readonly view: View;
  readonly lastCommittableSeqno: Seqno;
  readonly viewOfLastCommittableSeqno: View;
  readonly election: ElectionType;
}

export interface RequestVoteResponse {
  readonly type: "request-vote-response";
  readonly view: View;
  readonly granted: boolean;
  readonly election: ElectionType;
}

export interface ProposeRequestVote {
  readonly type: "propose-request-vote";
  readonly view: View;
}

export type ConsensusMessage =
  | AppendEntries
  | AppendEntriesResponse
  | RequestVote
  | RequestVoteResponse
  | ProposeRequestVote;
