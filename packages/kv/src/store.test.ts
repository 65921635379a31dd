import { seqno, type TxId, utf8, view, type WriteSet } from "@sealane/wire";
import { expect, test } from "vitest";
import { Store } from "./store.js";

const KEY = utf8("vega");

function txId(position: number, epoch = 2): TxId {
  return { view: view(epoch), seqno: seqno(position) };
}

function put(value: string, map = "ships", key = KEY): WriteSet {
  return [{ name: map, writes: [[key, utf8(value)]], removes: [] }];
}

function remove(map = "ships", key = KEY): WriteSet {
  return [{ name: map, writes: [], removes: [key] }];
}

test("a new store is empty", () => {
  const store = new Store();
  expect([store.lastSeqno, store.committedSeqno]).toEqual([0, 0]);
  expect(store.read("latest").maps()).toEqual([]);
  expect(store.read("latest").get("ships", KEY)).toBeUndefined();
  expect(store.read("committed").size("ships")).toBe(0);
});

test("the latest state has what was applied, the committed state what was compacted", () => {
  const store = new Store();
  store.apply(put("one"), txId(1));
  store.apply(put("two"), txId(2));
  store.compact(seqno(1));
  expect(store.read("latest").get("ships", KEY)).toEqual(utf8("two"));
  expect(store.read("committed").get("ships", KEY)).toEqual(utf8("one"));
  expect(store.read("committed").versionOf("ships", KEY)).toEqual(txId(1));
});

test("a key removed above the committed seqno is still committed", () => {
  const store = new Store();
  store.apply(put("one"), txId(1));
  store.compact(seqno(1));
  store.apply(remove(), txId(2));
  expect(store.read("latest").has("ships", KEY)).toBe(false);
  expect(store.read("latest").versionOf("ships", KEY)).toBeUndefined();
  expect(store.read("committed").has("ships", KEY)).toBe(true);
  store.compact(seqno(2));
  expect(store.read("committed").has("ships", KEY)).toBe(false);
  expect(store.read("committed").maps()).toEqual([]);
});

test("a rollback brings back the value and the version before it", () => {
  const store = new Store();
  store.apply(put("one"), txId(1));
  store.apply(put("two"), txId(2));
  store.apply(remove(), txId(3));
  store.rollback(seqno(1));
  expect(store.lastSeqno).toBe(1);
  expect(store.read("latest").get("ships", KEY)).toEqual(utf8("one"));
  expect(store.read("latest").versionOf("ships", KEY)).toEqual(txId(1));
  store.apply(put("three"), txId(2, 3));
  expect(store.read("latest").versionOf("ships", KEY)).toEqual(txId(2, 3));
});

test("a rollback onto a committed removal leaves the key absent", () => {
  const store = new Store();
  store.apply(put("one"), txId(1));
  store.apply(remove(), txId(2));
  store.apply(put("three"), txId(3));
  store.compact(seqno(2));
  store.rollback(seqno(2));
  expect(store.read("latest").has("ships", KEY)).toBe(false);
  expect(store.read("latest").size("ships")).toBe(0);
  store.apply(put("again"), txId(3, 3));
  expect(store.read("latest").get("ships", KEY)).toEqual(utf8("again"));
});

test("apply takes only the next seqno", () => {
  const store = new Store();
  store.apply(put("one"), txId(1));
  for (const wrong of [0, 1, 3]) {
    expect(() => store.apply(put("x"), txId(wrong))).toThrow(expect.objectContaining({ code: "bad-seqno" }));
  }
  expect(store.read("latest").get("ships", KEY)).toEqual(utf8("one"));
});

test("an entry without a change still takes its seqno", () => {
  const store = new Store();
  store.apply([], txId(1));
  expect(store.lastSeqno).toBe(1);
  store.compact(seqno(1));
  expect(store.committedSeqno).toBe(1);
});

test("rollback and compact keep to what is not committed", () => {
  const store = new Store();
  for (const position of [1, 2, 3]) store.apply(put(`${position}`), txId(position));
  store.compact(seqno(2));
  const outOfRange = expect.objectContaining({ name: "KvError", code: "out-of-range" });
  expect(() => store.rollback(seqno(1))).toThrow(outOfRange);
  expect(() => store.rollback(seqno(4))).toThrow(outOfRange);
  expect(() => store.compact(seqno(4))).toThrow(outOfRange);
  expect([store.lastSeqno, store.committedSeqno]).toEqual([3, 2]);
  store.compact(seqno(1)); // committed already
  store.rollback(seqno(3)); // nothing above
  expect([store.lastSeqno, store.committedSeqno]).toEqual([3, 2]);
});

test("a value that is a view of a larger buffer is copied, one that fills its buffer is kept", () => {
  const store = new Store();
  const frame = new Uint8Array(1024).fill(7);
  const whole = utf8("whole").slice();
  store.apply(
    [
      {
        name: "ships",
        writes: [
          [utf8("a"), frame.subarray(10, 20)],
          [utf8("b"), whole],
        ],
        removes: [],
      },
    ],
    txId(1),
  );
  expect(store.read("latest").get("ships", utf8("a"))?.buffer.byteLength).toBe(10);
  expect(store.read("latest").get("ships", utf8("b"))).toBe(whole);
});

test("the keys of a write set may be overwritten after apply", () => {
  const store = new Store();
  const key = utf8("vega").slice();
  store.apply(put("one", "ships", key), txId(1));
  key.fill(0);
  expect(store.read("latest").get("ships", KEY)).toEqual(utf8("one"));
});

test("entries ascend by the unsigned bytes of the keys, a prefix first", () => {
  const store = new Store();
  const keys = [[], [0], [0, 0], [0, 255], [1], [127], [128], [255], [255, 0]].map((bytes) => Uint8Array.from(bytes));
  const writes = keys.map((key): [Uint8Array, Uint8Array] => [key, KEY]);
  for (const [index, write] of [...writes].reverse().entries()) {
    store.apply([{ name: "m", writes: [write], removes: [] }], txId(index + 1));
  }
  expect([...store.read("latest").entries("m")].map(([key]) => key)).toEqual(keys);
});

test("a hot key costs the same to commit at any depth", () => {
  // Goal: folding and undoing must not walk a key's versions; with a walk this takes minutes, not milliseconds.
  const store = new Store();
  const depth = 30_000;
  for (let position = 1; position <= depth; position += 1) store.apply(put("x"), txId(position));
  for (let position = 1; position <= depth / 2; position += 1) store.compact(seqno(position));
  for (let position = depth - 1; position >= depth / 2; position -= 1) store.rollback(seqno(position));
  expect(store.read("committed").versionOf("ships", KEY)).toEqual(txId(depth / 2));
  expect(store.read("latest").versionOf("ships", KEY)).toEqual(txId(depth / 2));
});
