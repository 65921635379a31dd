import { expect, test } from "vitest";
import { checkCycles, checkDeadSources, checkImportTable, checkIndexes } from "./check-imports.js";
import type { Repository } from "./repository.js";

/** A small repository that keeps every rule, and what a test changes in it. */
function repository(changes: Readonly<Record<string, string>> = {}): Repository {
  const manifest = (name: string, exports: Readonly<Record<string, string>>): string =>
    JSON.stringify({
      name,
      exports: Object.fromEntries(Object.entries(exports).map(([path, source]) => [path, { source }])),
    });
  return new Map(
    Object.entries({
      "packages/wire/package.json": manifest("@sealane/wire", { ".": "./src/index.ts" }),
      "packages/wire/src/index.ts": 'export { a } from "./a.js";',
      "packages/wire/src/a.ts": 'import { z } from "zod"; export const a = z;',
      "packages/crypto/package.json": manifest("@sealane/crypto", {
        ".": "./src/index.ts",
        "./native": "./src/native.ts",
      }),
      "packages/crypto/src/index.ts": 'export { hash } from "./suite.js";',
      "packages/crypto/src/suite.ts": 'import { sha256 } from "@noble/hashes/sha2.js"; export const hash = sha256;',
      "packages/crypto/src/native.ts": 'export { native } from "./native-suite.js"; export * as x from "./suite.js";',
      "packages/crypto/src/native-suite.ts": 'export { createHash as native } from "node:crypto";',
      "packages/node/package.json": manifest("@sealane/node", {
        ".": "./src/index.ts",
        "./core": "./src/core/index.ts",
      }),
      "packages/node/src/index.ts": 'import { Core } from "./core/index.js"; import "./host.js"; export { Core };',
      "packages/node/src/host.ts": 'import "node:net"; import "@sealane/crypto/native"; import "undici";',
      "packages/node/src/core/index.ts": 'export { Core } from "./core.js";',
      "packages/node/src/core/core.ts": 'import { a } from "@sealane/wire"; export class Core { a = a; }',
      ...changes,
    }),
  );
}

test("a repository that keeps the rules has no violation", () => {
  for (const check of [checkImportTable, checkIndexes, checkCycles, checkDeadSources]) {
    expect(check(repository())).toEqual([]);
  }
});

test.each([
  ["a package of a higher floor", "packages/wire/src/a.ts", 'import { hash } from "@sealane/crypto";'],
  ["an npm package of another", "packages/wire/src/a.ts", 'import { sha256 } from "@noble/hashes/sha2.js";'],
  ["a package whose name only starts alike", "packages/wire/src/a.ts", 'import "zod-extra";'],
  ["a type", "packages/wire/src/a.ts", 'import type { Hash } from "@sealane/crypto";'],
  ["a type in an import type", "packages/wire/src/a.ts", 'export type A = import("@sealane/crypto").Hash;'],
  ["by exporting it further", "packages/wire/src/a.ts", 'export { hash } from "@sealane/crypto";'],
  ["at run time", "packages/wire/src/a.ts", 'export const a = () => import("@sealane/crypto");'],
  ["node: in a pure package", "packages/wire/src/a.ts", 'import { readFileSync } from "node:fs";'],
  ["the wrong node: module", "packages/crypto/src/native-suite.ts", 'import "node:fs";'],
  ["an entry point that is not pure", "packages/node/src/core/core.ts", 'import "@sealane/crypto/native";'],
  ["a package meant for the host", "packages/node/src/core/core.ts", 'import "undici";'],
  ["the host from the core", "packages/node/src/core/core.ts", 'import type { Host } from "../host.js";'],
  ["node: in the core", "packages/node/src/core/core.ts", 'import type { Socket } from "node:net";'],
  ["another package's sources", "packages/wire/src/a.ts", 'import "../../crypto/src/suite.js";'],
  ["itself by name", "packages/wire/src/a.ts", 'import "@sealane/wire";'],
])("importing %s is found", (_, file, text) => {
  const violations = checkImportTable(repository({ [file]: text }));
  expect(violations.filter((violation) => violation.startsWith(`${file}: `))).toHaveLength(1);
});

test("a source with node: imports is found when the main entry point comes to reach it", () => {
  const changed = repository({ "packages/crypto/src/index.ts": 'export { native } from "./native-suite.js";' });
  expect(checkImportTable(changed)).toEqual([
    'packages/crypto/src/native-suite.ts: "node:crypto" may not be imported behind src/index.ts',
  ]);
});

test("a package that the table does not know is found", () => {
  const changed = repository({ "packages/new/src/index.ts": "export {};" });
  expect(checkImportTable(changed)).toEqual(["packages/new/src/index.ts: packages/new is not in the import table"]);
});

test("a forbidden import in a test is no violation", () => {
  expect(checkImportTable(repository({ "packages/wire/src/a.test.ts": 'import "node:fs"; import "vitest";' }))).toEqual(
    [],
  );
});

test("importing an index above is found, importing the core's from the host is not", () => {
  const own = repository({ "packages/wire/src/a.ts": 'import type { A } from "./index.js";' });
  expect(checkIndexes(own)).toHaveLength(1);
  const core = repository({ "packages/node/src/core/core.ts": 'import { x } from "./index.js";' });
  expect(checkIndexes(core)).toHaveLength(1);
});

test("an index with a star is found", () => {
  expect(checkIndexes(repository({ "packages/wire/src/index.ts": 'export * from "./a.js";' }))).toEqual([
    'packages/wire/src/index.ts: lists its exports by name, not with "*"',
  ]);
});

test("a cycle within a package is found, also one of types", () => {
  const changed = repository({
    "packages/wire/src/a.ts": 'import type { B } from "./b.js"; export type A = B;',
    "packages/wire/src/b.ts": 'export type { A } from "./c.js";',
    "packages/wire/src/c.ts": 'export type A = import("./a.js").A;',
  });
  expect(checkCycles(changed)).toEqual([
    "packages/wire/src/a.ts → packages/wire/src/b.ts → packages/wire/src/c.ts → packages/wire/src/a.ts: an import cycle",
  ]);
});

test("a cycle across packages is found", () => {
  const changed = repository({
    "packages/wire/src/a.ts": 'import type { hash } from "@sealane/crypto";',
    "packages/crypto/src/suite.ts": 'import type { a } from "@sealane/wire";',
  });
  expect(checkCycles(changed)).toHaveLength(1);
});

test("a source that imports itself is a cycle", () => {
  expect(checkCycles(repository({ "packages/wire/src/a.ts": 'import "./a.js";' }))).toHaveLength(1);
});

test("a source that nothing reaches is found", () => {
  expect(checkDeadSources(repository({ "packages/wire/src/left-over.ts": "export {};" }))).toEqual([
    "packages/wire/src/left-over.ts: no entry point reaches it; a helper of tests belongs in test/",
  ]);
});
