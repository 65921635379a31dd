/** `bench:ledger`: the goals of the ledger, in parts that can be run alone. */
import type { Section } from "../measure/report.js";
import { benchAppend } from "./append.js";
import { benchGroups } from "./groups.js";
import { benchMemory } from "./memory.js";
import { benchVerify } from "./verify.js";

const MB = 1_000_000;

export const LEDGER_PARTS = {
  append: (full: boolean): Promise<Section> =>
    benchAppend(
      full ? { rounds: 25, bytes: 256 * MB, entriesMax: 20_000 } : { rounds: 11, bytes: 128 * MB, entriesMax: 10_000 },
    ),
  verify: (full: boolean): Promise<Section> =>
    benchVerify(
      full ? { rounds: 11, bytes: 256 * MB, entriesMax: 200_000 } : { rounds: 5, bytes: 96 * MB, entriesMax: 60_000 },
    ),
  groups: (full: boolean): Promise<Section> => benchGroups({ rounds: full ? 7 : 3, writes: 10_000 }),
  memory: (full: boolean): Promise<Section> => benchMemory(full ? 10_000_000 : 1_000_000),
} as const;
