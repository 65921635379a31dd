/** Test data that lives beside the repository, not in it: named by SEALANE_SHARED, else `../shared` of the repository root. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "vitest";

const root = process.env.SEALANE_SHARED ?? fileURLToPath(new URL("../../../../shared", import.meta.url));

/** The path of shared test data, or `undefined` when it is not here; then a skipped test says so. */
export function sharedPath(name: string): string | undefined {
  const path = `${root}/${name}`;
  if (existsSync(path)) return path;
  test.skip(`${name}: no such shared test data here, set SEALANE_SHARED to its folder`);
  return undefined;
}
