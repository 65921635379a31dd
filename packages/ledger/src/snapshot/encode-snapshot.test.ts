import { type Seqno, seqno, utf8 } from "@sealane/wire";
import { expect, test } from "vitest";
import { codeOf, secrets, suite } from "../../test/fixture.js";
import { LedgerSecrets } from "../ledger-secrets.js";
import { NAME_BYTES_MAX } from "../limits.js";
import { encodeSnapshot, type SnapshotInput } from "./encode-snapshot.js";

const entry = { key: utf8("key"), value: utf8("value"), writtenAt: 3 };
const map = { name: "notes", changedAt: 3, entries: [entry] };
const good: SnapshotInput = { seqno: seqno(4), leaf: new Uint8Array(32), viewHistory: [1, 1, 3], maps: [map] };

test.each<[string, Partial<SnapshotInput>, string]>([
  ["a map twice", { maps: [map, { ...map, changedAt: 1 }] }, "bad-map"],
  ["a key twice", { maps: [{ ...map, entries: [entry, { ...entry, writtenAt: 1 }] }] }, "bad-map"],
  ["a map name that is too long", { maps: [{ ...map, name: "x".repeat(NAME_BYTES_MAX + 1) }] }, "too-large"],
  ["too many views", { viewHistory: new Array(1_048_577).fill(1) }, "too-large"],
])("refuses %s", (_, change, code) => {
  expect(codeOf(() => encodeSnapshot(suite, secrets, { ...good, ...change }))).toBe(code);
});

test.each<[string, Partial<SnapshotInput>]>([
  ["seqno 0", { seqno: 0 as Seqno }],
  ["a leaf that is no digest", { leaf: new Uint8Array(31) }],
  ["no view", { viewHistory: [] }],
  ["views that do not ascend", { viewHistory: [3, 2] }],
  ["a view that starts behind the snapshot", { viewHistory: [1, 5] }],
  ["a view that starts at 0", { viewHistory: [0, 1] }],
  ["a write at no seqno", { maps: [{ ...map, entries: [{ ...entry, writtenAt: -1 }] }] }],
  ["a change at no seqno", { maps: [{ ...map, changedAt: 0.5 }] }],
])("%s is a caller's mistake", (_, change) => {
  expect(() => encodeSnapshot(suite, secrets, { ...good, ...change })).toThrow(RangeError);
});

test("needs the ledger secret in force at its seqno", () => {
  const later = new LedgerSecrets([{ from: seqno(5), key: new Uint8Array(32) }]);
  expect(codeOf(() => encodeSnapshot(suite, later, good))).toBe("no-secret");
});
