/** Where a ledger goes on from a snapshot (ledger spec §10.3): the tree over everything before, and the views. */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, type Seqno, seqno, type View } from "@sealane/wire";
import { LedgerError } from "../errors.js";
import { MerkleTree } from "../merkle-tree.js";
import { COSE_SIGNATURES_TABLE, readSignature, SIGNATURES_TABLE, SINGLE_KEY, TREE_TABLE } from "../signature-record.js";
import { ViewHistory } from "../view-history.js";
import type { DecodedSnapshot } from "./decode-snapshot.js";

/** All that a `Ledger` needs to know of the entries it does not have. Immutable. */
export interface LedgerBase {
  /** The last of those entries, a committed signature. */
  readonly seqno: Seqno;
  readonly view: View;
  /** First seqno of each view, from view 1 on. */
  readonly viewHistory: readonly number[];
  /** The serialised tree (§6.4) over leaves 0 … seqno − 1. */
  readonly tree: Uint8Array;
  /** The leaf of `seqno`, 32 bytes. */
  readonly leaf: Uint8Array;
}

/**
 * The base that a snapshot's own state gives. It proves nothing: `verifySnapshot` does.
 * @throws {LedgerError} `bad-snapshot` unless the signature transaction at the snapshot's seqno stands whole in its state, and its tree has
 * the root that it signed; `malformed-signature`, `bad-tree`.
 */
export function snapshotBase(suite: CryptoSuite, snapshot: DecodedSnapshot): LedgerBase {
  const { seqno: at, leaf, viewHistory, publicMaps } = snapshot;
  // Only what that very transaction wrote: an older COSE signature may still stand there (§7.3).
  const written = [COSE_SIGNATURES_TABLE, SIGNATURES_TABLE, TREE_TABLE].flatMap((name) => {
    const entries = publicMaps.find((map) => map.name === name)?.entries ?? [];
    const entry = entries.find(({ key, writtenAt }) => writtenAt === at && equalBytes(key, SINGLE_KEY));
    return entry === undefined ? [] : [{ name, writes: [[entry.key, entry.value] as const], removes: [] }];
  });
  const signature = readSignature(written, 0);
  if (signature === undefined) throw new LedgerError("bad-snapshot", `entry ${at} is no signature in this snapshot`);
  const view = ViewHistory.of(viewHistory).viewAt(at);
  if (signature.seqno !== at || signature.view !== view)
    throw new LedgerError("bad-snapshot", `the signature in the snapshot at ${at} names another transaction`);
  if ((viewHistory.at(-1) ?? 0) > at || (viewHistory[0] ?? 0) < 1)
    throw new LedgerError("bad-snapshot", `the views of the snapshot at ${at} do not fit it`);
  const tree = MerkleTree.deserialise(suite, signature.tree);
  if (tree.size !== at || !equalBytes(tree.root(), signature.root))
    throw new LedgerError("bad-snapshot", `the tree in the snapshot at ${at} is not the one that was signed`);
  return { seqno: seqno(at), view, viewHistory, tree: signature.tree.slice(), leaf: leaf.slice() };
}

/** The tree of a base, the leaf of its last entry included: `size` is `seqno` + 1. @throws {LedgerError} `bad-tree`. */
export function baseTree(suite: CryptoSuite, { tree, leaf, seqno: at }: LedgerBase): MerkleTree {
  const restored = MerkleTree.deserialise(suite, tree);
  if (restored.size !== at) throw new LedgerError("bad-tree", `a tree of ${restored.size} leaves where ${at} belong`);
  restored.append(leaf);
  return restored;
}
