/**
 * The configuration of mutation tests (`pnpm test:stryker`) that packages share. Stryker changes the sources one place at a time in a copy of
 * the package, and runs the tests that reach that place. Left out are tests that need what lies outside of the copy: those of READMEs.
 */
process.env.SEALANE_STRYKER = "1"; // read by `vitest.js`, also in the processes that Stryker starts

export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  coverageAnalysis: "perTest",
  concurrency: 1,
  mutate: ["src/**/*.ts", "!src/**/*.test.ts", "!src/**/index.ts"],
  ignoreStatic: true, // what runs once at import would need every test for every change
  tsconfigFile: ".sealane/none.json", // Stryker would rewrite one with an interface that TypeScript 7 no longer has
  ignorePatterns: ["dist", ".sealane", "bench", "tsconfig*.json"],
  tempDirName: ".sealane/stryker",
  reporters: ["clear-text", "progress-append-only", "json"],
  jsonReporter: { fileName: ".sealane/stryker.json" },
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  timeoutMS: 10_000,
};
