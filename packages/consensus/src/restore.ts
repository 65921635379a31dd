/** Rebuilds a replica's state from the entries its owner kept (consensus spec §3.1: restart with the same identity). */
import { type NodeId, type Seqno, seqno } from "@sealane/wire";
import { assert } from "./assert.js";
import type { Entry, HardState, RestoredState } from "./interface.js";
import { Log } from "./log.js";

export interface ReplayOptions {
  readonly id: NodeId;
  readonly hardState: HardState;
  /** The highest commit seqno the owner remembers; 0 if none. May be lower than the truth, and above the last entry. */
  readonly commitSeqno: Seqno;
  /** Every durable entry in order. From seqno 1 on, or from the one after `base`. */
  readonly entries: Iterable<Entry>;
  /** State at a snapshot, as `replayLog` gives it for the entries up to there. */
  readonly base?: RestoredState;
}

/**
 * The state of a replica whose log holds `entries`, for `ReplicaOptions.restored`.
 *
 * A retirement-committed entry is written only after the removal it speaks of was committed (spec §11.3), and the removed
 * nodes may be gone for ever. So whoever holds one knows that much to be committed, whatever the hint says: else it would
 * ask a configuration for votes that nobody of it can give.
 * @throws {Error} when the entries are not consecutive. That is a bug of the owner.
 */
export function replayLog({ id, hardState, commitSeqno, entries, base }: ReplayOptions): RestoredState {
  const log = new Log(id, base);
  let known = commitSeqno;
  for (const entry of entries) {
    assert(entry.view >= log.history.lastView, "views ascend in a log");
    if (entry.configuration !== undefined) log.addConfiguration(entry.seqno, entry.configuration);
    log.append(entry);
    if (entry.retired !== undefined) known = seqno(Math.max(known, removalCommit(log, entry.retired)));
  }
  const commit = log.committable.highestAtOrBelow(known);
  if (commit !== undefined) commitRestored(log, commit);
  // An entry can be durable before the hard state of its view: the crash came between the two, and no message of that
  // view had left. So there was no vote in it either.
  const lastView = log.viewOf(log.lastSeqno);
  return log.restoredState(lastView > hardState.view ? { view: lastView, votedFor: undefined } : hardState);
}

function commitRestored(log: Log, commit: Seqno): void {
  const { retired } = log.commit(commit);
  if (retired.includes(log.id)) log.retirement.finish();
}

/** The signature that committed the removal of one of `nodes`; 0 when the log's active configurations show none. */
function removalCommit(log: Log, nodes: readonly NodeId[]): Seqno {
  const removal = log.configurations.all.findLast((configuration, index, all) =>
    nodes.some((node) => all[index - 1]?.nodes.includes(node) === true && !configuration.nodes.includes(node)),
  );
  return (removal && log.committable.firstAtOrAbove(removal.seqno)) ?? seqno(0);
}
