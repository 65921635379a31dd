/** Looks for one planted fault with all scenarios, and with the simulation, and says what finds it. Without a fault nothing may. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { InvariantError } from "../../src/invariants/observed.js";
import { runScenario } from "../../src/scenario/run.js";
import { expectedTranscript, Transcript } from "../../src/scenario/transcript.js";
import { Cluster, type ClusterOptions } from "../replicas/cluster.js";

declare module "vitest" {
  interface TaskMeta {
    /** By kind of check, who caught the fault: names of scenarios and how, or of a simulation. */
    caughtBy?: Readonly<Record<"own" | "public" | "simulation", readonly string[]>>;
  }
}

const shared = process.env.SEALANE_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));
const OWN = fileURLToPath(new URL("../../../consensus/scenarios/", import.meta.url));
const PUBLIC = `${shared}/raft-scenarios/`;

const STEPS = 2_000;
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const KINDS: readonly Omit<ClusterOptions, "seed">[] = [
  { replicas: 3, durability: "ephemeral" },
  { replicas: 5, durability: "ephemeral", preVote: true },
  { replicas: 3, durability: "ephemeral", reconfigure: true },
  { replicas: 3, durability: "durable", reconfigure: true, preVote: true },
  { replicas: 3, durability: "ephemeral", quiet: true },
  { replicas: 3, durability: "durable", leaseDrift: 0.05, quiet: true },
];

test("who catches it", ({ task }) => {
  const caughtBy = { own: scenarios(OWN), public: scenarios(PUBLIC), simulation: simulation() };
  task.meta.caughtBy = caughtBy;
  const caught = Object.values(caughtBy).flat();
  if (process.env.FAULT === "none") expect(caught).toEqual([]);
});

function scenarios(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => !name.endsWith(".md"));
  return names.flatMap((name) => {
    const how = failureOf(readFileSync(folder + name, "utf8"));
    return how === undefined ? [] : [`${name} (${how})`];
  });
}

/** Name of the invariant, line of the command, or that only the golden output differs. */
function failureOf(text: string): string | undefined {
  const transcript = new Transcript();
  try {
    runScenario(text, { observers: [transcript] });
  } catch (error) {
    return reasonOf(error);
  }
  const expected = expectedTranscript(text);
  return expected === undefined || expected === transcript.text ? undefined : "golden output";
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof InvariantError) return error.cause.invariant;
  if (error instanceof InvariantError) return error.invariant;
  return /^(line \d+|at the end)/.exec(error.message)?.[0] ?? error.message.split(":")[0] ?? "";
}

/** The first kind and seed that finds something. */
function simulation(): readonly string[] {
  for (const seed of SEEDS) {
    for (const kind of KINDS) {
      try {
        const cluster = new Cluster({ ...kind, seed });
        for (let step = 0; step < STEPS; step++) cluster.step();
        cluster.settle();
      } catch (error) {
        return [reasonOf(error)];
      }
    }
  }
  return [];
}
