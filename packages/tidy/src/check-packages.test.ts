import { expect, test } from "vitest";
import { checkCatalog, checkDependencies, checkReadmes } from "./check-packages.js";
import { tsBlocks } from "./ts-blocks.js";

test.each(["1.2.3", "^1.2.3", "*", "workspace:*", "catalog:other"])(
  "version %s of an npm package is found",
  (version) => {
    const manifest = JSON.stringify({ dependencies: { zod: version } });
    expect(checkCatalog(new Map([["packages/wire/package.json", manifest]]))).toHaveLength(1);
    expect(checkCatalog(new Map([["package.json", manifest]]))).toHaveLength(1);
  },
);

test.each(["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"])(
  "%s is looked at",
  (field) => {
    const manifest = JSON.stringify({ [field]: { "@sealane/wire": "catalog:" } });
    expect(checkCatalog(new Map([["bench/package.json", manifest]]))).toEqual([
      'bench/package.json: @sealane/wire is "catalog:", not "workspace:*"',
    ]);
  },
);

test("the catalog and the workspace are no violation", () => {
  const manifest = JSON.stringify({ dependencies: { zod: "catalog:", "@sealane/wire": "workspace:*" } });
  expect(checkCatalog(new Map([["packages/kv/package.json", manifest]]))).toEqual([]);
});

test("an import that is not declared is found, a development dependency does not do", () => {
  const manifest = JSON.stringify({ devDependencies: { "@sealane/wire": "workspace:*" } });
  const files = new Map([
    ["packages/kv/package.json", manifest],
    ["packages/kv/src/index.ts", 'import { seqno } from "@sealane/wire";'],
  ]);
  expect(checkDependencies(files)).toEqual([
    "packages/kv/src/index.ts: @sealane/wire is not among the package's dependencies",
  ]);
});

test("a dependency that the table does not allow is found even when nothing imports it", () => {
  const manifest = JSON.stringify({ dependencies: { hono: "catalog:" } });
  expect(checkDependencies(new Map([["packages/kv/package.json", manifest]]))).toEqual([
    "packages/kv/package.json: the import table has no hono",
  ]);
});

test("a package without a README, or whose example does not run, is found", () => {
  const files = new Map([["packages/kv/package.json", "{}"]]);
  expect(checkReadmes(files)).toHaveLength(2);
  files.set("packages/kv/README.md", "# kv");
  files.set("packages/kv/test/readme.test.ts", "test.todo('runs')");
  expect(checkReadmes(files)).toEqual(["packages/kv: test/readme.test.ts does not run the README's example"]);
  files.set("packages/kv/test/readme.test.ts", 'runReadme(new URL("../README.md", import.meta.url));');
  expect(checkReadmes(files)).toEqual([]);
});

test("only ts blocks of a README are taken, whole and in order", () => {
  const markdown = "a\n```ts\none();\n\n  two();\n```\n```sh\nls\n```\n```ts\nthree();\n```\n```tsx\nno\n```\n";
  expect(tsBlocks(markdown)).toEqual(["one();\n\n  two();\n", "three();\n"]);
  expect(tsBlocks("# nothing\n")).toEqual([]);
});
