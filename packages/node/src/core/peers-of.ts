/** Which nodes a node has a channel to. */
import type { NetworkNode } from "@sealane/wire";
import { isTakingPart } from "./tables.js";

/**
 * @param recorded - The service's own records, as of the last entry here.
 * @param told - Nodes that take part, as other nodes said. The service's own records come before these.
 */
export function peersOf(recorded: readonly NetworkNode[], told: readonly NetworkNode[]): NetworkNode[] {
  const gone = new Set(recorded.flatMap((node) => (isTakingPart(node) || node.status === "pending" ? [] : [node.id])));
  const peers = new Map(recorded.filter(isTakingPart).map((node) => [node.id, node]));
  // A node that catches up reads records from before its peers were trusted; what it was told holds until they are gone.
  for (const node of told) {
    if (!gone.has(node.id) && !peers.has(node.id)) peers.set(node.id, node);
  }
  return [...peers.values()];
}
