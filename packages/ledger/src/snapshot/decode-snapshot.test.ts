import { fromUtf8, utf8 } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, secrets, suite } from "../../test/fixture.js";
import { rawSnapshot, type SnapshotInput, snapshotMap } from "../../test/snapshot.js";
import { LedgerError } from "../errors.js";
import { decodeSnapshot } from "./decode-snapshot.js";

const publicMaps = snapshotMap("public:notes", [
  ["key", "value"],
  ["eightkey", ""],
]);
const privateMaps = snapshotMap("records", [["a", "secret"]]);
const good = { publicMaps, privateMaps, receipt: "{}", leaf: new Uint8Array(32).fill(5), viewHistory: [1, 1, 4] };

/** Two entries of 40 bytes each, behind the map's own three fields, the other way round. */
const pair = snapshotMap("public:x", [
  ["a", "value"],
  ["b", "value"],
]);
const swapped = Uint8Array.of(...pair.subarray(0, -80), ...pair.subarray(-40), ...pair.subarray(-80, -40));

test("reads both domains, the leaf, the views and what follows", () => {
  const snapshot = decodeSnapshot(suite, secrets, rawSnapshot(good));
  expect(snapshot).toMatchObject({ seqno: 9, flags: 0, leaf: good.leaf, viewHistory: [1, 1, 4] });
  const [map] = snapshot.publicMaps;
  expect(map).toMatchObject({ name: "public:notes", changedAt: 7 });
  expect(map?.entries.map(({ key, value }) => [fromUtf8(key), fromUtf8(value)])).toEqual([
    ["eightkey", ""],
    ["key", "value"],
  ]);
  expect(snapshot.privateMaps?.[0]?.entries[0]).toEqual({ key: utf8("a"), value: utf8("secret"), writtenAt: 7 });
  expect(fromUtf8(snapshot.receipt)).toBe("{}");
  expect(snapshot.digest).toEqual(suite.sha256(rawSnapshot({ ...good, receipt: "" })));
});

test("without secrets only the public part is read", () => {
  const { privateMaps: found, privateBytes } = decodeSnapshot(suite, undefined, rawSnapshot(good));
  expect(found).toBeUndefined();
  expect(privateBytes).toBe(privateMaps.length);
});

test("a key whose seqno has the top bit was deleted", () => {
  const map = snapshotMap("public:notes", [["key", "value"]]);
  map[map.length - 9] = 0x80; // the top byte of the seqno, before five bytes of value and three of padding
  const [notes] = decodeSnapshot(suite, undefined, rawSnapshot({ publicMaps: map })).publicMaps;
  expect(notes?.entries).toEqual([]);
});

test.each<[string, SnapshotInput, string]>([
  ["a flag", { flags: 1 }, "bad-flags"],
  ["an entry of the log", { type: 4 }, "bad-type"],
  ["the IV of a transaction", { ivView: 2 }, "bad-iv"],
  ["two seqnos", { domainSeqno: 8 }, "bad-iv"],
  ["seqno 0", { seqno: 0, domainSeqno: 0 }, "bad-iv"],
  ["a leaf that is no digest", { leaf: new Uint8Array(31) }, "truncated"],
  ["a leaf that is too long", { leaf: new Uint8Array(33) }, "too-large"],
  ["views out of order", { viewHistory: [5, 1] }, "bad-map"],
  ["a private map in the public domain", { publicMaps: privateMaps }, "bad-map"],
  ["a public map in the private domain", { privateMaps: publicMaps }, "bad-map"],
  ["a map twice", { publicMaps: Uint8Array.of(...publicMaps, ...publicMaps) }, "bad-map"],
  [
    "a key twice",
    {
      publicMaps: snapshotMap("public:x", [
        ["a", ""],
        ["a", ""],
      ]),
    },
    "bad-map",
  ],
  ["keys out of order", { publicMaps: swapped }, "bad-map"],
  ["too many views", { viewHistory: new Array(1_048_577).fill(1) }, "too-large"],
  ["padding that is not zero", { publicMaps: snapshotMap("public:x", [["a", ""]], 1) }, "bad-map"],
  ["a map cut short", { publicMaps: publicMaps.subarray(0, 30) }, "truncated"],
])("refuses %s", (_, change, code) => {
  const bytes = rawSnapshot({ ...good, ...change });
  expect(codeOf(() => decodeSnapshot(suite, secrets, bytes))).toBe(code);
});

test("refuses one that was cut, or changed anywhere in what the tag covers", () => {
  const bytes = rawSnapshot({ ...good, receipt: "" });
  for (let length = 0; length < bytes.length; length++) {
    expect(codeOf(() => decodeSnapshot(suite, secrets, bytes.subarray(0, length)))).toBe("truncated");
  }
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => decodeSnapshot(suite, secrets, flipped)).toThrow(LedgerError);
  }
});

test("any bytes end in a LedgerError", () => {
  const bytes = rawSnapshot(good);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(bytes.length), (other, cut) => {
      expect(() => decodeSnapshot(suite, undefined, other)).toThrow(LedgerError);
      try {
        decodeSnapshot(suite, undefined, Uint8Array.of(...bytes.subarray(0, cut), ...other));
      } catch (error) {
        expect(error).toBeInstanceOf(LedgerError);
      }
    }),
  );
});

test("no length or count anywhere costs memory or time: any eight bytes may be hostile", () => {
  const bytes = rawSnapshot(good);
  const started = process.memoryUsage().arrayBuffers;
  let refused = 0;
  for (const hostile of [2n ** 31n - 1n, 2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n]) {
    for (let offset = 0; offset + 8 <= bytes.length; offset++) {
      const changed = bytes.slice();
      new DataView(changed.buffer).setBigUint64(offset, hostile, true);
      try {
        decodeSnapshot(suite, undefined, changed); // values, and what follows the entry, may be anything
      } catch (error) {
        expect(error).toBeInstanceOf(LedgerError);
        refused++;
      }
    }
  }
  expect(refused).toBeGreaterThan(bytes.length);
  expect(process.memoryUsage().arrayBuffers - started).toBeLessThan(64 * 1024 * 1024);
});
