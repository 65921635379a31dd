import shared from "@sealane/tidy/vitest";

/** The tests of what is mutated, and of what real ledgers hold. The rest reaches all of it too, takes a minute, and would check it once more. */
const include = [
  "src/{build-receipt,commit-evidence,cose-signatures,decode-entry,ledger,merkle-tree}.test.ts",
  "src/{entry,merkle-tree}.property.test.ts",
  "src/receipt/{flips,verify-receipt}.test.ts",
  "test/ccf-{entries,receipts}.test.ts",
];

export default { ...shared, test: { ...shared.test, include } };
