import { seqno, utf8, view } from "@sealane/wire";
import { expect, test } from "vitest";
import { KEY_BYTES_MAX, TRANSACTION_BYTES_MAX, VALUE_BYTES_MAX } from "./limits.js";
import { Store } from "./store.js";
import { isPublicMap, type Transaction } from "./transaction.js";

const [A, B, C] = [utf8("a"), utf8("b"), utf8("c")];
const [V, W] = [utf8("v"), utf8("w")];

function commit(store: Store, change: (tx: Transaction) => void): void {
  const tx = store.begin();
  change(tx);
  store.apply(tx.writeSet(), { view: view(2), seqno: seqno(store.lastSeqno + 1) });
}

function storeWith(...keys: Uint8Array[]): Store {
  const store = new Store();
  commit(store, (tx) => {
    for (const key of keys) tx.put("m", key, V);
  });
  return store;
}

test("ledger spec §3.2: maps ascend by name, writes and removes by key bytes", () => {
  const tx = storeWith(A, B).begin();
  tx.put("z", A, V);
  tx.put("m", Uint8Array.of(200), V);
  tx.put("m", Uint8Array.of(100), V);
  tx.put("public:m", C, V);
  tx.remove("m", B);
  tx.remove("m", A);
  expect(tx.writeSet()).toEqual([
    {
      name: "m",
      writes: [
        [Uint8Array.of(100), V],
        [Uint8Array.of(200), V],
      ],
      removes: [A, B],
    },
    { name: "public:m", writes: [[C, V]], removes: [] },
    { name: "z", writes: [[A, V]], removes: [] },
  ]);
});

test("ledger spec §3.2: the last write wins and a key appears once", () => {
  const tx = storeWith(A, B).begin();
  tx.put("m", A, V);
  tx.put("m", A, W);
  tx.put("m", B, V);
  tx.remove("m", B);
  tx.remove("m", B);
  expect(tx.writeSet()).toEqual([{ name: "m", writes: [[A, W]], removes: [B] }]);
});

test("ledger spec §3.2: a transaction without any write gives an empty write set", () => {
  const tx = storeWith(A).begin();
  expect(tx.writeSet()).toEqual([]);
  tx.get("m", A);
  expect(tx.remove("m", B)).toBe(false);
  tx.put("new", A, V);
  expect(tx.remove("new", A)).toBe(true);
  expect(tx.writeSet()).toEqual([]);
});

test("writing a removed key again is a write", () => {
  const tx = storeWith(A).begin();
  tx.remove("m", A);
  tx.put("m", A, W);
  expect(tx.writeSet()).toEqual([{ name: "m", writes: [[A, W]], removes: [] }]);
});

test("a transaction reads its own writes", () => {
  const tx = storeWith(A, B).begin();
  tx.put("m", C, W);
  tx.put("m", B, W);
  tx.remove("m", A);
  expect([tx.get("m", A), tx.get("m", B), tx.get("m", C)]).toEqual([undefined, W, W]);
  expect([tx.has("m", A), tx.has("m", C)]).toEqual([false, true]);
  expect(tx.size("m")).toBe(2);
  expect([...tx.entries("m")]).toEqual([
    [B, W],
    [C, W],
  ]);
  expect(tx.versionOf("m", B)).toBeUndefined();
  tx.clear("m");
  expect([tx.size("m"), tx.maps()]).toEqual([0, []]);
});

test("versionOf names the transaction that wrote what is read", () => {
  const store = storeWith(A);
  expect(store.begin().versionOf("m", A)).toEqual({ view: 2, seqno: 1 });
  commit(store, (tx) => tx.put("m", A, W));
  expect(store.begin().versionOf("m", A)).toEqual({ view: 2, seqno: 2 });
});

test("nobody sees a transaction before apply", () => {
  const store = storeWith(A);
  const tx = store.begin();
  tx.put("m", A, W);
  expect(store.read("latest").get("m", A)).toEqual(V);
  expect(store.begin().get("m", A)).toEqual(V);
});

test("a transaction is refused once the state has changed under it", () => {
  const store = storeWith(A);
  const stale = expect.objectContaining({ name: "KvError", code: "stale-transaction" });
  const beforeApply = store.begin();
  beforeApply.put("m", A, W);
  commit(store, (tx) => tx.put("m", B, V));
  expect(() => beforeApply.writeSet()).toThrow(stale);
  expect(() => beforeApply.get("m", A)).toThrow(stale);
  expect(() => beforeApply.put("m", A, V)).toThrow(stale);
  const beforeRollback = store.begin();
  store.rollback(seqno(1));
  expect(() => beforeRollback.size("m")).toThrow(stale);
});

test("a commit does not disturb a transaction: it changes nothing in the latest state", () => {
  const store = storeWith(A);
  const tx = store.begin();
  store.compact(seqno(1));
  store.rollback(seqno(1));
  expect(tx.get("m", A)).toEqual(V);
});

test("put copies the value", () => {
  const tx = new Store().begin();
  const value = utf8("value").slice();
  tx.put("m", A, value);
  value.fill(0);
  expect(tx.get("m", A)).toEqual(utf8("value"));
});

test("put and remove keep the bounds", () => {
  const tx = new Store().begin();
  expect(() => tx.put("ä", A, V)).toThrow(expect.objectContaining({ code: "bad-map-name" }));
  expect(() => tx.remove("", A)).toThrow(expect.objectContaining({ code: "bad-map-name" }));
  expect(() => tx.put("m", new Uint8Array(KEY_BYTES_MAX + 1), V)).toThrow(
    expect.objectContaining({ code: "key-too-large" }),
  );
  expect(() => tx.remove("m", new Uint8Array(KEY_BYTES_MAX + 1))).toThrow(
    expect.objectContaining({ code: "key-too-large" }),
  );
  expect(() => tx.put("m", A, new Uint8Array(VALUE_BYTES_MAX + 1))).toThrow(
    expect.objectContaining({ code: "value-too-large" }),
  );
  expect(tx.writeSet()).toEqual([]);
});

test("a transaction is bounded by its serialised size, to the byte", () => {
  const tx = new Store().begin();
  const first = new Uint8Array(VALUE_BYTES_MAX);
  tx.put("m", A, first);
  // One map (5 counts and lengths of 8, a name of 1) and two writes (two lengths of 8, a key of 1).
  const rest = TRANSACTION_BYTES_MAX - VALUE_BYTES_MAX - (5 * 8 + 1) - 2 * (2 * 8 + 1);
  const tooLarge = expect.objectContaining({ code: "transaction-too-large" });
  expect(() => tx.put("m", B, new Uint8Array(rest + 1))).toThrow(tooLarge);
  expect(tx.has("m", B)).toBe(false);
  tx.put("m", B, new Uint8Array(rest));
  tx.put("m", B, new Uint8Array(rest)); // replaces, so it adds nothing
  expect(() => tx.put("m", C, new Uint8Array(0))).toThrow(tooLarge);
  tx.remove("m", A); // its own write: its bytes are free again
  tx.put("m", C, new Uint8Array(1024));
  expect(tx.size("m")).toBe(2);
});

test("a map is public by its name", () => {
  expect([isPublicMap("public:nodes"), isPublicMap("records"), isPublicMap("Public:nodes")]).toEqual([
    true,
    false,
    false,
  ]);
});
