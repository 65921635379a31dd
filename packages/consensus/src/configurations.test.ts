import { type NodeId, type Seqno, seqno } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ascending, Configurations, quorum } from "./configurations.js";

const ids = (text: string) => [...text] as NodeId[]; // the core never looks inside an id
const of = (...sets: readonly [number, string][]) =>
  new Configurations(sets.map(([at, text]) => ({ seqno: seqno(at), nodes: ids(text) })));

describe("Configurations", () => {
  test("a quorum is more than half", () => {
    expect([1, 2, 3, 4, 5].map(quorum)).toEqual([1, 2, 2, 3, 3]);
  });

  test("one equal to the newest is ignored, whatever its order", () => {
    const configurations = of([1, "ab"]);
    expect(configurations.add(seqno(5), ids("ba"))).toBe(false);
    expect(configurations.add(seqno(6), ids("abc"))).toBe(true);
    expect(configurations.all.map(({ seqno }) => seqno)).toEqual([1, 6]);
    expect(configurations.nodes).toEqual(ids("abc"));
  });

  test("no configuration is empty or out of order", () => {
    expect(() => of([1, ""])).toThrow();
    expect(() => of([5, "a"], [4, "b"])).toThrow();
  });

  test("a commit drops what came before the newest committed one, and says who is removed by it", () => {
    const configurations = of([1, "ab"], [5, "bc"], [9, "cd"]);
    expect(configurations.commit(seqno(4))).toBeUndefined();
    expect(configurations.commit(seqno(8))).toEqual(ids("a"));
    expect(configurations.commit(seqno(9))).toEqual(ids("b"));
    expect(configurations.newest).toEqual({ seqno: 9, nodes: ids("cd") });
  });

  test("a rollback drops what is above it", () => {
    const configurations = of([1, "ab"], [5, "bc"]);
    configurations.rollback(seqno(5));
    expect(configurations.all).toHaveLength(2);
    configurations.rollback(seqno(4));
    expect(configurations.all).toHaveLength(1);
  });

  test("the newest configuration of a node breaks ties between successors", () => {
    const configurations = of([1, "ab"], [5, "bc"]);
    expect(["a", "b", "c", "d"].map((id) => configurations.newestSeqnoOf(id as NodeId))).toEqual([1, 5, 5, 0]);
  });

  test("a node of any active configuration is included", () => {
    const configurations = of([1, "ab"], [5, "bc"]);
    expect(["a", "b", "c", "d"].map((id) => configurations.includes(id as NodeId))).toEqual([true, true, true, false]);
  });

  test("a majority is needed in each configuration, not in their union (B1)", () => {
    const configurations = of([1, "ab"], [5, "abcde"]);
    const holds = (text: string) => configurations.everyQuorum((node) => ids(text).includes(node));
    expect(holds("cde")).toBe(false);
    expect(holds("ab")).toBe(false);
    expect(holds("abe")).toBe(true);
    expect(new Configurations().everyQuorum(() => true)).toBe(false);
  });

  test("agreedSeqno is the highest that a majority of each has reached", () => {
    const set = fc.uniqueArray(fc.constantFrom(...ids("abcdefg")), { minLength: 1 });
    const reach = fc.array(fc.nat(9), { minLength: 7, maxLength: 7 });
    fc.assert(
      fc.property(fc.array(set, { minLength: 1, maxLength: 3 }), reach, (sets, reached) => {
        const configurations = new Configurations(sets.map((nodes, index) => ({ seqno: seqno(index + 1), nodes })));
        const of = (node: NodeId): Seqno => seqno(reached["abcdefg".indexOf(node)] ?? 0);
        const agreed = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].find((at) =>
          configurations.everyQuorum((node) => of(node) >= at),
        );
        expect(configurations.agreedSeqno(of)).toBe(agreed);
      }),
    );
    expect(new Configurations().agreedSeqno(() => seqno(1))).toBeUndefined();
  });

  test("ids ascend by code units", () => {
    expect(ascending(["2", "10", "B", "a", "2"] as NodeId[])).toEqual(["10", "2", "B", "a"]);
  });
});
