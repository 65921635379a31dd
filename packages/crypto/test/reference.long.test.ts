/** As `reference.test.ts`, with changes enough to meet every field with every change; half a minute. */

import { expect, test } from "vitest";
import { compareReaders } from "./reference/compare.js";

test("a change anywhere is accepted by both or by neither, with the same content", { timeout: 300_000 }, () => {
  expect(compareReaders(20_000, 5)).toBeGreaterThan(1_000);
});
