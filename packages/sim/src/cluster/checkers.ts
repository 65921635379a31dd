/** What must hold of a cluster at every instant, judged from outside: from disks and from what nodes said, never from their own checks. */
import { equalBytes } from "@sealane/wire";
import { ViolationError } from "../violation.js";
import type { SimulatedNode } from "./simulated-node.js";

/**
 * No two nodes have committed different entries at one seqno (consensus spec §15.1, LogInv), down to the byte.
 * Only what a node has both reported and still holds is compared.
 */
export function checkAgreement(nodes: readonly SimulatedNode[], seed: number): void {
  const [first] = nodes;
  if (first === undefined) return;
  let reference = first;
  for (const node of nodes) if (node.committed > reference.committed) reference = node;
  const truth = reference.disk;
  for (const node of nodes) {
    if (node === reference || node.committed === 0) continue;
    const last = Math.min(node.committed, truth.lastSeqno, node.disk.lastSeqno);
    const own = node.disk.entries[last - node.disk.firstSeqno];
    const theirs = truth.entries[last - truth.firstSeqno];
    if (own !== undefined && theirs !== undefined && !equalBytes(own, theirs)) {
      throw new ViolationError("agreement", `seed ${seed}: two nodes have committed different entries at ${last}`);
    }
  }
}
