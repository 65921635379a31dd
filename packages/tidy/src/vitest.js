/** The test configuration every package shares: sources are tested as they are, without a build. */
import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";

const conditions = ["source"];
/** Far above what any test takes: the tests of several packages share the processors of one small machine. */
const timeoutMs = 30_000;
/** Tests of a minute or so: `pnpm test:long` sets the variable and names them. */
const longTests = "**/*.long.test.ts";
/**
 * A mutation test (`stryker.js`) runs in a copy of the package, and what a README says is not there. The files share their modules, for most
 * of its time would go into loading them, and nobody watches what is printed, thousands of times over.
 */
const mutating = process.env.SEALANE_STRYKER !== undefined;
const outsideTests = "test/readme.test.ts";
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const exclude = [
  ...configDefaults.exclude,
  ...(process.env.SEALANE_LONG === undefined ? [longTests] : []),
  ...(mutating ? [outsideTests] : []),
];

/** The first test that fails ends the run of a mutant, so the quick ones come first: those beside the sources, the properties last. */
class QuickFirst extends BaseSequencer {
  /** @override */
  async sort(/** @type {import("vitest/node").TestSpecification[]} */ files) {
    const place = (/** @type {{ moduleId: string }} */ { moduleId }) =>
      moduleId.endsWith(".property.test.ts") ? 2 : moduleId.includes("/src/") ? 0 : 1;
    return files.toSorted((a, b) => place(a) - place(b));
  }
}
const underMutation = { isolate: false, setupFiles: [here("./stryker-setup.ts")], sequence: { sequencer: QuickFirst } };

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude,
    ...(mutating ? underMutation : { globalSetup: [here("./watch-output/global-setup.ts")] }),
    passWithNoTests: true,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  },
});
