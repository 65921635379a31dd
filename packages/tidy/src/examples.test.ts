import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { TIMEOUT_MS, typeErrors, writeExamples } from "./examples.js";

const folder = fileURLToPath(new URL("../.sealane/examples-test", import.meta.url));

test("each block becomes a module, and those of the run before are gone", () => {
  writeExamples(folder, ["one();", "two();"]);
  const files = writeExamples(folder, ["await three();"]);
  expect(files).toHaveLength(1);
  expect(readFileSync(files[0] ?? "", "utf8")).toBe("await three();\nexport {};\n");
  expect(() => readFileSync(`${folder}/example-2.ts`)).toThrow();
});

test("what breaks the strict flags is a type error, and the example is named", { timeout: TIMEOUT_MS }, async () => {
  writeExamples(folder, [
    "const right: readonly number[] = [1];\nif (right[0] === 2) throw new Error();\n",
    "const list: readonly number[] = [];\nconst first: number = list[0];\nif (first === 1) throw new Error();\n",
    'import { missing } from "@sealane/tidy/readme";\nmissing();\n',
  ]);
  const errors = await typeErrors(folder);
  expect(errors).toHaveLength(2);
  expect(errors[0]).toMatch(/^example-2\.ts\(2,7\): error TS2322/);
  expect(errors[1]).toMatch(/^example-3\.ts\(1,10\): error TS2305/);
});
