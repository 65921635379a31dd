import shared from "@sealane/tidy/vitest";
import type { ViteUserConfig } from "vitest/config";

/** The tests of what is mutated, and of what real ledgers hold. The rest reaches all of it too, takes a minute, and would check it once more. */
const include = [
  "src/{build-receipt,check-entry,commit-evidence,cose-signatures,decode-entry,entry-bounds,ledger,merkle-tree}.test.ts",
  "src/{entry,merkle-tree}.property.test.ts",
  "src/receipt/{flips,verify-receipt}.test.ts",
  "test/ccf-{entries,receipts}.test.ts",
];

const config: ViteUserConfig = { ...shared, test: { ...shared.test, include } };
export default config;
