import { concatBytes } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { codeOf, suite } from "../test/fixture.js";
import { foldPath, slowPath, slowRoot } from "../test/reference/slow-tree.js";
import { MerkleTree } from "./merkle-tree.js";

const leafOf = (index: number) => (index === 0 ? new Uint8Array(32) : suite.sha256(Uint8Array.of(index)));
const leaves = Array.from({ length: 70 }, (_, index) => leafOf(index));

function treeOf(size: number): MerkleTree {
  const tree = new MerkleTree(suite);
  for (const leaf of leaves.slice(1, size)) tree.append(leaf);
  return tree;
}

describe("MerkleTree", () => {
  test("starts as the zero leaf, whose root is itself and has no children", () => {
    const tree = new MerkleTree(suite);
    expect(tree.size).toBe(1);
    expect(tree.root()).toEqual(new Uint8Array(32));
    expect(() => tree.rootPreimage()).toThrow(RangeError);
    expect(tree.path(0)).toEqual([]);
  });

  test("agrees with the slow tree at every size up to 70, also when asked later", () => {
    const whole = treeOf(70);
    for (let size = 1; size <= 70; size++) {
      const root = slowRoot(leaves.slice(0, size));
      expect(treeOf(size).root()).toEqual(root);
      expect(whole.root(size)).toEqual(root);
      if (size > 1) expect(suite.sha256(whole.rootPreimage(size))).toEqual(root);
    }
  });

  test("paths are those of the slow tree and fold to the root", () => {
    const whole = treeOf(70);
    for (let size = 1; size <= 70; size += 7) {
      for (let index = 0; index < size; index++) {
        const path = whole.path(index, size);
        expect(path).toEqual(slowPath(leaves.slice(0, size), index));
        expect(foldPath(leafOf(index), path)).toEqual(whole.root(size));
      }
    }
  });

  test("a returned root does not change when the tree does", () => {
    const tree = treeOf(4);
    const root = tree.root();
    const copy = root.slice();
    tree.flush(3);
    for (const leaf of leaves.slice(4)) tree.append(leaf);
    expect(root).toEqual(copy);
  });

  test("gives out copies: whoever writes into them does not write into the tree", () => {
    for (const size of [64, 70]) {
      const tree = treeOf(size);
      const root = tree.root().slice();
      const given = [tree.root(), tree.rootPreimage(), tree.leaf(3), tree.serialise()];
      for (let index = 0; index < size; index++)
        for (const step of tree.path(index)) given.push(...Object.values(step));
      for (const bytes of given) bytes.fill(0xff);
      expect([tree.root(), suite.sha256(tree.rootPreimage()), treeOf(size).serialise()]).toEqual([
        root,
        root,
        tree.serialise(),
      ]);
      expect(tree.leaf(3)).toEqual(leafOf(3));
    }
    const single = new MerkleTree(suite);
    single.root().fill(0xff);
    expect(single.root()).toEqual(new Uint8Array(32));
  });

  test("gives each leaf that it holds, and no other", () => {
    const tree = treeOf(70);
    tree.flush(8);
    expect([8, 9, 69].map((index) => tree.leaf(index))).toEqual([8, 9, 69].map(leafOf));
    for (const index of [-1, 0, 7, 70, 8.5, Number.NaN]) expect(() => tree.leaf(index)).toThrow(RangeError);
  });

  test("refuses leaves, sizes and indexes it cannot have", () => {
    const tree = treeOf(10);
    tree.flush(4);
    expect(() => tree.append(new Uint8Array(31))).toThrow(RangeError);
    expect(() => tree.root(11)).toThrow(RangeError);
    expect(() => tree.root(4)).toThrow(RangeError);
    expect(() => tree.rollback(4)).toThrow(RangeError);
    expect(() => tree.flush(10)).toThrow(RangeError);
    expect(() => tree.path(3)).toThrow(RangeError);
    expect(() => tree.path(10)).toThrow(RangeError);
    expect(() => tree.serialise(3)).toThrow(RangeError);
    expect(() => tree.serialise(10)).toThrow(RangeError);
  });

  test("memory stays bounded when the front is folded away", () => {
    const tree = new MerkleTree(suite);
    for (let index = 1; index < 5_000; index++) {
      tree.append(leafOf(index % 256));
      tree.flush(tree.size - 1);
    }
    // One leaf and one left sibling per 1-bit of 4,999 (1001110000111).
    expect(tree.serialise().length).toBe(16 + 32 * (1 + 7));
  });

  describe("a serialised tree (§6.4)", () => {
    test("is big-endian: count, first, leaves, folded siblings from the deepest level on", () => {
      const tree = treeOf(8);
      tree.flush(6);
      const folded = [suite.sha256(leafOf(4), leafOf(5)), slowRoot(leaves.slice(0, 4))];
      const counts = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 6);
      expect(tree.serialise()).toEqual(concatBytes(counts, leafOf(6), leafOf(7), ...folded));
    });

    test("gives back the tree, which goes on growing the same way", () => {
      for (let size = 1; size <= 20; size++) {
        for (let first = 0; first < size; first++) {
          const again = MerkleTree.deserialise(suite, treeOf(size).serialise(first));
          expect([again.size, again.first]).toEqual([size, first]);
          expect(again.root()).toEqual(slowRoot(leaves.slice(0, size)));
          again.append(leafOf(size));
          expect(again.root()).toEqual(slowRoot(leaves.slice(0, size + 1)));
          again.rollback(size);
          expect(again.serialise(first)).toEqual(treeOf(size).serialise(first));
        }
      }
    });

    test("is refused when it is short, long, empty or promises more than there is", () => {
      const bytes = treeOf(9).serialise(3);
      const tooMany = bytes.slice();
      tooMany.fill(0xff, 0, 8);
      const farAway = bytes.slice();
      farAway.fill(0xff, 8, 16);
      const none = new Uint8Array(16);
      for (const bad of [
        bytes.subarray(0, -1),
        concatBytes(bytes, Uint8Array.of(0)),
        bytes.subarray(0, 15),
        tooMany,
        farAway,
        none,
      ]) {
        expect(codeOf(() => MerkleTree.deserialise(suite, bad))).toBe("bad-tree");
      }
    });
  });
});
