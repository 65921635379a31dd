/**
 * One whole run: a cluster is founded, clients work while a plan of faults is carried out, the faults end, and any majority must make
 * progress. Everything comes from the seed, and every checker looks on.
 */
import type { CryptoSuite } from "@sealane/crypto";
import type { Reader } from "@sealane/kv";
import type { App, Voting } from "@sealane/node/core";
import { parseTxId } from "@sealane/wire";
import { Cluster } from "../cluster/cluster.js";
import type { SimulatedNode } from "../cluster/simulated-node.js";
import type { FaultKind, TimedFault } from "../faults/fault.js";
import { planFaults } from "../faults/plan.js";
import { History, type Operation } from "../history/history.js";
import { checkStatuses } from "../history/transactions.js";
import { InvariantError } from "../invariants/observed.js";
import { SeededRandom } from "../random.js";
import { type ViolationCode, ViolationError } from "../violation.js";
import { Client, type ClientPolicy, type Service } from "../workload/client.js";
import type { Call, Reply, Workload } from "../workload/workload.js";
import { ClusterChecks, type StateInvariant } from "./cluster-checks.js";
import { checkProgress } from "./progress.js";
import { StatusProbe } from "./status-probe.js";

/** What is put to the test. */
export interface Subject<Input, Output> {
  readonly app: App;
  /** Made anew for each run. */
  workload(): Workload<Input, Output>;
  /** Must hold of every committed state of every node. */
  readonly invariant?: StateInvariant;
  /** Judges the whole run: what is committed in the end, and what clients asked and were told. Throws what is wrong. */
  judge?(committed: Reader, operations: readonly Operation<Input, Output>[]): void;
}

export interface SimulationOptions<Input, Output> {
  /** u32. Decides everything. */
  readonly seed: number;
  readonly subject: Subject<Input, Output>;
  /** At the start; faults may add and remove some. Default 3. */
  readonly nodes?: number;
  /** Of the plan, in virtual ms. Default 60,000. */
  readonly durationMs?: number;
  readonly clients?: number;
  readonly policy?: ClientPolicy;
  /** Faults to choose from. Default: all. */
  readonly kinds?: readonly FaultKind[];
  /** How much goes wrong; see `planFaults`. */
  readonly intensity?: number;
  /** In place of a plan made from the seed. */
  readonly plan?: readonly TimedFault[];
  /** Clients begin no operation after this many. Default: no bound. */
  readonly operationsMax?: number;
  /** Default: one that costs nothing. */
  readonly suite?: CryptoSuite;
  /** Virtual ms; defaults as for `Cluster`. */
  readonly electionTimeoutMs?: number;
  readonly heartbeatMs?: number;
  /** How all nodes vote; defaults as a node's. */
  readonly voting?: Voting;
  /** How wrong clocks run; see `planFaults`. */
  readonly clockDriftMax?: number;
  /** Entries from one snapshot to the next. Default: none are taken. */
  readonly snapshotEvery?: number;
}

export interface Violation {
  readonly code: ViolationCode;
  readonly message: string;
  readonly atMs: number;
  readonly cause: unknown;
}

export interface Report {
  readonly seed: number;
  /** Two runs with the same hash did the same. */
  readonly traceHash: string;
  readonly simulatedMs: number;
  readonly plan: readonly TimedFault[];
  readonly operations: Readonly<Record<"ok" | "failed" | "unknown", number>>;
  /** Entries committed. */
  readonly committed: number;
  /** How often the invariants were checked. */
  readonly checks: number;
  /** How often each kind of fault had an effect. */
  readonly reached: ReadonlyMap<FaultKind, number>;
  /** The first thing that does not hold. */
  readonly violation?: Violation;
}

export const DURATION_MS_DEFAULT = 60_000;
export const NODES_DEFAULT = 3;
export const CLIENTS_DEFAULT = 3;
const STATUS_EVERY_MS = 300;
const PLAN_STREAM = 0x706c616e;
const PROBE_STREAM = 0x70726f62;

/**
 * Runs one seed to its end, or to the first violation.
 * @example
 * const report = simulate({ seed: 7, subject: registersSubject() });
 * if (report.violation !== undefined) throw new Error(report.violation.message);
 */
export function simulate<Input, Output>(options: SimulationOptions<Input, Output>): Report {
  return new Simulation(options).run();
}

class Simulation<Input, Output> {
  readonly #options: SimulationOptions<Input, Output>;
  readonly #checks: ClusterChecks;
  readonly #cluster: Cluster;
  readonly #history = new History<Input, Output>();
  readonly #plan: readonly TimedFault[];
  readonly #beganMs: number;
  /** Those that clients ask; undefined: all. */
  #reachable: readonly SimulatedNode[] | undefined;
  #clients: readonly Client<Input, Output>[] = [];
  #probe: StatusProbe | undefined;
  #reached: ReadonlyMap<FaultKind, number> | undefined;

