import { expect, test } from "vitest";
import { checkFocusedTests, checkPurity, checkReminders } from "./check-sources.js";

const SOURCE = "packages/kv/src/index.ts";

test.each([
  'console.log("x");',
  "const b = Buffer.from([1]);",
  "export function f(bytes: Buffer): void {}",
  "const t = Date.now();",
  "const t = new Date();",
  "const r = Math.random();",
  "const t = performance.now();",
  "setTimeout(() => {}, 1);",
  "if (process.env.X) throw 1;",
])("%s in a pure part is found", (text) => {
  expect(checkPurity(new Map([[SOURCE, text]]))).toHaveLength(1);
});

test("what only looks like it is not found", () => {
  const text = `
    // console.log and Buffer and Date.now() in a comment
    const text = "Math.random()";
    const date = new Date(nowMs);
    log.console = text; queue.process(date); state.setTimeout;
  `;
  expect(checkPurity(new Map([[SOURCE, text]]))).toEqual([]);
});

test("the clock may be read where the table does not say pure, and in tests", () => {
  expect(checkPurity(new Map([["packages/client/src/index.ts", "Date.now();"]]))).toEqual([]);
  expect(checkPurity(new Map([["packages/kv/src/index.test.ts", "Date.now();"]]))).toEqual([]);
});

test("the core of a node is pure, its host is not", () => {
  const files = new Map([
    ["packages/node/src/index.ts", 'import "./host.js"; import "./core/index.js";'],
    ["packages/node/src/host.ts", "Date.now();"],
    ["packages/node/src/core/index.ts", ""],
    ["packages/node/src/core/deep/core.ts", "Date.now();"],
  ]);
  expect(checkPurity(files)).toEqual(["packages/node/src/core/deep/core.ts: Date.now in a pure part"]);
});

test.each(["// TODO later", "/* FIXME */", "// XXX", "// TODO(me): later", "// HACK"])("%s is found", (text) => {
  expect(checkReminders(new Map([[SOURCE, `\n${text}`]]))).toEqual([expect.stringContaining(`${SOURCE}:2: `)]);
});

test.each(["// TODO(#12): later", "// TODO #12 later", "const METHODOLOGY = 1;"])("%s is no violation", (text) => {
  expect(checkReminders(new Map([[SOURCE, text]]))).toEqual([]);
});

test.each(["test.only('a', f)", "describe.only('a', f)", "test.concurrent.only('a', f)", "it.only.each([1])('a', f)"])(
  "%s is found",
  (text) => {
    expect(checkFocusedTests(new Map([["packages/kv/test/a.test.ts", text]]))).toHaveLength(1);
  },
);

test("an option that is called only is no violation", () => {
  const text = "const { only } = options; options.only = true; // test.only";
  expect(checkFocusedTests(new Map([["packages/kv/test/a.test.ts", text]]))).toEqual([]);
});
