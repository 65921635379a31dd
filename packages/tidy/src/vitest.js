/** The test configuration every package shares: sources are tested as they are, without a build. */
import { defineConfig } from "vitest/config";

const conditions = ["source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ["src/**/*.test.ts", "test/**/*.test.ts"], passWithNoTests: true },
});