  constructor(options: SimulationOptions<Input, Output>) {
    const {
      seed,
      subject,
      suite,
      electionTimeoutMs,
      heartbeatMs,
      voting,
      snapshotEvery,
      nodes = NODES_DEFAULT,
      durationMs = DURATION_MS_DEFAULT,
    } = options;
    this.#options = options;
    this.#checks = new ClusterChecks(subject.invariant);
    this.#cluster = new Cluster({
      seed,
      app: this.#checks.through(subject.app),
      observer: this.#checks,
      ...(suite !== undefined && { suite }),
      ...(electionTimeoutMs !== undefined && { electionTimeoutMs }),
      ...(heartbeatMs !== undefined && { heartbeatMs }),
      ...(voting !== undefined && { voting }),
      ...(snapshotEvery !== undefined && { snapshotEvery }),
    });
    this.#beganMs = this.#cluster.nowMs;
    const { kinds, intensity, clockDriftMax } = options;
    const random = new SeededRandom(seed ^ PLAN_STREAM);
    const shape = {
      ...(kinds !== undefined && { kinds }),
      ...(intensity !== undefined && { intensity }),
      ...(clockDriftMax !== undefined && { clockDriftMax }),
    };
    this.#plan = options.plan ?? planFaults({ random, nodes, durationMs, ...shape });
  }

  run(): Report {
    const { seed } = this.#options;
    const violation = this.#firstViolation();
    const operations = { ok: 0, failed: 0, unknown: 0 };
    for (const { outcome } of this.#history.operations) operations[outcome.type] += 1;
    return {
      seed,
      traceHash: this.#cluster.trace.hash,
      simulatedMs: this.#cluster.nowMs - this.#beganMs,
      plan: this.#plan,
      operations,
      committed: this.#checks.invariants.committed.length,
      checks: this.#checks.invariants.checks,
      reached: this.#reached ?? this.#cluster.reached,
      ...(violation !== undefined && { violation }),
    };
  }

  #firstViolation(): Violation | undefined {
    try {
      this.#start();
      this.#cluster.schedule(this.#plan);
      this.#cluster.run(this.#options.durationMs ?? DURATION_MS_DEFAULT);
      this.#cluster.healAll();
      this.#reached = new Map(this.#cluster.reached); // what follows does not count as the plan's
      const random = new SeededRandom(this.#options.seed ^ PROBE_STREAM);
      checkProgress({
        cluster: this.#cluster,
        random,
        clients: this.#clients,
        history: this.#history,
        preVote: this.#options.voting?.preVote ?? true,
        turnClientsTo: (nodes) => {
          this.#reachable = nodes;
        },
      });
      this.#judge();
      return undefined;
    } catch (error) {
      return { ...described(error), atMs: this.#cluster.nowMs, cause: error };
    }
  }

  #start(): void {
    const { seed, subject, policy = {}, nodes = NODES_DEFAULT, clients = CLIENTS_DEFAULT } = this.#options;
    const first = this.#cluster.found();
    for (let joined = 1; joined < nodes; joined++) this.#cluster.join(first);
    const service = this.#service();
    const random = new SeededRandom(seed ^ PROBE_STREAM);
    this.#probe = new StatusProbe(service, random, STATUS_EVERY_MS, (node) => this.#checks.lifeOf(node));
    const workload = this.#bounded(subject.workload());
    this.#clients = Array.from(
      { length: clients },
      (_, number) =>
        new Client(number, seed, service, workload, this.#history, policy, (node, _call: Call, { body }: Reply) => {
          const error = typeof body.error === "object" && body.error !== null ? { txId: "", ...body.error } : body;
          const { txId } = error;
          if (typeof txId !== "string" || txId === "") return;
          this.#probe?.add(txId);
          if (body.status === "committed") this.#checks.handleAcknowledged(node, parseTxId(txId));
        }),
    );
  }

  #service(): Service {
    const cluster = this.#cluster;
    const simulation = this;
    return {
      get nowMs() {
        return cluster.nowMs;
      },
      get nodes() {
        return (simulation.#reachable ?? cluster.places).filter(({ isUp }) => isUp);
      },
      get primary() {
        const { primary } = cluster;
        return primary !== undefined && simulation.#reachable?.includes(primary) !== false ? primary : undefined;
      },
      at: (atMs, action) => cluster.at(atMs, action),
    };
  }

  #bounded(workload: Workload<Input, Output>): Workload<Input, Output> {
    const { operationsMax = Number.POSITIVE_INFINITY } = this.#options;
    return {
      run: (input, operation) => workload.run(input, operation),
      next: (random, client) => {
        const input = workload.next(random, client);
        if (this.#history.operations.length + 1 >= operationsMax) for (const each of this.#clients) each.stop();
        return input;
      },
    };
  }

  #judge(): void {
    checkStatuses(this.#probe?.answers ?? []);
    const node = this.#cluster.nodes.find(({ id }) => this.#checks.committedOf(id) !== undefined);
    const committed = node === undefined ? undefined : this.#checks.committedOf(node.id);
    if (committed === undefined) throw new ViolationError("no-progress", "no node is up in the end");
    this.#options.subject.judge?.(committed, this.#history.operations);
  }
}

function described(error: unknown): { readonly code: ViolationCode; readonly message: string } {
  if (error instanceof ViolationError) return { code: error.code, message: error.message };
  if (error instanceof InvariantError) return { code: "invariant", message: error.message };
  return { code: "crashed", message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}
