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
