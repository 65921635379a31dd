/**
 * The Merkle tree over the ledger (ledger spec §6): leaf index = seqno, leaf 0 is 32 zero bytes, parent = SHA-256(left ‖ right) without
 * prefixes, an unpaired last node moves up unchanged.
 *
 * Only complete nodes are stored: row `level` holds the nodes whose subtree of 2^level leaves is full. A leaf that completes subtrees adds
 * those nodes at once (O(1) amortised); the ragged right edge is folded when a root is asked for (O(log n)). Completed nodes never change,
 * so the root at any earlier size can be computed too, rollback is cutting rows, and compaction is forgetting the front of each row except
 * the left siblings that the edge of later trees still needs.
 *
 * Indexes are divided, not shifted: seqnos go to 2^53, bit operators of the language to 2^31.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { concatBytes } from "@sealane/wire";
import { assert, LedgerError } from "./errors.js";
import { HashColumn } from "./hash-column.js";
import { DIGEST_BYTES } from "./limits.js";

/** The hash function alone: all that the tree needs of a suite. */
export type TreeSuite = Pick<CryptoSuite, "sha256">;

/** One step of a path from a leaf upwards: the sibling, and the side on which it stands (§9.1). */
export type ProofStep = { readonly left: Uint8Array } | { readonly right: Uint8Array };

const COUNTS_BYTES = 8 + 8;

export class MerkleTree {
  readonly #suite: TreeSuite;
  // Invariant: row `level` ends at floor(size / 2^level) and starts at or below the left sibling that index #first needs.
  readonly #rows: HashColumn[] = [];
  #size = 0;
  #first = 0;

  /** A tree of the single leaf 0: 32 zero bytes, so that from here on leaf index = seqno (§6.1). */
  constructor(suite: TreeSuite) {
    this.#suite = suite;
    this.append(new Uint8Array(DIGEST_BYTES));
  }

  /** Number of leaves, leaf 0 included; also the seqno of the next leaf. */
  get size(): number {
    return this.#size;
  }

  /** Index of the first leaf that has not been folded away. */
  get first(): number {
    return this.#first;
  }

  /** Leaf `index`, from `this.first` to `size` − 1. 32 bytes, freshly allocated. */
  leaf(index: number): Uint8Array {
    if (!Number.isSafeInteger(index) || index < this.#first || index >= this.#size) {
      throw new RangeError(`leaf ${index} is not among the leaves ${this.#first} to ${this.#size - 1}`);
    }
    return this.#row(0).view(index).slice();
  }

  /** Adds the next leaf. @param leaf - 32 bytes, copied. */
  append(leaf: Uint8Array): void {
    if (leaf.length !== DIGEST_BYTES) throw new RangeError(`a leaf has ${DIGEST_BYTES} bytes, got ${leaf.length}`);
    let node = leaf;
    let index = this.#size;
    for (let level = 0; ; level++) {
      const row = this.#row(level);
      row.push(node);
      if (index % 2 === 0) break;
      node = this.#suite.sha256(row.view(index - 1, 2)); // siblings lie side by side
      index = (index - 1) / 2;
    }
    this.#size++;
  }

  /**
   * The root over leaves 0 … size − 1 (§6.2).
   * @param size - At most `this.size`, more than `this.first`. Default: all leaves.
   * @returns 32 bytes, freshly allocated.
   */
  root(size = this.#size): Uint8Array {
    const { root } = this.#foldEdge(size);
    return root.slice();
  }

  /**
   * The 64 bytes whose SHA-256 is the root: its two children, left ‖ right. ECDSA-SHA256 over them is ECDSA over the root as digest (§7.2).
   * @throws {RangeError} for a tree of one leaf, which has no children and never gets signed.
   */
  rootPreimage(size = this.#size): Uint8Array {
    const { preimage } = this.#foldEdge(size);
    if (preimage === undefined) throw new RangeError("the root of a single leaf is no hash of two children");
    return preimage;
  }

  /**
   * The siblings from leaf `index` up to the root over leaves 0 … size − 1; levels at which the node is an unpaired last one add no step (§9.2).
   * @param index - From `this.first` to `size` − 1.
   */
  path(index: number, size = this.#size): ProofStep[] {
    this.#checkSize(size);
    if (!Number.isSafeInteger(index) || index < this.#first || index >= size) {
      throw new RangeError(`leaf ${index} is not among the leaves ${this.#first} to ${size - 1}`);
    }
    const steps: ProofStep[] = [];
    let edge: Uint8Array | undefined; // the incomplete last node of this level, whose index is `complete`
    let node = index;
    for (let level = 0, complete = size; complete > 0; level++) {
      const row = this.#row(level);
      if (node % 2 === 1) steps.push({ left: row.view(node - 1).slice() });
      else if (node + 1 < complete) steps.push({ right: row.view(node + 1).slice() });
      else if (node + 1 === complete && edge !== undefined) steps.push({ right: edge.slice() });
      if (complete % 2 === 1) edge = this.#overEdge(row.view(complete - 1), edge);
      node = Math.floor(node / 2);
      complete = Math.floor(complete / 2);
    }
    return steps;
  }

  /** Forgets the leaves from `size` on. @param size - More than `this.first`: the folded part cannot be taken back. */
  rollback(size: number): void {
    this.#checkSize(size);
    let complete = size;
    for (const row of this.#rows) {
      row.truncate(complete);
      complete = Math.floor(complete / 2);
    }
    this.#size = size;
  }

