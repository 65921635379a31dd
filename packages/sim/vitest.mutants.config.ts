/** One project for each planted fault, and one without: the same judge and the same specification tests, on a core that differs. */
import shared from "@sealane/tidy/vitest";
import { defineConfig } from "vitest/config";
import { FAULTS, type Fault, plant } from "./test/mutants/faults.js";

const NONE: Fault = { name: "none", what: "the core as it is", edits: [] };
const only = process.env.FAULTS?.split(","); // for work on a few of them

export default defineConfig({
  test: {
    projects: [NONE, ...FAULTS]
      .filter(({ name }) => only?.includes(name) ?? true)
      .map((fault) => ({
        ...shared,
        plugins: [plant(fault)],
        test: {
          ...shared.test,
          globalSetup: [], // no keys in these
          name: fault.name,
          include: ["test/mutants/judge.mutant.ts", "../consensus/test/{spec,reads,transfer}.test.ts"],
          env: { FAULT: fault.name },
          provide: { what: fault.what },
          testTimeout: 120_000,
        },
      })),
  },
});
