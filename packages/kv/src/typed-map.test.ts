import { seqno, utf8, view } from "@sealane/wire";
import { expect, test } from "vitest";
import { json, u64, utf8Text } from "./codecs.js";
import { Store } from "./store.js";
import { map } from "./typed-map.js";

const ships = map("ships", { key: utf8Text, value: u64 });

test("a typed map reads and writes through its codecs", () => {
  const store = new Store();
  const tx = store.begin();
  const typed = tx.map(ships);
  typed.put("Vega", 42);
  typed.put("Antares", 7);
  typed.put("Deneb", 1);
  expect([typed.delete("Deneb"), typed.delete("Deneb")]).toEqual([true, false]);
  expect([typed.get("Vega"), typed.has("Antares"), typed.get("Deneb"), typed.size]).toEqual([42, true, undefined, 2]);
  store.apply(tx.writeSet(), { view: view(2), seqno: seqno(1) });
  const committed = store.read("committed").map(ships);
  expect(committed.size).toBe(0);
  store.compact(seqno(1));
  expect([...committed.entries()]).toEqual([
    ["Antares", 7],
    ["Vega", 42],
  ]);
  expect(committed.versionOf("Vega")).toEqual({ view: 2, seqno: 1 });
  const clearing = store.begin();
  clearing.map(ships).clear();
  expect(clearing.writeSet()).toEqual([{ name: "ships", writes: [], removes: [utf8("Antares"), utf8("Vega")] }]);
});

test("bytes of another shape are refused with a code", () => {
  const tx = new Store().begin();
  tx.put("ships", utf8("Vega"), utf8("not eight bytes"));
  expect(() => tx.map(ships).get("Vega")).toThrow(expect.objectContaining({ name: "KvError", code: "malformed" }));
  const notes = map("ships", {
    key: utf8Text,
    value: json((value) => {
      if (typeof value !== "string") throw new TypeError("expected a string");
      return value;
    }),
  });
  expect(() => tx.map(notes).get("Vega")).toThrow(expect.objectContaining({ code: "malformed" }));
  tx.put("ships", utf8("Vega"), utf8("17"));
  expect(() => tx.map(notes).get("Vega")).toThrow(expect.objectContaining({ code: "malformed" }));
  tx.map(notes).put("Vega", "fine");
  expect(tx.map(notes).get("Vega")).toBe("fine");
});
