/** The Merkle tree straight from ledger spec §6.2 and §9.2: every level built anew from all leaves. */
import { nativeSuite as suite } from "@sealane/crypto/native";
import type { ProofStep } from "../../src/merkle-tree.js";

function parents(level: readonly Uint8Array[]): Uint8Array[] {
  const next: Uint8Array[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const [left, right] = level.slice(index, index + 2);
    if (left !== undefined) next.push(right === undefined ? left : suite.sha256(left, right));
  }
  return next;
}

export function slowRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  while (level.length > 1) level = parents(level);
  return level[0] ?? new Uint8Array();
}

export function slowPath(leaves: readonly Uint8Array[], index: number): ProofStep[] {
  const steps: ProofStep[] = [];
  let level = [...leaves];
  let node = index;
  while (level.length > 1) {
    const sibling = level[node % 2 === 1 ? node - 1 : node + 1];
    if (sibling !== undefined) steps.push(node % 2 === 1 ? { left: sibling } : { right: sibling });
    level = parents(level);
    node = Math.floor(node / 2);
  }
  return steps;
}

/** §9.3 step 3. */
export function foldPath(leaf: Uint8Array, path: readonly ProofStep[]): Uint8Array {
  return path.reduce(
    (hash, step) => ("left" in step ? suite.sha256(step.left, hash) : suite.sha256(hash, step.right)),
    leaf,
  );
}