  /**
   * Folds the leaves below `first` away, so that memory depends on the leaves since then only.
   * @param first - At most `this.size` − 1: one leaf always stays. Lower than before: nothing happens.
   */
  flush(first: number): void {
    if (!Number.isSafeInteger(first) || first >= this.#size) {
      throw new RangeError(`cannot fold away up to ${first} of ${this.#size} leaves`);
    }
    if (first <= this.#first) return;
    this.#first = first;
    let node = first;
    for (const row of this.#rows) {
      row.dropBelow(node - (node % 2)); // an odd node still needs its left sibling
      node = Math.floor(node / 2);
    }
  }

  /**
   * The bytes of `public:ccf.internal.tree` (§6.4): `u64be n | u64be f | n leaves from f on | one folded left sibling for each 1-bit of f,
   * lowest first`. Big-endian, unlike all else.
   * @param first - f: from `this.first` to `size` − 1.
   */
  serialise(first = this.#first, size = this.#size): Uint8Array {
    this.#checkSize(size);
    if (!Number.isSafeInteger(first) || first < this.#first || first >= size) {
      throw new RangeError(`cannot serialise from leaf ${first}: leaves ${this.#first} to ${size - 1} are held`);
    }
    const counts = new Uint8Array(COUNTS_BYTES);
    const data = new DataView(counts.buffer);
    data.setBigUint64(0, BigInt(size - first));
    data.setBigUint64(8, BigInt(first));
    const folded: Uint8Array[] = [];
    for (let level = 0, node = first; node > 0; level++, node = Math.floor(node / 2)) {
      if (node % 2 === 1) folded.push(this.#row(level).view(node - 1));
    }
    return concatBytes(counts, this.#row(0).view(first, size - first), ...folded);
  }

  /**
   * The tree a serialised one describes; `first` and `size` are as serialised.
   * @param bytes - §6.4. Borrowed.
   * @throws {LedgerError} `bad-tree` unless the bytes are exactly one serialised tree with at least one leaf.
   */
  static deserialise(suite: TreeSuite, bytes: Uint8Array): MerkleTree {
    if (bytes.length < COUNTS_BYTES) throw new LedgerError("bad-tree", "the serialised tree ends inside its counts");
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const count = Number(data.getBigUint64(0));
    const first = Number(data.getBigUint64(8));
    if (count < 1 || !Number.isSafeInteger(first + count)) {
      throw new LedgerError("bad-tree", "the serialised tree has no leaves or impossible counts");
    }
    let foldedCount = 0;
    for (let node = first; node > 0; node = Math.floor(node / 2)) foldedCount += node % 2;
    // Checked before anything is allocated: hostile counts never match the bytes that are there.
    if (bytes.length !== COUNTS_BYTES + (count + foldedCount) * DIGEST_BYTES) {
      throw new LedgerError(
        "bad-tree",
        `a serialised tree of ${count} leaves from ${first} on does not have ${bytes.length} bytes`,
      );
    }
    const tree = new MerkleTree(suite);
    tree.#rows.length = 0;
    let offset = COUNTS_BYTES + count * DIGEST_BYTES;
    for (let node = first; node > 0; node = Math.floor(node / 2)) {
      const row = new HashColumn(node - (node % 2));
      if (node % 2 === 1) {
        row.push(bytes.subarray(offset, offset + DIGEST_BYTES));
        offset += DIGEST_BYTES;
      }
      tree.#rows.push(row);
    }
    tree.#first = first;
    tree.#size = first;
    for (let index = 0; index < count; index++) {
      const start = COUNTS_BYTES + index * DIGEST_BYTES;
      tree.append(bytes.subarray(start, start + DIGEST_BYTES));
    }
    return tree;
  }

  /** Folds the ragged right edge of the tree of `size` leaves, lowest level first. */
  #foldEdge(size: number): { root: Uint8Array; preimage: Uint8Array | undefined } {
    this.#checkSize(size);
    let root: Uint8Array | undefined;
    let preimage: Uint8Array | undefined;
    for (let level = 0, complete = size; complete > 0; level++, complete = Math.floor(complete / 2)) {
      if (complete % 2 === 0) continue;
      const node = this.#row(level).view(complete - 1);
      if (root === undefined) {
        root = node; // unpaired: moves up unchanged
        // A single full subtree: its own children are the root's.
        if (complete === 1 && level > 0)
          preimage = this.#row(level - 1)
            .view(0, 2)
            .slice();
      } else {
        preimage = concatBytes(node, root);
        root = this.#suite.sha256(preimage);
      }
    }
    assert(root !== undefined, "a tree has at least one leaf");
    return { root, preimage };
  }

  #overEdge(node: Uint8Array, edge: Uint8Array | undefined): Uint8Array {
    return edge === undefined ? node : this.#suite.sha256(concatBytes(node, edge));
  }

  #row(level: number): HashColumn {
    const row = this.#rows[level];
    if (row !== undefined) return row;
    assert(level === this.#rows.length, "rows grow one at a time");
    const added = new HashColumn(0);
    this.#rows.push(added);
    return added;
  }

  #checkSize(size: number): void {
    if (!Number.isSafeInteger(size) || size <= this.#first || size > this.#size) {
      throw new RangeError(`the tree holds sizes ${this.#first + 1} to ${this.#size}, not ${size}`);
    }
  }
}
