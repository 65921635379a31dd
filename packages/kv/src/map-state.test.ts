import { seqno, type TxId, view } from "@sealane/wire";
import { expect, test } from "vitest";
import { fold, MapState, undo } from "./map-state.js";

const VALUE = Uint8Array.of(1);

function txId(position: number): TxId {
  return { view: view(2), seqno: seqno(position) };
}

test("a removed key leaves nothing behind once its removal is committed", () => {
  const map = new MapState("m");
  const versions = [map.push("k", VALUE, txId(1)), map.push("k", undefined, txId(2))];
  for (const version of versions) fold(version);
  expect(map.slots.size).toBe(0);
});

test("a key undone back to its committed removal leaves nothing behind", () => {
  const map = new MapState("m");
  fold(map.push("k", VALUE, txId(1)));
  const removal = map.push("k", undefined, txId(2));
  const again = map.push("k", VALUE, txId(3));
  fold(removal);
  expect(map.slots.size).toBe(1);
  undo(again, seqno(2));
  expect(map.slots.size).toBe(0);
});

test("a key undone back to a removal that may yet be undone keeps its versions", () => {
  const map = new MapState("m");
  fold(map.push("k", VALUE, txId(1)));
  const removal = map.push("k", undefined, txId(2));
  undo(map.push("k", VALUE, txId(3)), seqno(1));
  undo(removal, seqno(1));
  expect(map.slots.get("k")?.newest?.value).toBe(VALUE);
});

test("a committed version forgets the ones before it", () => {
  const map = new MapState("m");
  const first = map.push("k", VALUE, txId(1));
  const second = map.push("k", VALUE, txId(2));
  expect(second.older).toBe(first);
  fold(first);
  fold(second);
  expect(second.older).toBeUndefined();
});

test("undoing out of order is a bug and says so", () => {
  const map = new MapState("m");
  const first = map.push("k", VALUE, txId(1));
  map.push("k", VALUE, txId(2));
  expect(() => undo(first, seqno(0))).toThrow("broken invariant");
});
