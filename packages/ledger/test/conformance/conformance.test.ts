/** What `pnpm conformance:ledger` runs, here as tests: every figure, transaction and receipt of four real CCF ledgers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ABSENT, CCF_LEDGERS, ccfLedgersPresent, expectedOf, ledgerDirectoryOf } from "../shared.js";
import { conformLedger } from "./conform-ledger.js";
import { compareJson } from "./differences.js";

if (!ccfLedgersPresent) test.skip(ABSENT, () => {});

describe.skipIf(!ccfLedgersPresent)("nothing differs", () => {
  test.each(CCF_LEDGERS)("%s", { timeout: 30_000 }, async (name) => {
    const expected = expectedOf(name);
    const { figures, transactions, receipts, counts } = await conformLedger(dirname(ledgerDirectoryOf(name)), expected);
    expect([...figures.differences, ...transactions.differences, ...receipts.differences]).toEqual([]);
    expect(counts.transactions).toBe(expected.transactions);
    expect(transactions.values).toBeGreaterThanOrEqual(17 * expected.transactions);
    expect(receipts.values).toBeGreaterThan(0);
  });
});

test.skipIf(!ccfLedgersPresent)("one figure that is wrong is named", async () => {
  const name = "cose_flipflop_service";
  const expected = { ...expectedOf(name), signatures: 24 };
  const { figures } = await conformLedger(dirname(ledgerDirectoryOf(name)), expected);
  expect(figures.differences).toEqual(["figures.signatures: expected 24, found 23"]);
});

test("differences are found wherever they are", () => {
  const differences = (expected: unknown, found: unknown) => compareJson("x", expected, found).differences.length;
  expect(differences({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(0);
  expect(differences({ a: 1 }, {})).toBe(1);
  expect(differences({}, { a: 1 })).toBe(1);
  expect(differences([1, 2], [1])).toBe(1);
  expect(differences([], {})).toBe(1);
  expect(differences({ a: "1" }, { a: 1 })).toBe(1);
  expect(differences({ a: null }, {})).toBe(1);
});

test("a folder that is not there is an error of the caller", async () => {
  const directory = await mkdtemp(join(tmpdir(), "conformance-"));
  const expected = { ledger: "x", transactions: 0, ledger_secrets: [{ from_seqno: 1, key: "00".repeat(32) }] };
  await expect(conformLedger(directory, expected)).rejects.toThrow(/ENOENT/);
  await rm(directory, { recursive: true });
});
