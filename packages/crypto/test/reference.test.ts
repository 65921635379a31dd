/** The reader of certificates against the slow one, see `reference/compare.ts`; many more changes in `reference.long.test.ts`. */

import { expect, test } from "vitest";
import { parseCertificate } from "../src/index.js";
import { suite } from "./forge.js";
import { parseReference } from "./reference/certificate.js";
import { BASES, compareReaders } from "./reference/compare.js";

test("a change anywhere is accepted by both or by neither, with the same content", () => {
  expect(compareReaders(600, 3)).toBeGreaterThan(30);
});

test("the certificates that are changed are accepted as they are", () => {
  for (const base of BASES) expect(parseCertificate(suite, base)).toEqual(parseReference(suite, base));
});
