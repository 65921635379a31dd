import { type NodeId, seqno } from "@sealane/wire";
import { expect, test } from "vitest";
import { RemovedNodes } from "./removed-nodes.js";

const ids = (text: string) => [...text] as NodeId[]; // the core never looks inside an id

test("a removed node is unmarked until an entry names it, and removed until that is committed", () => {
  const nodes = new RemovedNodes();
  nodes.remove(ids("ba"));
  expect(nodes.unmarked).toEqual(ids("ab"));
  nodes.mark(seqno(8), ids("a"));
  expect(nodes.unmarked).toEqual(ids("b"));
  expect(nodes.removed).toEqual(ids("ab"));
  expect(nodes.commit(seqno(7))).toEqual([]);
  expect(nodes.commit(seqno(8))).toEqual(ids("a"));
  expect(nodes.removed).toEqual(ids("b"));
});

test("an entry that is rolled back does not count", () => {
  const nodes = new RemovedNodes(ids("a"), [{ seqno: seqno(8), nodes: ids("a") }]);
  nodes.rollback(seqno(7));
  expect(nodes.unmarked).toEqual(ids("a"));
  expect(nodes.commit(seqno(9))).toEqual([]);
});

test("an entry up to where is rolled back still counts, and each is committed once, by itself", () => {
  const nodes = new RemovedNodes(ids("ab"));
  nodes.mark(seqno(8), ids("a"));
  nodes.mark(seqno(9), ids("b"));
  nodes.rollback(seqno(9));
  expect(nodes.unmarked).toEqual([]);
  expect(nodes.commit(seqno(8))).toEqual(ids("a"));
  expect(nodes.entries).toEqual([{ seqno: 9, nodes: ids("b") }]);
  expect(nodes.commit(seqno(9))).toEqual(ids("b"));
  expect([nodes.entries, nodes.commit(seqno(10))]).toEqual([[], []]);
});
