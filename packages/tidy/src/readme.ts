/**
 * Runs and type-checks the examples of a README, so that they cannot rot. An example throws when something is wrong and prints nothing.
 *
 * Every fenced `ts` block becomes a module in the package's git-ignored `.sealane/readme/`, where it sees the package the way a user does:
 * by name, through `exports`. The "source" condition leads those names to the sources, so that neither running nor checking needs a build.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { TIMEOUT_MS, typeErrors, writeExamples } from "./examples.js";
import { tsBlocks } from "./ts-blocks.js";

/**
 * Registers one test for each `ts` block of a README, and one that type-checks them all with the package's own test configuration.
 * @param url - The README's file URL; its folder is the package.
 * @example
 * runReadme(new URL("../README.md", import.meta.url));
 */
export function runReadme(url: URL): void {
  const readme = fileURLToPath(url);
  const folder = path.join(path.dirname(readme), ".sealane", "readme");
  const files = writeExamples(folder, tsBlocks(readFileSync(readme, "utf8")));

  test("the README has an example", () => {
    expect(files.length, `no \`\`\`ts block in ${readme}`).toBeGreaterThan(0);
  });

  for (const [index, file] of files.entries()) {
    test(`README example ${index + 1} runs`, { timeout: TIMEOUT_MS }, async () => {
      await import(/* @vite-ignore */ pathToFileURL(file).href);
    });
  }

  test("the README's examples pass the type check", { timeout: TIMEOUT_MS }, async () => {
    expect(await typeErrors(folder)).toEqual([]);
  });
}
