/** The test configuration every package shares: sources are tested as they are, without a build. */
import { defineConfig } from "vitest/config";

const conditions = ["source"];
/** Far above what any test takes: the tests of several packages share the processors of one small machine. */
const timeoutMs = 30_000;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    passWithNoTests: true,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  },
});
