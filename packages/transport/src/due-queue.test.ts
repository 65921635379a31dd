import fc from "fast-check";
import { expect, test } from "vitest";
import { DueQueue } from "./due-queue.js";

test("what comes out is a stable sort of what went in", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (times) => {
      const queue = new DueQueue<number>();
      for (const [index, dueMs] of times.entries()) queue.push(dueMs, index);
      const out: number[] = [];
      for (let due = queue.popDue(20); due !== undefined; due = queue.popDue(20)) out.push(due.item);
      // Array.prototype.toSorted is stable: equal times stay in order of insertion.
      expect(out).toEqual([...times.keys()].toSorted((a, b) => (times[a] ?? 0) - (times[b] ?? 0)));
      expect(queue.size).toBe(0);
    }),
  );
});

test("nothing comes out before its time", () => {
  const queue = new DueQueue<string>();
  queue.push(5, "five");
  expect(queue.nextDueMs).toBe(5);
  expect(queue.popDue(4)).toBeUndefined();
  expect(queue.popDue(5)?.item).toBe("five");
  expect(queue.nextDueMs).toBeUndefined();
});
