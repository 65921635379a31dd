import { nativeSuite } from "@sealane/crypto/native";
import { encodeEntry, LedgerSecrets } from "@sealane/ledger";
import { seqno, utf8, view } from "@sealane/wire";
import { expect, test } from "vitest";
import type { Acknowledged } from "./append.js";
import { checkExactlyOnce } from "./exactly-once.js";
import { firstDifference, type LedgerBytes } from "./ledger-bytes.js";

const SECRETS = [{ from: seqno(1), key: new Uint8Array(32).fill(7) }];

/** A ledger whose entries write these records, one each, from seqno 1 in view 2. */
function ledger(...records: (readonly [key: string, value: string])[]): LedgerBytes {
  const secrets = new LedgerSecrets(SECRETS);
  const entries = records.map(([key, value], index) =>
    encodeEntry(nativeSuite, secrets, {
      view: view(2),
      seqno: seqno(index + 1),
      writeSet: [{ name: "records", writes: [[utf8(key), utf8(value)]], removes: [] }],
    }),
  );
  return { lastSeqno: entries.length, entry: (number) => entries[number - 1] };
}

function acknowledged(key: string, text: string, txId: string): Acknowledged {
  return { line: { key, text }, txId, created: true };
}

const A = acknowledged("a", '{"x":1}', "2.1");
const B = acknowledged("b", '{"x":2}', "2.2");
const check = (bytes: LedgerBytes, lines: readonly Acknowledged[]) =>
  checkExactlyOnce(bytes, bytes.lastSeqno, SECRETS, lines).problems.join(" ");

test("passes what stands once, at its transaction, with its value", () => {
  expect(check(ledger(["a", '{"x":1}'], ["b", '{"x":2}']), [A, B])).toBe("");
});

test.each([
  ["a lost line", ledger(["a", '{"x":1}']), [A, B], "b stands 0 times"],
  ["a doubled line", ledger(["a", '{"x":1}'], ["a", '{"x":1}']), [A], "a stands 2 times"],
  ["another transaction", ledger(["b", '{"x":2}']), [B], "answered with 2.2 but stands at 2.1"],
  ["another value", ledger(["a", '{"x":3}']), [A], "a stands with another value"],
  ["a line nobody was told of", ledger(["a", '{"x":1}'], ["b", '{"x":2}']), [A], "b stands in the ledger but"],
] as const)("objects to %s", (_, bytes, lines, problem) => {
  expect(check(bytes, lines)).toContain(problem);
});

test("objects to a ledger that ends before what is committed", () => {
  expect(checkExactlyOnce(ledger(["a", '{"x":1}']), 2, SECRETS, [A]).problems[0]).toContain("The ledger ends at 1");
});

test("the first difference of two ledgers is named, and beyond the committed part there is none", () => {
  const left = ledger(["a", "1"], ["b", "2"]);
  expect(firstDifference(left, left, 2)).toBeUndefined();
  expect(firstDifference(left, ledger(["a", "1"], ["b", "3"]), 2)).toBe(2);
  expect(firstDifference(left, ledger(["a", "1"], ["b", "3"]), 1)).toBeUndefined();
  expect(firstDifference(left, ledger(["a", "1"]), 2)).toBe(2);
});
