import { type Seqno, seqno, view } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findHighestPossibleMatch, ViewHistory } from "./view-history.js";

/** The spec's own form: the first seqno of view 1, 2, 3, ... */
class ListedHistory {
  views: number[] = [];
  update(from: number, of: number): void {
    while (this.views.length < of) this.views.push(from);
  }
  viewAt(at: number): number {
    return this.views.filter((start) => start <= at).length;
  }
  startOfView(of: number): number {
    if (of === 0 || of > this.views.length || this.views[of] === this.views[of - 1]) return 0;
    return this.views[of - 1] ?? 0;
  }
  endOfView(of: number): number {
    return this.startOfView(of) === 0 || of >= this.views.length ? 0 : (this.views[of] ?? 0) - 1;
  }
  rollback(to: number): void {
    this.views = this.views.filter((start) => start <= to);
  }
}

/** §4's example `[1,1,7]`: view 1 is empty, view 2 = 1..6, view 3 starts at 7. */
const example = () => ViewHistory.from([start(2, 1), start(3, 7)]);

describe("ViewHistory", () => {
  test("the example of §4", () => {
    const history = example();
    expect([0, 1, 6, 7, 99].map((at) => history.viewAt(seqno(at)))).toEqual([0, 2, 2, 3, 3]);
    expect([0, 1, 2, 3, 4].map((of) => history.startOfView(view(of)))).toEqual([0, 0, 1, 7, 0]);
    expect([0, 1, 2, 3, 4].map((of) => history.endOfView(view(of)))).toEqual([0, 0, 6, 0, 0]);
    expect(history.lastView).toBe(3);
  });

  test("an update for a known view changes nothing; moving backwards is refused", () => {
    const history = example();
    history.update(seqno(9), view(3));
    history.update(seqno(9), view(2));
    expect(history.starts).toEqual(example().starts);
    expect(() => history.update(seqno(6), view(4))).toThrow();
  });

  test("a view number of two thousand million costs one element", () => {
    const history = example();
    history.update(seqno(8), view(0x7fff_ffff));
    expect(history.starts).toHaveLength(3);
    expect(history.startOfView(view(0x7fff_fffe))).toBe(0);
  });

  test("until and since cut the list", () => {
    expect(example().until(seqno(6))).toEqual([start(2, 1)]);
    expect(example().until(seqno(7))).toEqual(example().starts);
    expect(example().until(seqno(0))).toEqual([]);
    expect(example().since(view(3))).toEqual([start(3, 7)]);
  });

  test("firstOutside finds where another view begins", () => {
    const history = example();
    expect(history.firstOutside(view(2), seqno(0), seqno(6))).toBeUndefined();
    expect(history.firstOutside(view(2), seqno(3), seqno(9))).toBe(7);
    expect(history.firstOutside(view(3), seqno(3), seqno(9))).toBe(4);
    expect(history.firstOutside(view(3), seqno(6), seqno(9))).toBeUndefined();
    expect(history.firstOutside(view(3), seqno(5), seqno(5))).toBeUndefined();
  });

  test("says the same as the spec's list, whatever is done to both", () => {
    const step = fc.record({ ahead: fc.nat(4), views: fc.nat(3), back: fc.option(fc.nat(6), { freq: 4 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const history = new ViewHistory();
        const listed = new ListedHistory();
        let at = 1;
        for (const { ahead, views, back } of steps) {
          at += ahead;
          const of = listed.views.length + views;
          history.update(seqno(at), view(of));
          listed.update(at, of);
          if (back !== null) {
            at = Math.max(at - back, 1);
            history.rollback(seqno(at));
            listed.rollback(at);
          }
          for (let probe = 0; probe <= at + 2; probe++) expect(history.viewAt(seqno(probe))).toBe(listed.viewAt(probe));
          for (let of = 0; of <= listed.views.length + 1; of++) {
            expect(history.startOfView(view(of))).toBe(listed.startOfView(of));
            expect(history.endOfView(view(of))).toBe(listed.endOfView(of));
          }
        }
      }),
    );
  });
});

describe("findHighestPossibleMatch", () => {
  test("is the largest seqno at or below n, and held, whose view is at most t", () => {
    const starts = fc
      .uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 6 })
      .map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(starts, fc.nat(35), fc.nat(8), fc.nat(40), (list, last, of, at) => {
        const history = ViewHistory.from(list.map((from, index) => start(index + 1, from)));
        let expected = Math.min(at, last);
        while (history.viewAt(seqno(expected)) > of) expected -= 1;
        expect(findHighestPossibleMatch(history, seqno(last), view(of), seqno(at))).toBe(expected);
      }),
    );
  });

  test("two logs that diverge in several views meet in at most one round trip for each", () => {
    const branch = fc.array(fc.record({ entries: fc.integer({ min: 1, max: 4 }), skip: fc.nat(2) }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), branch, branch, fc.boolean(), (common, a, b, odd) => {
        const left = log(common, a, odd ? 0 : 1);
        const right = log(common, b, odd ? 1 : 0);
        let estimate = { of: left.history.viewAt(left.last), at: left.last };
        let trips = 0;
        for (;;) {
          const reply = findHighestPossibleMatch(right.history, right.last, estimate.of, estimate.at);
          const match = findHighestPossibleMatch(left.history, left.last, right.history.viewAt(reply), reply);
          trips += 1;
          if (match === reply && left.history.viewAt(match) === right.history.viewAt(match)) break;
          estimate = { of: left.history.viewAt(match), at: match };
        }
        expect(trips).toBeLessThanOrEqual(a.length + b.length + 1);
      }),
    );
  });
});

function start(of: number, from: number) {
  return { view: view(of), seqno: seqno(from) };
}

/** `common` entries of view 1, then a branch whose views are even or odd, so that no two branches share one. */
function log(common: number, branch: readonly { entries: number; skip: number }[], parity: number) {
  const history = new ViewHistory();
  let last = common;
  if (common > 0) history.update(seqno(1), view(1));
  let of = 2 + parity;
  for (const { entries, skip } of branch) {
    history.update(seqno(last + 1), view(of));
    last += entries;
    of += 2 * (1 + skip);
  }
  const end: Seqno = seqno(last);
  return { history, last: end };
}
