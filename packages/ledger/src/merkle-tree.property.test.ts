import fc from "fast-check";
import { expect, test } from "vitest";
import { suite } from "../test/fixture.js";
import { slowPath, slowRoot } from "../test/reference/slow-tree.js";
import { MerkleTree } from "./merkle-tree.js";

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("append" as const), amount: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("rollback" as const), amount: fc.nat(15) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("flush" as const), amount: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restore" as const), amount: fc.nat(10) }) },
);

test("any mix of append, rollback, flush and restoring gives the slow tree's root, paths and serialised form", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      let tree = new MerkleTree(suite);
      let leaves: Uint8Array[] = [new Uint8Array(32)];
      let counter = 0;
      for (const { type, amount } of operations) {
        if (type === "append") {
          for (let index = 0; index < amount; index++) {
            const leaf = suite.sha256(Uint8Array.of(counter & 0xff, counter++ >> 8));
            leaves.push(leaf);
            tree.append(leaf);
          }
        } else if (type === "rollback") {
          const size = Math.max(tree.first + 1, tree.size - amount);
          tree.rollback(size);
          leaves = leaves.slice(0, size);
        } else if (type === "flush") {
          tree.flush(Math.max(0, tree.size - 1 - amount));
        } else {
          const first = Math.max(tree.first, tree.size - 1 - amount);
          tree = MerkleTree.deserialise(suite, tree.serialise(first));
        }
        expect(tree.size).toBe(leaves.length);
        expect(tree.root()).toEqual(slowRoot(leaves));
        if (tree.size > 1) expect(suite.sha256(tree.rootPreimage())).toEqual(tree.root());
        expect(tree.path(tree.first)).toEqual(slowPath(leaves, tree.first));
      }
    }),
    { numRuns: 60 },
  );
});
