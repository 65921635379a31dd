import fc from "fast-check";
import { expect, test } from "vitest";
import { Slabs } from "./slabs.js";

const digestOf = (seqno: number, fill: number) => new Uint8Array(32).fill(fill + seqno);

test("any mix of appending, rolling back and releasing keeps exactly the entries it should, in views that never change", () => {
  const operation = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ type: fc.constant("push" as const), amount: fc.integer({ min: 1, max: 60_000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant("reserve" as const), amount: fc.integer({ min: 1, max: 200_000 }) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("rollback" as const), amount: fc.nat(12) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("release" as const), amount: fc.nat(300_000) }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
      const slabs = new Slabs();
      const model: { fill: number; bytes: number }[] = [];
      const handedOut: { view: Uint8Array; fill: number }[] = [];
      let fill = 0;
      for (const { type, amount } of operations) {
        if (type === "push") {
          fill = (fill + 1) % 200;
          slabs.reserve(amount).fill(fill);
          slabs.push(amount, digestOf(model.length + 1, fill));
          model.push({ fill, bytes: amount });
          handedOut.push({ view: slabs.entry(model.length), fill });
        } else if (type === "reserve") {
          slabs.reserve(amount);
        } else if (type === "rollback") {
          const to = Math.max(slabs.firstSeqno - 1, model.length - amount);
          slabs.rollback(to);
          model.length = to;
        } else {
          slabs.release(model.length - 1, amount);
        }
        expect(slabs.lastSeqno).toBe(model.length);
        const held = slabs.range(slabs.firstSeqno, slabs.lastSeqno) ?? [];
        expect(held.reduce((sum, { length }) => sum + length, 0)).toBe(
          model.slice(slabs.firstSeqno - 1).reduce((sum, { bytes }) => sum + bytes, 0),
        );
        for (let seqno = slabs.firstSeqno; seqno <= slabs.lastSeqno; seqno++) {
          const entry = slabs.entry(seqno);
          expect([entry.length, entry[0], entry.at(-1)]).toEqual([
            model[seqno - 1]?.bytes,
            model[seqno - 1]?.fill,
            model[seqno - 1]?.fill,
          ]);
          expect(slabs.digests(seqno, seqno)?.[0]).toBe(((model[seqno - 1]?.fill ?? 0) + seqno) & 0xff);
        }
      }
      for (const { view, fill } of handedOut) expect([view[0], view.at(-1)]).toEqual([fill, fill]);
    }),
    { numRuns: 40 },
  );
});
