/**
 * Liveness (consensus spec §15.3): once the faults are over, any majority of the members must elect a primary within three election
 * time-outs and answer everything it is asked; once all can reach each other again, all agree to the last entry.
 */
import type { Cluster } from "../cluster/cluster.js";
import type { SimulatedNode } from "../cluster/simulated-node.js";
import type { History } from "../history/history.js";
import type { SeededRandom } from "../random.js";
import { ViolationError } from "../violation.js";
import type { Client } from "../workload/client.js";

export interface ProgressOptions<Input, Output> {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  readonly clients: readonly Client<Input, Output>[];
  readonly history: History<Input, Output>;
  /** Whether nodes ask before they campaign. */
  readonly preVote: boolean;
  /** Makes clients ask these nodes only; undefined: any. */
  turnClientsTo(nodes: readonly SimulatedNode[] | undefined): void;
}

/** What nodes need to come back, and to get in, in virtual ms. */
const RETURN_MS = 60_000;
const ELECTION_TIMEOUTS = 3;
/** Without pre-votes: a node that cannot win, because its log is behind, may raise the view a few times first. */
const ELECTION_TIMEOUTS_BLIND = 10;
/** How long clients go on at the majority, in virtual ms; and how long an operation may take there. */
const WORK_MS = 3_000;
const ANSWER_MS = 5_000;
/** For operations that began among the faults. */
const IDLE_MS = 60_000;
const CONVERGENCE_MS = 30_000;

/** @throws {ViolationError} `no-progress` */
export function checkProgress<Input, Output>(options: ProgressOptions<Input, Output>): void {
  const { cluster, random, clients, history } = options;
  within(cluster, RETURN_MS, "nodes come back", () => cluster.changing === 0 && newest(cluster) !== undefined);
  const core = majority(cluster, random);
  options.turnClientsTo(core);
  const apart = cluster.places.flatMap((node, place) => (core.includes(node) ? [] : [place]));
  const electionMs = (options.preVote ? ELECTION_TIMEOUTS : ELECTION_TIMEOUTS_BLIND) * cluster.electionTimeoutMs;
  if (apart.length > 0) cluster.inject({ kind: "partition", side: apart, forMs: electionMs + WORK_MS + ANSWER_MS });
  // At the end, not as soon as one says that it leads: a primary that had lost its majority among the faults may still have to notice.
  cluster.run(electionMs);
  within(cluster, 0, `one of ${names(core)} leads them`, () => leads(core));

  const electedMs = cluster.nowMs;
  cluster.run(WORK_MS);
  for (const client of clients) client.stop();
  cluster.run(ANSWER_MS);
  for (const { id, invokedMs, returnedMs, outcome, input } of history.operations) {
    if (invokedMs < electedMs || (returnedMs - invokedMs <= ANSWER_MS && outcome.type !== "unknown")) continue;
    const when = `asked ${invokedMs - electedMs} ms after the election, from ${invokedMs} to ${returnedMs} ms`;
    throw new ViolationError("no-progress", `operation ${id}, ${JSON.stringify(input)}, is ${outcome.type}: ${when}`);
  }

  options.turnClientsTo(undefined);
  cluster.healAll();
  within(cluster, IDLE_MS, "the last operations end", () => clients.every(({ isIdle }) => isIdle));
  within(cluster, CONVERGENCE_MS, "all nodes agree", () => agree(cluster));
}

function within(cluster: Cluster, ms: number, what: string, holds: () => boolean): void {
  const endMs = cluster.nowMs + ms;
  while (!holds()) {
    if (cluster.nowMs >= endMs) {
      const states = cluster.places.map((node) => stateText(node)).join("; ");
      throw new ViolationError("no-progress", `not yet at ${cluster.nowMs} ms: ${what}. ${states}`);
    }
    cluster.run(1);
  }
}

/** A random majority of every configuration in force, of nodes that are up. */
function majority(cluster: Cluster, random: SeededRandom): readonly SimulatedNode[] {
  const configurations = newest(cluster)?.replication?.configurations ?? [];
  const candidates = cluster.places.filter(
    ({ isUp, id }) => isUp && configurations.some(({ nodes }) => nodes.includes(id)),
  );
  random.shuffle(candidates);
  const core: SimulatedNode[] = [];
  for (const node of candidates) {
    const isMajority = configurations.every(
      ({ nodes }) => core.filter(({ id }) => nodes.includes(id)).length > nodes.length / 2,
    );
    if (!isMajority) core.push(node);
  }
  return core;
}

/** The node that knows of the most committed entries. */
function newest(cluster: Cluster): SimulatedNode | undefined {
  const up = cluster.places.filter(({ replication }) => (replication?.commitSeqno ?? 0) > 0);
  return up.sort((a, b) => (b.replication?.commitSeqno ?? 0) - (a.replication?.commitSeqno ?? 0))[0];
}

/** One of them is the primary of a view that all of them are in. */
function leads(core: readonly SimulatedNode[]): boolean {
  const primary = core.find(({ replication }) => replication?.role === "primary");
  return primary !== undefined && core.every(({ replication }) => replication?.view === primary.replication?.view);
}

/** All that take part have one log, and all of it committed. */
function agree(cluster: Cluster): boolean {
  const configurations = newest(cluster)?.replication?.configurations ?? [];
  const up = cluster.places.filter(({ id }) => configurations.some(({ nodes }) => nodes.includes(id)));
  const members = up.flatMap(({ replication }) => replication ?? []);
  const [first] = members;
  return members.every(
    ({ view, lastSeqno, commitSeqno }) =>
      view === first?.view && lastSeqno === first.lastSeqno && commitSeqno === lastSeqno,
  );
}

function names(nodes: readonly SimulatedNode[]): string {
  return nodes.map(({ id }) => id.slice(0, 8)).join(", ");
}

function stateText({ id, replication }: SimulatedNode): string {
  if (replication === undefined) return `${id.slice(0, 8)} is down`;
  const { role, view, commitSeqno, lastSeqno } = replication;
  return `${id.slice(0, 8)} is ${role} in view ${view} with ${commitSeqno} of ${lastSeqno} committed`;
}
