import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reduceList } from "./reduce-list.js";

describe("a list that fails", () => {
  it("is reduced to exactly the items that are needed together", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { maxLength: 60 }), fc.infiniteStream(fc.boolean()), (items, isNeeded) => {
        const needed = items.filter(() => isNeeded.next().value === true).slice(0, 4);
        const left = reduceList(items, (fewer) => needed.every((item) => fewer.includes(item)));
        expect(left).toEqual(needed);
      }),
      { seed: 1 },
    );
  });

  it("is reduced to one of several causes", () => {
    const left = reduceList([1, 2, 3, 4, 5, 6, 7, 8], (fewer) => fewer.includes(3) || fewer.includes(7));
    expect(left).toHaveLength(1);
  });

  it("is left as it is when nothing may be tried", () => {
    expect(
      reduceList(
        [1, 2, 3],
        () => true,
        () => false,
      ),
    ).toEqual([1, 2, 3]);
  });

  it("takes few attempts", () => {
    let attempts = 0;
    const items = Array.from({ length: 256 }, (_, index) => index);
    const left = reduceList(items, (fewer) => {
      attempts += 1;
      return fewer.includes(100) && fewer.includes(200);
    });
    expect(left).toEqual([100, 200]);
    expect(attempts).toBeLessThan(120);
  });
});
