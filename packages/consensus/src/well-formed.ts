/**
 * Which messages can come from a node that follows the protocol (consensus spec §13, §15 TypeInv). All others are dropped before they
 * are looked at, so that no value a peer can put into a field reaches a loop bound, an array or the view history.
 */
import { type ConsensusMessage, VIEW_MAX } from "@sealane/wire";

export function isWellFormed(message: ConsensusMessage): boolean {
  switch (message.type) {
    case "append-entries":
      return (
        isLeadership(message.view) &&
        isView(message.prevView) &&
        isView(message.viewOfSeqno) &&
        isSeqno(message.prevSeqno) &&
        isSeqno(message.seqno) &&
        isSeqno(message.commitSeqno) &&
        message.prevSeqno <= message.seqno &&
        // §7.4: entries are of one view, which is not before that of the entry they follow and not after the sender's.
        (message.prevSeqno === message.seqno ||
          (message.viewOfSeqno > 0 && message.prevView <= message.viewOfSeqno && message.viewOfSeqno <= message.view))
      );
    case "append-entries-response":
      return isView(message.view) && isSeqno(message.lastSeqno); // view 0: a NACK of a node with an empty log (§8.6)
    case "request-vote":
      return (
        isLeadership(message.view) &&
        isSeqno(message.lastCommittableSeqno) &&
        isView(message.viewOfLastCommittableSeqno) &&
        message.viewOfLastCommittableSeqno <= message.view
      );
    case "request-vote-response":
    case "propose-request-vote":
      return isLeadership(message.view);
    default:
      return false;
  }
}

function isSeqno(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isView(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= VIEW_MAX;
}

/** §15: every message has a view of at least 1 (a NACK's may be that of an index). */
function isLeadership(value: number): boolean {
  return isView(value) && value >= 1;
}
