/** What a node shows of itself before it is part of a service. */
import { type NodeId, type NodeState, seqno, view } from "@sealane/wire";

export function pendingState(nodeId: NodeId, uptimeMs: number): NodeState {
  return {
    nodeId,
    phase: "pending",
    role: "none",
    view: view(0),
    lastSeqno: seqno(0),
    committed: "0.0",
    primary: null,
    channels: [],
    nodes: [],
    uptimeMs,
  };
}
