/** What a node shows of itself. */
import type { Replica } from "@sealane/consensus";
import { type ChannelState, formatTxId, type NodeId, type NodeState } from "@sealane/wire";
import type { ReplicatedLog } from "./replicated-log.js";
import { networkNodes } from "./tables.js";

/** What can be seen of a replica without touching it (consensus spec §3). */
export type Replication = Pick<
  Replica,
  | "view"
  | "votedFor"
  | "role"
  | "lastSeqno"
  | "commitSeqno"
  | "lastCommittableSeqno"
  | "durableSeqno"
  | "configurations"
  | "retirementPhase"
  | "removedNodes"
  | "peers"
>;

export function nodeState(
  nodeId: NodeId,
  { replica, store, standing }: ReplicatedLog,
  channels: ChannelState[],
  uptimeMs: number,
): NodeState {
  const latest = store.read("latest");
  return {
    nodeId,
    phase: standing.phase,
    role: standing.role,
    view: replica.view,
    lastSeqno: replica.lastSeqno,
    committed: formatTxId({ view: replica.viewAt(replica.commitSeqno), seqno: replica.commitSeqno }),
    primary: replica.primary ?? null,
    channels,
    nodes: networkNodes(latest, store.read("committed")),
    uptimeMs,
  };
}
