import shared from "@sealane/tidy/vitest";
import { mergeConfig } from "vitest/config";

/** Tests that take seconds for what quicker ones check too, and those that need what lies outside of the package. */
const slow = [
  "src/tamper-evidence.test.ts",
  "src/snapshot/verify-snapshot.test.ts",
  "test/bundle.test.ts",
  "test/ccf-certificates.test.ts",
  "test/ccf-verify.test.ts",
  "test/conformance/**",
];

export default mergeConfig(shared, { test: { isolate: false, exclude: slow } });
