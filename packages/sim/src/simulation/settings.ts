/** A run of the registers as plain data, so that it can be sent to a worker, saved in a file and run again; and what came of it. */
import { type CryptoSuite, nobleSuite } from "@sealane/crypto";
import type { Voting } from "@sealane/node/core";
import { FAULT_KINDS, type FaultKind, type TimedFault } from "../faults/fault.js";
import { SeededRandom } from "../random.js";
import type { RegisterInput, RegisterOutput } from "../workload/registers.js";
import { registersSubject } from "./registers-subject.js";
import { shrink } from "./shrink.js";
import { type Report, type SimulationOptions, simulate } from "./simulate.js";

/** `simulated` costs nothing; `noble` is real and repeats; `native` is real and fast, and its signatures differ from run to run. */
export const SUITES = ["simulated", "noble", "native"] as const;
export type SuiteName = (typeof SUITES)[number];

export interface RunSettings {
  readonly seed: number;
  readonly nodes?: number;
  readonly clients?: number;
  readonly durationMs?: number;
  readonly intensity?: number;
  readonly kinds?: readonly FaultKind[];
  readonly operationsMax?: number;
  readonly thinkMs?: readonly [min: number, max: number];
  readonly electionTimeoutMs?: number;
  readonly heartbeatMs?: number;
  readonly voting?: Voting;
  readonly clockDriftMax?: number;
  readonly suite?: SuiteName;
  readonly snapshotEvery?: number;
  readonly plan?: readonly TimedFault[];
}

/** A report as plain data. */
export interface Summary
  extends Pick<Report, "seed" | "traceHash" | "simulatedMs" | "operations" | "committed" | "checks"> {
  readonly settings: RunSettings;
  readonly reached: Readonly<Record<string, number>>;
  readonly violation?: { readonly code: string; readonly message: string; readonly atMs: number };
}

/** Suites that a portable package cannot bring itself. */
export interface MoreSuites {
  readonly native: CryptoSuite;
}

export function runSettings(settings: RunSettings, suites?: MoreSuites): Summary {
  return summaryOf(settings, simulate(optionsOf(settings, suites)));
}

/** Runs it, and looks for less that fails in the same way. @returns undefined when it does not fail. */
export function shrinkSettings(settings: RunSettings, suites?: MoreSuites): Summary | undefined {
  const options = optionsOf(settings, suites);
  const failed = simulate(options);
  if (failed.violation === undefined) return undefined;
  const { options: smaller, report } = shrink(options, failed);
  const { nodes, clients, durationMs, operationsMax, plan } = smaller;
  const less = { nodes, clients, durationMs, plan, ...(operationsMax !== undefined && { operationsMax }) };
  return summaryOf({ ...settings, ...less }, report);
}

function summaryOf(settings: RunSettings, report: Report): Summary {
  const { seed, traceHash, simulatedMs, operations, committed, checks, reached, violation } = report;
  const facts = { seed, traceHash, simulatedMs, operations, committed, checks };
  return {
    ...facts,
    settings,
    reached: Object.fromEntries(reached),
    ...(violation !== undefined && {
      violation: { code: violation.code, message: violation.message, atMs: violation.atMs },
    }),
  };
}

function optionsOf(
  { suite: name = "simulated", thinkMs, ...rest }: RunSettings,
  suites?: MoreSuites,
): SimulationOptions<RegisterInput, RegisterOutput> {
  const suite = name === "native" ? suites?.native : name === "noble" ? nobleSuite : undefined;
  if (name === "native" && suite === undefined) throw new TypeError("this host has no native suite");
  return {
    ...rest,
    subject: registersSubject(),
    ...(suite !== undefined && { suite }),
    ...(thinkMs !== undefined && { policy: { thinkMs } }),
  };
}

const CAMPAIGN_STREAM = 0x63616d70;
/** Of ten runs, these are short and wild, the others long and quieter, as a service's life is. */
const DENSE = 3;
/** One of these has real cryptography. */
const REAL_EVERY = 10;
const LONG_MS = 3_600_000;

const SNAPSHOTS_STREAM = 0x736e6170;
/** Of ten runs, so many take snapshots, every so many entries. */
const SNAPSHOT_RUNS = 7;
const SNAPSHOT_EVERY = [10, 25, 60, 200];

/** What a campaign runs under a seed: a mixture, so that all of it together sees every kind of run. */
export function campaignSettings(seed: number): RunSettings {
  const random = new SeededRandom(seed ^ SNAPSHOTS_STREAM);
  const snapshots = random.below(10) < SNAPSHOT_RUNS ? { snapshotEvery: random.pick(SNAPSHOT_EVERY) } : {};
  return { ...campaignRun(seed), ...snapshots };
}

function campaignRun(seed: number): RunSettings {
  const random = new SeededRandom(seed ^ CAMPAIGN_STREAM);
  if (seed % 10 < DENSE) {
    const suite = seed % REAL_EVERY === 0 ? ({ suite: "native" } as const) : {};
    return {
      seed,
      nodes: random.pick([1, 3, 3, 4, 5]),
      clients: 1 + random.upTo(4),
      intensity: 2 + random.upTo(12),
      voting: { preVote: random.chance(0.7), leaderStickiness: random.chance(0.7) },
      ...suite,
    };
  }
  const slow = { electionTimeoutMs: 5_000, heartbeatMs: 500, thinkMs: [2_000, 30_000] } as const;
  return { seed, nodes: random.pick([3, 3, 3, 5]), durationMs: LONG_MS, intensity: 0.3, ...slow };
}

/** Whether a file's JSON can be a run; `simulate` refuses what is wrong in detail. @returns undefined when not. */
export function parseSettings(value: unknown): RunSettings | undefined {
  if (typeof value !== "object" || value === null || !("seed" in value) || typeof value.seed !== "number")
    return undefined;
  if (!("plan" in value) || !Array.isArray(value.plan)) return undefined;
  const kinds: readonly string[] = FAULT_KINDS;
  const isPlan = value.plan.every(
    (each: unknown) =>
      typeof each === "object" &&
      each !== null &&
      "atMs" in each &&
      typeof each.atMs === "number" &&
      "fault" in each &&
      typeof each.fault === "object" &&
      each.fault !== null &&
      "kind" in each.fault &&
      typeof each.fault.kind === "string" &&
      kinds.includes(each.fault.kind),
  );
  return isPlan ? (value as RunSettings) : undefined; // the rest are options with defaults, written by this package
}
