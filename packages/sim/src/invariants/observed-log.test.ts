import { type NodeId, seqno, view } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObservedLog } from "./observed-log.js";
import type { StoredEntry } from "./stored-entry.js";

const NODES = ["a", "b", "c"] as NodeId[]; // nothing looks inside an id

const parts = fc.record({
  viewStep: fc.nat(1),
  signature: fc.boolean(),
  data: fc.constantFrom("x", "y"),
  configuration: fc.option(fc.subarray(NODES), { nil: undefined }),
});
const change = fc.oneof(
  { weight: 3, arbitrary: fc.array(parts, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.nat(12) },
);

/** What a change makes of a plain list. */
function changed(
  list: readonly StoredEntry[],
  what: readonly (typeof parts extends fc.Arbitrary<infer T> ? T : never)[] | number,
) {
  if (typeof what === "number") return list.slice(0, what);
  const entries = [...list];
  for (const { viewStep, signature, data, configuration } of what) {
    entries.push({
      seqno: seqno(entries.length + 1),
      view: view((entries.at(-1)?.view ?? 1) + viewStep),
      signature,
      bytes: 1,
      data,
      ...(configuration !== undefined && { configuration }),
    });
  }
  return entries;
}

function grown(changes: readonly Parameters<typeof changed>[1][]): { log: ObservedLog; list: readonly StoredEntry[] } {
  const log = new ObservedLog();
  let list: readonly StoredEntry[] = [];
  for (const what of changes) {
    const next = changed(list, what);
    if (typeof what === "number") log.truncate(what);
    else log.append(...next.slice(list.length));
    list = next;
  }
  return { log, list };
}

describe("a log that was appended to and truncated", () => {
  it("says what a search of its entries says", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const { log, list } = grown(changes);
        expect(log.entries).toEqual(list);
        expect(log.lastSignature).toBe(list.findLast(({ signature }) => signature)?.seqno ?? 0);
        expect(log.configurations).toEqual(list.filter(({ configuration }) => configuration !== undefined));
        for (let of = 1; of < 8; of++) {
          expect(log.lastOf(view(of))).toBe(list.findLast((entry) => entry.view === of)?.seqno ?? 0);
        }
        const misplaced = list.find((entry, index) => {
          const before = list[index - 1];
          return before !== undefined && before.view !== entry.view && (before.view > entry.view || !before.signature);
        });
        expect(log.firstMisplaced).toBe(misplaced?.seqno);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("holds a prefix exactly when the entries are the same", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.array(change, { maxLength: 6 }), (some, others) => {
        const [a, b] = [grown(some), grown([...some.slice(0, 3), ...others])];
        for (let length = 0; length <= Math.max(a.list.length, b.list.length) + 1; length++) {
          const enough = length <= a.list.length && length <= b.list.length;
          const text = (list: readonly StoredEntry[]) =>
            list
              .slice(0, length)
              .map((each) => `${each.view}.${each.seqno}.${each.signature}.${each.data}`)
              .join();
          expect(a.log.holdsPrefix(b.log, length)).toBe(enough && text(a.list) === text(b.list));
        }
      }),
      { numRuns: 300, seed: 2 },
    );
  });
});
