import shared from "@sealane/tidy/vitest";
import type { ViteUserConfig } from "vitest/config";

/** The tests of single pieces and sentences. Searches and what comes in from other implementations take minutes for what these check too. */
const include = ["src/**/*.test.ts", "test/{codes,exchange,spec,spec-keys,spec-records,spec-retries,spec-v1}.test.ts"];

const config: ViteUserConfig = { ...shared, test: { ...shared.test, isolate: false, include } };
export default config;
