/**
 * The configuration of mutation tests (`pnpm test:stryker`) that packages share. Stryker changes the sources one place at a time in a copy of
 * the package, and runs the tests that reach that place. Left out are tests that need what lies outside of the copy: those of READMEs.
 */
import { fileURLToPath } from "node:url";

process.env.SEALANE_STRYKER = "1"; // read by `vitest.js`, also in the processes that Stryker starts

export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner", fileURLToPath(new URL("./stryker-ignored.js", import.meta.url))],
  coverageAnalysis: "perTest",
  vitest: { related: false }, // which tests reach a change is known from the first run
  concurrency: 2,
  mutate: ["src/**/*.ts", "!src/**/*.test.ts", "!src/**/index.ts"],
  // Every string becomes the empty one. As a kind of message or a code it would not compile; the others are read by people only.
  mutator: { excludedMutations: ["StringLiteral"] },
  ignorers: ["without-effect"],
  ignoreStatic: true, // what runs once at import would need every test for every change
  incremental: true,
  incrementalFile: ".sealane/stryker-incremental.json",
  tsconfigFile: ".sealane/none.json", // Stryker would rewrite one with an interface that TypeScript 7 no longer has
  ignorePatterns: ["dist", ".sealane", "bench", "tsconfig*.json"],
  tempDirName: ".sealane/stryker",
  reporters: ["clear-text", "progress-append-only", "json"],
  jsonReporter: { fileName: ".sealane/stryker.json" },
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  timeoutMS: 20_000, // on a machine that others use too
  timeoutFactor: 4,
};
