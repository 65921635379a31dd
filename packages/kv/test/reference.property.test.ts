import { formatTxId, fromUtf8, seqno, utf8, view } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Reader, Store } from "../src/index.js";
import { type Change, Snapshots } from "./reference/snapshots.js";

const MAPS = ["public:ports", "ships", "tides"];

const change = fc.record({
  map: fc.constantFrom(...MAPS),
  key: fc.constantFrom("a", "b", "c", "d"),
  value: fc.option(fc.constantFrom("1", "2", "3"), { nil: undefined }),
});

// Fractions of what is possible at that moment, so that every generated step is a legal one.
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("apply" as const), changes: fc.array(change, { maxLength: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("rollback" as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("compact" as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
);

test("any run of apply, rollback and compact reads like a list of snapshots", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const store = new Store();
      const reference = new Snapshots();
      let currentView = 2;
      for (const next of steps) {
        if (next.type === "apply") {
          applyBoth(store, reference, next.changes, currentView);
        } else {
          const open = reference.lastSeqno - reference.committedSeqno;
          const target = reference.committedSeqno + Math.round(open * next.part);
          if (next.type === "rollback") {
            store.rollback(seqno(target));
            reference.rollback(target);
            currentView += 1; // a seqno is used again only in a later view
          } else {
            store.compact(seqno(target));
            reference.compact(target);
          }
        }
        expectSame(store, reference);
      }
    }),
    { numRuns: 300 },
  );
});

function applyBoth(store: Store, reference: Snapshots, changes: readonly Change[], currentView: number): void {
  const tx = store.begin();
  for (const { map, key, value } of changes) {
    if (value === undefined) tx.remove(map, utf8(key));
    else tx.put(map, utf8(key), utf8(value));
  }
  const inTransaction = MAPS.map((map) => contents(tx, map).map(([key, value]) => [key, value]));
  store.apply(tx.writeSet(), { view: view(currentView), seqno: seqno(store.lastSeqno + 1) });
  reference.apply(changes, currentView);
  // A transaction reads its own writes: before apply it saw what everybody sees after.
  expect(inTransaction).toEqual(MAPS.map((map) => reference.map("latest", map).map(([key, value]) => [key, value])));
}

function expectSame(store: Store, reference: Snapshots): void {
  expect([store.lastSeqno, store.committedSeqno]).toEqual([reference.lastSeqno, reference.committedSeqno]);
  for (const state of ["latest", "committed"] as const) {
    const reader = store.read(state);
    for (const map of MAPS) {
      const expected = reference.map(state, map);
      expect(contents(reader, map)).toEqual(expected);
      expect(reader.size(map)).toBe(expected.length);
    }
    expect(reader.maps()).toEqual(MAPS.filter((map) => reference.map(state, map).length > 0));
  }
}

function contents(reader: Reader, map: string): [string, string, string | undefined][] {
  return [...reader.entries(map)].map(([key, value]) => {
    const txId = reader.versionOf(map, key);
    return [fromUtf8(key), fromUtf8(value), txId && formatTxId(txId)];
  });
}
