/** One project for each planted fault, and one without: the same judge and the same specification tests, on a core that differs. */
import shared from "@sealane/tidy/vitest";
import { defineConfig } from "vitest/config";
import { FAULTS } from "./test/mutants/faults.js";
import { NODE_FAULTS } from "./test/mutants/node-faults.js";
import { type Fault, plant } from "./test/mutants/plant.js";

const CORE_TESTS = ["test/mutants/judge.mutant.ts", "../consensus/test/{spec,reads,transfer}.test.ts"];
const CLUSTER_TESTS = ["test/mutants/simulation.mutant.ts"];
const NONE: Fault = { name: "none", what: "the core as it is", edits: [] };
const only = process.env.FAULTS?.split(","); // for work on a few of them

export default defineConfig({
  test: {
    projects: [NONE, ...FAULTS, ...NODE_FAULTS]
      .filter(({ name }) => only?.includes(name) ?? true)
      .map((fault) => ({
        ...shared,
        plugins: [plant(fault)],
        test: {
          ...shared.test,
          globalSetup: [], // no keys in these
          name: fault.name,
          include: [
            ...(NODE_FAULTS.includes(fault) ? [] : CORE_TESTS),
            ...(FAULTS.includes(fault) ? [] : CLUSTER_TESTS),
          ],
          env: { FAULT: fault.name },
          provide: { what: fault.what },
          testTimeout: 600_000,
        },
      })),
  },
});
