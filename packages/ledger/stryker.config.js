import shared from "@sealane/tidy/stryker";

/** What the ledger's bytes mean: an entry and its hash, the tree over them, and receipts as they are verified. */
const mutate = [
  "src/{encode-entry,decode-entry,decode-maps,entry-header,leaf-hash,commit-evidence,merkle-tree}.ts",
  "src/receipt/{read,verify}-receipt.ts",
];

export default { ...shared, mutate, vitest: { ...shared.vitest, configFile: "vitest.stryker.config.ts" } };
