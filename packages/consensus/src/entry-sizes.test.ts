import { seqno } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EntrySizes } from "./entry-sizes.js";

const sizes = fc.array(fc.nat(50), { maxLength: 20 });

test("between sums the sizes in (after, to]", () => {
  fc.assert(
    fc.property(sizes, fc.nat(5), fc.nat(25), fc.nat(25), (list, base, a, b) => {
      const known = new EntrySizes(seqno(base + list.length), list);
      const [after, to] = [Math.min(a, b), Math.max(a, b)];
      const expected = list.filter((_, index) => base + 1 + index > after && base + 1 + index <= to);
      expect(known.between(seqno(after), seqno(to))).toBe(expected.reduce((sum, bytes) => sum + bytes, 0));
      expect(known.all).toEqual(list);
    }),
  );
});

test("fitting is the longest run within the bound, and at least one entry", () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 20 }), fc.nat(100), (list, start, bytesMax) => {
      const known = new EntrySizes(seqno(list.length), list);
      const end = known.fitting(seqno(start), seqno(20), bytesMax);
      const bytes = (to: number) => list.slice(start - 1, to).reduce((sum, each) => sum + each, 0);
      expect(end === start || bytes(end) <= bytesMax).toBe(true);
      expect(end === 20 || bytes(end + 1) > bytesMax).toBe(true);
    }),
  );
});

test("a rollback forgets, and what is appended next takes its place", () => {
  const known = new EntrySizes();
  for (const bytes of [10, 20, 30]) known.append(bytes);
  known.rollback(seqno(1));
  known.append(5);
  expect(known.between(seqno(0), seqno(2))).toBe(15);
});

test("entries below the start have no known size", () => {
  const known = new EntrySizes();
  known.startAfter(seqno(100));
  known.append(7);
  expect(known.between(seqno(0), seqno(101))).toBe(7);
});

test("a rollback of what is not there changes nothing, one into what has no known size forgets all", () => {
  const known = new EntrySizes(seqno(5), [10, 20, 30]); // entries 3 to 5
  for (const to of [5, 9]) known.rollback(seqno(to));
  expect(known.all).toEqual([10, 20, 30]);
  known.rollback(seqno(4));
  expect(known.all).toEqual([10, 20]);
  known.rollback(seqno(1));
  known.append(5);
  expect([known.all, known.between(seqno(1), seqno(2))]).toEqual([[5], 5]);
});

test("a log that starts after a snapshot has the sizes of what comes then, and no others", () => {
  const known = new EntrySizes(seqno(2), [10, 20]);
  known.startAfter(seqno(100));
  known.append(7);
  expect([known.all, known.between(seqno(100), seqno(101)), known.between(seqno(0), seqno(100))]).toEqual([[7], 7, 0]);
});

test("fitting takes a run that has exactly as many bytes as are allowed", () => {
  const known = new EntrySizes(seqno(3), [10, 20, 30]);
  expect([29, 30, 59, 60].map((bytesMax) => known.fitting(seqno(1), seqno(3), bytesMax))).toEqual([1, 2, 2, 3]);
});
