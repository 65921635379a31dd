import shared from "@sealane/tidy/stryker";

/** What gives the ledger its meaning: the bytes of an entry, the tree over them, signatures, receipts and the verifier. */
const mutate = [
  "src/{encode-entry,decode-entry,decode-maps,entry-header,leaf-hash,commit-evidence,is-signature-entry,order}.ts",
  "src/{merkle-tree,signature-record,check-signature,trust-tables,build-receipt,chunk-walk,verify-ledger}.ts",
  "src/{cose,receipt}/*.ts",
  "!src/**/*.test.ts",
];

export default { ...shared, mutate, vitest: { ...shared.vitest, configFile: "vitest.stryker.config.ts" } };
