/** The repository keeps its own rules. Each rule is shown to fail on a planted violation in `src/*.test.ts`. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkCycles, checkDeadSources, checkImportTable, checkIndexes } from "../src/check-imports.js";
import { checkCatalog, checkDependencies, checkReadmes } from "../src/check-packages.js";
import { checkFocusedTests, checkPurity, checkReminders } from "../src/check-sources.js";
import { isSource, readRepository } from "../src/repository.js";

const repository = readRepository(fileURLToPath(new URL("../../..", import.meta.url)));

test("the repository was found", () => {
  expect([...repository.keys()].filter(isSource).length).toBeGreaterThan(50);
});

test.each([
  ["sources import only what the import table allows", checkImportTable],
  ["no source imports an index above it, and indexes list by name", checkIndexes],
  ["there is no import cycle, also not of types", checkCycles],
  ["every source is reached from an entry point", checkDeadSources],
  ["pure parts touch no clock, timer, randomness, console or Node global", checkPurity],
  ["reminders carry an issue number", checkReminders],
  ["no test switches off the others", checkFocusedTests],
  ["every dependency comes from the catalog or the workspace", checkCatalog],
  ["imports are declared, and dependencies allowed", checkDependencies],
  ["every package has a README whose example runs", checkReadmes],
])("%s", (_, check) => {
  expect(check(repository)).toEqual([]);
});
