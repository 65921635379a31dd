/** The committed state handed out for a snapshot, and installed from one (ledger spec §10.2). */
import { type Seqno, seqno, utf8, type View, view } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KEY_BYTES_MAX } from "./limits.js";
import { type CommittedMap, Store } from "./store.js";

const viewAt = (at: Seqno): View => view(at < 10 ? 2 : 5);

function put(store: Store, changes: Record<string, Record<string, string | undefined>>): void {
  const tx = store.begin();
  for (const [map, keys] of Object.entries(changes)) {
    for (const [key, value] of Object.entries(keys)) {
      if (value === undefined) tx.remove(map, utf8(key));
      else tx.put(map, utf8(key), utf8(value));
    }
  }
  const next = seqno(store.lastSeqno + 1);
  store.apply(tx.writeSet(), { view: viewAt(next), seqno: next });
}

function stateOf(maps: Iterable<CommittedMap>) {
  return [...maps].map(({ name, changedAt, entries }) => ({
    name,
    changedAt,
    entries: [...entries].sort((a, b) => (a.key.join() < b.key.join() ? -1 : 1)),
  }));
}

test("the committed maps, with the seqnos of their last change and of each write", () => {
  const store = new Store();
  put(store, { a: { x: "1", y: "1" }, b: { x: "1" } });
  put(store, { a: { x: undefined }, c: { z: "2" } });
  put(store, { b: { x: undefined } });
  put(store, { a: { y: "4" }, c: { z: undefined } });
  store.compact(seqno(3));
  expect(stateOf(store.committedMaps())).toEqual([
    { name: "a", changedAt: 2, entries: [{ key: utf8("y"), value: utf8("1"), writtenAt: 1 }] },
    { name: "c", changedAt: 2, entries: [{ key: utf8("z"), value: utf8("2"), writtenAt: 2 }] },
  ]);
});

const change = fc.record({
  map: fc.constantFrom("a", "public:b"),
  key: fc.constantFrom("x", "y", "z"),
  value: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
});

test("a store that was installed goes on like the one the snapshot was taken of", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 25 }), fc.array(change, { maxLength: 8 }), (before, after) => {
      const store = new Store();
      for (const { map, key, value } of before) put(store, { [map]: { [key]: value } });
      store.compact(store.lastSeqno);
      const other = new Store();
      other.install(store.committedMaps(), { view: viewAt(store.lastSeqno), seqno: store.lastSeqno }, viewAt);
      const compare = () => {
        expect(stateOf(other.committedMaps())).toEqual(stateOf(store.committedMaps()));
        for (const state of ["latest", "committed"] as const) {
          const [ours, theirs] = [store.read(state), other.read(state)];
          expect(theirs.maps()).toEqual(ours.maps());
          for (const map of ours.maps()) {
            expect(theirs.size(map)).toBe(ours.size(map));
            expect([...theirs.entries(map)]).toEqual([...ours.entries(map)]);
            for (const [key] of ours.entries(map)) {
              expect(theirs.versionOf(map, key)).toEqual(ours.versionOf(map, key));
            }
          }
        }
        expect([other.lastSeqno, other.committedSeqno]).toEqual([store.lastSeqno, store.committedSeqno]);
      };
      compare();
      for (const { map, key, value } of after) for (const one of [store, other]) put(one, { [map]: { [key]: value } });
      compare();
      const back = seqno(store.committedSeqno + Math.floor(after.length / 2));
      for (const one of [store, other]) one.rollback(back);
      compare();
      for (const one of [store, other]) one.compact(back);
      compare();
    }),
  );
});

const at = { view: view(2), seqno: seqno(9) };
const entry = { key: utf8("k"), value: utf8("v"), writtenAt: 3 };

test.each<[string, readonly CommittedMap[], string]>([
  ["a map that changed behind it", [{ name: "a", changedAt: 10, entries: [] }], "bad-seqno"],
  ["a key written behind the map's last change", [{ name: "a", changedAt: 2, entries: [entry] }], "bad-seqno"],
  ["a map twice", [1, 2].map(() => ({ name: "a", changedAt: 3, entries: [entry] })), "bad-write-set"],
  ["a key twice", [{ name: "a", changedAt: 3, entries: [entry, entry] }], "bad-write-set"],
  ["a name no map can have", [{ name: "\n", changedAt: 3, entries: [entry] }], "bad-map-name"],
  [
    "a key no map can have",
    [{ name: "a", changedAt: 3, entries: [{ ...entry, key: new Uint8Array(KEY_BYTES_MAX + 1) }] }],
    "key-too-large",
  ],
])("refuses a snapshot with %s, and stays empty", (_, maps, code) => {
  const store = new Store();
  const good = { name: "b", changedAt: 3, entries: [entry] };
  expect(() => store.install([good, ...maps], at, viewAt)).toThrow(expect.objectContaining({ code }));
  expect(store.read("latest").maps()).toEqual([]);
  store.install([good], at, viewAt);
  expect(store.lastSeqno).toBe(9);
});

test("is installed into an empty store only", () => {
  const store = new Store();
  put(store, { a: { x: "1" } });
  expect(() => store.install([], at, viewAt)).toThrow(expect.objectContaining({ code: "bad-seqno" }));
});
