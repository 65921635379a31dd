import { type MapWrites, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { expect, test } from "vitest";
import { KEY_BYTES_MAX, MAP_NAME_CHARS_MAX, VALUE_BYTES_MAX } from "./limits.js";
import { Store } from "./store.js";

const [A, B, V] = [utf8("a"), utf8("b"), utf8("v")];

function write(name: string, key: Uint8Array = A, value: Uint8Array = V): MapWrites {
  return { name, writes: [[key, value]], removes: [] };
}

function applied(writeSet: WriteSet): string {
  const store = new Store();
  try {
    store.apply(writeSet, { view: view(2), seqno: seqno(1) });
  } catch (error) {
    // A refused write set leaves no trace, not even of its good maps.
    expect([store.lastSeqno, store.read("latest").maps()]).toEqual([0, []]);
    return String(Reflect.get(Object(error), "code"));
  }
  return "applied";
}

test.each<[string, WriteSet]>([
  ["maps in the wrong order", [write("b"), write("a")]],
  ["a map listed twice", [write("a"), write("a")]],
  ["a map without a change", [{ name: "a", writes: [], removes: [] }]],
  [
    "written keys in the wrong order",
    [
      {
        name: "a",
        writes: [
          [B, V],
          [A, V],
        ],
        removes: [],
      },
    ],
  ],
  [
    "a key written twice",
    [
      {
        name: "a",
        writes: [
          [A, V],
          [A, V],
        ],
        removes: [],
      },
    ],
  ],
  ["removed keys in the wrong order", [{ name: "a", writes: [], removes: [B, A] }]],
  ["a key removed twice", [{ name: "a", writes: [], removes: [A, A] }]],
  [
    "a key written and removed",
    [
      {
        name: "a",
        writes: [
          [A, V],
          [B, V],
        ],
        removes: [B],
      },
    ],
  ],
  [
    "bad keys behind a good map",
    [
      write("a"),
      {
        name: "b",
        writes: [
          [B, V],
          [A, V],
        ],
        removes: [],
      },
    ],
  ],
])("apply refuses %s", (_what, writeSet) => {
  expect(applied(writeSet)).toBe("bad-write-set");
});

test("apply takes removes between writes", () => {
  const keys = ["a", "b", "c", "d"].map((text) => utf8(text));
  const [a = A, b = B, c = A, d = B] = keys;
  expect(
    applied([
      {
        name: "m",
        writes: [
          [a, V],
          [c, V],
        ],
        removes: [b, d],
      },
    ]),
  ).toBe("applied");
});

test("map names are bounded printable ASCII", () => {
  expect(applied([write("x".repeat(MAP_NAME_CHARS_MAX))])).toBe("applied");
  for (const name of ["", "x".repeat(MAP_NAME_CHARS_MAX + 1), "größe", "a\n", "a\u0000"]) {
    expect(applied([write(name)])).toBe("bad-map-name");
  }
});

test("keys and values are bounded", () => {
  expect(applied([write("m", new Uint8Array(KEY_BYTES_MAX), new Uint8Array(VALUE_BYTES_MAX))])).toBe("applied");
  expect(applied([write("m", new Uint8Array(KEY_BYTES_MAX + 1))])).toBe("key-too-large");
  expect(applied([write("m", A, new Uint8Array(VALUE_BYTES_MAX + 1))])).toBe("value-too-large");
  expect(applied([{ name: "m", writes: [], removes: [new Uint8Array(KEY_BYTES_MAX + 1)] }])).toBe("key-too-large");
});

test("a key too long to exist reads as absent", () => {
  const store = new Store();
  const key = new Uint8Array(1_000_000);
  expect(store.read("latest").get("m", key)).toBeUndefined();
  expect(store.begin().get("m", key)).toBeUndefined();
  expect(store.begin().versionOf("m", key)).toBeUndefined();
});
