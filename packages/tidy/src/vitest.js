/** The test configuration every package shares: sources are tested as they are, without a build. */
import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

const conditions = ["source"];
/** Far above what any test takes: the tests of several packages share the processors of one small machine. */
const timeoutMs = 30_000;
/** Tests of a minute or so: `pnpm test:long` sets the variable and names them. */
const longTests = "**/*.long.test.ts";
/** A mutation test runs in a copy of the package, and what a README says is not there. */
const outsideTests = "test/readme.test.ts";
const exclude = [
  ...configDefaults.exclude,
  ...(process.env.SEALANE_LONG === undefined ? [longTests] : []),
  ...(process.env.SEALANE_STRYKER === undefined ? [] : [outsideTests]),
];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude,
    globalSetup: [fileURLToPath(new URL("./watch-output/global-setup.ts", import.meta.url))],
    passWithNoTests: true,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  },
});
