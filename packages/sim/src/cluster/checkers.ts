/** What must hold of a cluster at every instant, judged from outside: from disks and from what nodes said, never from their own checks. */
import { equalBytes } from "@sealane/wire";
import { ViolationError } from "../violation.js";
import type { SimulatedNode } from "./simulated-node.js";

/**
 * No two nodes have committed different entries at one seqno (consensus spec §15.1, LogInv), down to the byte.
 * Only what a node that is up has both reported and still holds is compared: the disk of one that is down may be damaged, and it has not
 * said yet that it would come back with it.
 */
export function checkAgreement(nodes: readonly SimulatedNode[], seed: number): void {
  let reference: SimulatedNode | undefined;
  for (const node of nodes) if (node.isUp && node.committed > (reference?.committed ?? 0)) reference = node;
  if (reference === undefined) return;
  const truth = reference.disk;
  for (const node of nodes) {
    if (node === reference || !node.isUp || node.committed === 0) continue;
    const last = Math.min(node.committed, truth.lastSeqno, node.disk.lastSeqno);
    const own = node.disk.entries[last - node.disk.firstSeqno];
    const theirs = truth.entries[last - truth.firstSeqno];
    if (own !== undefined && theirs !== undefined && !equalBytes(own, theirs)) {
      throw new ViolationError("agreement", `seed ${seed}: two nodes have committed different entries at ${last}`);
    }
  }
}
