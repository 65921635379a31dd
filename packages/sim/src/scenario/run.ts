/**
 * Runs scenario files against the real core (raft-scenarios spec §3–§7). Every command is one line of the table below. Five are ours, for what
 * the core has beyond CCF: `leader_stickiness,true|false` (of nodes created from now on), `read,<id>,<number>`, `transfer,<id>,<to>`, and
 * `assert_read,<id>,<number>,<seqno>|waits|<refusal>`, `assert_transfer,<id>,<outcome>|goes on`.
 */
import { base64, type NodeId, seqno, utf8, view } from "@sealane/wire";
import { checkRead } from "../invariants/reads.js";
import { sameEntry } from "../invariants/stored-entry.js";
import { SeededRandom } from "../random.js";
import { type Command, commandText, parseScenario, ScenarioError } from "./commands.js";
import { detail, logLine, messageText, stateLine } from "./describe.js";
import { HEARTBEAT_MS, type ScenarioNode, World, type WorldObserver } from "./world.js";

const SYNC_ROUNDS_MAX = 20;

/** Is told which command comes next, what it printed, and what happens in the world. */
export interface ScenarioObserver extends WorldObserver {
  command(command: Command): void;
  printed(line: string): void;
}

export interface ScenarioOptions {
  /** Seeds the election timers and `shuffle_*`. Default 1. */
  readonly seed?: number;
  /** Replaces the timers' randomness; a uniform integer in [0, max] when left out. */
  readonly random?: (max: number) => number;
  readonly observers?: readonly ScenarioObserver[];
}

/**
 * @returns what the printing commands print.
 * @throws {ScenarioError} naming the line that is wrong, does not hold, or breaks an invariant; that is then its `cause`.
 */
export function runScenario(text: string, options: ScenarioOptions = {}): readonly string[] {
  const random = new SeededRandom(options.seed ?? 1);
  const observers = options.observers ?? [];
  const run = new Run(new World(options.random ?? ((max) => random.upTo(max)), observers), random, observers);
  const final: Command = { line: 0, name: "loop_until_sync", fields: [] };
  for (const command of [...parseScenario(text), final]) {
    for (const observer of observers) observer.command(command);
    try {
      run.execute(command);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ScenarioError(command.line, `${commandText(command)}: ${reason}`, { cause });
    }
  }
  return run.printed;
}

type Handler = (...fields: string[]) => void;

class Run {
  readonly printed: string[] = [];
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #observers: readonly ScenarioObserver[];
  /** By node and token: what was committed anywhere when the read began. */
  readonly #reads = new Map<string, number>();
  readonly #handlers: Readonly<Record<string, { readonly arity: readonly [number, number]; readonly run: Handler }>>;

  constructor(world: World, random: SeededRandom, observers: readonly ScenarioObserver[]) {
    this.#world = world;
    this.#random = random;
    this.#observers = observers;
    const exactly = (count: number, run: Handler) => ({ arity: [count, count] as const, run });
    const atLeast = (count: number, run: Handler) => ({ arity: [count, Number.POSITIVE_INFINITY] as const, run });
    this.#handlers = {
      pre_vote_enabled: exactly(1, (flag) => {
        world.preVote = flag === "true";
      }),
      start_node: exactly(1, (id) => this.#startNode(node(id))),
      trust_node: exactly(2, (of, id) => this.#trust(of, [node(id)])),
      trust_nodes: atLeast(2, (of, ...ids) => this.#trust(of, ids.map(node))),
      swap_node: exactly(3, (of, out, joining) => this.#swap(of, [node(joining)], [node(out)])),
      swap_nodes: atLeast(3, (of, ...words) => this.#swapWords(of, words)),
      cleanup_nodes: atLeast(2, (of, ...ids) => this.#cleanup(of, ids.map(node))),
      replicate: exactly(2, (of, payload) => this.#replicate(of, payload, "raw")),
      emit_signature: exactly(1, (of) => this.#replicate(of, "signature", "raw", { signature: true })),
      nodes: atLeast(1, (...ids) => this.#createAll(ids.map(node))),
      create_new_node: exactly(1, (id) => void world.create(node(id))),
      replicate_new_configuration: atLeast(2, (of, ...ids) => {
        for (const id of ids.map(node)) if (!world.has(id)) world.create(id);
        this.#configure(of, ids.map(node));
      }),
      connect: exactly(2, (a, b) => world.connect(node(a), node(b))),
      reconnect: exactly(2, (a, b) => world.connect(node(a), node(b))),
      disconnect: exactly(2, (a, b) => world.disconnect(node(a), node(b))),
      disconnect_node: exactly(1, (a) => world.ids.forEach((b) => void world.disconnect(node(a), b))),
      reconnect_node: exactly(1, (a) => world.ids.forEach((b) => void world.connect(node(a), b))),
      periodic_one: exactly(2, (id, ms) => world.tick(node(id), number(ms))),
      periodic_all: exactly(1, (ms) => world.ids.forEach((id) => void world.tick(id, number(ms)))),
      dispatch_one: exactly(1, (id) => world.dispatchFrom(node(id))),
      dispatch_single: exactly(2, (from, to) => this.#dispatchSingle(node(from), node(to))),
      dispatch_all_once: exactly(0, () => world.dispatchAllOnce()),
      dispatch_all: exactly(0, () => world.dispatchAll()),
      drop_pending_to: exactly(2, (from, to) => world.drop(node(from), (queued) => queued.to === node(to))),
      drop_pending: exactly(1, (from) => world.drop(node(from), ({ to }) => world.has(to))),
      shuffle_one: exactly(1, (id) => this.#random.shuffle(world.node(node(id)).outgoing)),
      shuffle_all: exactly(0, () => world.nodes.forEach(({ outgoing }) => void this.#random.shuffle(outgoing))),
      loop_until_sync: exactly(0, () => this.#loopUntilSync()),
      state_one: exactly(1, (id) => this.#print(stateLine(world.node(node(id))))),
      state_all: exactly(0, () => this.#print(...world.nodes.map(stateLine))),
      summarise_log: exactly(1, (id) => this.#print(logLine(world.node(node(id))))),
      summarise_logs_all: exactly(0, () => this.#print(...world.nodes.map(logLine))),
      summarise_messages: exactly(2, (from, to) => {
        const queued = world.node(node(from)).outgoing.filter((message) => message.to === node(to));
        this.#print(`${from}->${to}: ${queued.map(({ message }) => messageText(message)).join(" ")}`);
      }),
      leader_stickiness: exactly(1, (flag) => {
        world.leaderStickiness = flag === "true";
      }),
      read: exactly(2, (id, token) => this.#read(world.node(node(id)), number(token))),
      transfer: exactly(2, (id, to) => world.node(node(id)).handle({ type: "transfer", to: node(to) })),
      assert_read: exactly(3, (id, token, expected) => {
        const answer = String(world.node(node(id)).answers.get(number(token)) ?? "waits");
        if (answer !== expected) throw new Error(`it is ${answer}`);
      }),
      assert_transfer: exactly(2, (id, expected) => {
        const outcome = world.node(node(id)).transferred ?? "goes on";
        if (outcome !== expected) throw new Error(`it is ${outcome}`);
      }),
      assert_state_sync: exactly(0, () => {
        if (!inSync(world.nodes)) throw new Error(world.nodes.map(stateLine).join("; "));
      }),
      assert_commit_idx: exactly(2, (id, expected) => {
        const { commitSeqno } = world.node(node(id)).replica;
        if (commitSeqno !== number(expected)) throw new Error(`commit is ${commitSeqno}`);
      }),
      assert_commit_safety: exactly(1, (id) => this.#checkCommitSafety(world.node(node(id)))),
      assert_detail: exactly(3, (id, key, value) => {
        const actual = detail(world.node(node(id)), key);
        if (actual !== value) throw new Error(`it is ${actual}`);
      }),
      "assert_!detail": exactly(3, (id, key, value) => {
        if (detail(world.node(node(id)), key) === value) throw new Error(`it is ${value}`);
      }),
      assert_config: atLeast(2, (id, at, ...ids) => {
        const found = configurationAt(world.node(node(id)), at);
        if (found?.join() !== ids.map(node).sort().join()) throw new Error(`it is ${found?.join() ?? "absent"}`);
      }),
      assert_absent_config: exactly(2, (id, at) => {
        if (configurationAt(world.node(node(id)), at) !== undefined) throw new Error("it is there");
      }),
    };
  }

  execute({ name, fields }: Command): void {
    const handler = Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined;
    if (handler === undefined) throw new Error("unknown command");
    const [least, most] = handler.arity;
    if (fields.length < least || fields.length > most)
      throw new Error(`it takes ${arityText(handler.arity)}, not ${fields.length}`);
    handler.run(...fields);
    for (const each of this.#world.nodes) {
      this.#checkCommitSafety(each);
      this.#checkReads(each);
    }
  }

  #print(...lines: readonly string[]): void {
    this.printed.push(...lines);
    for (const line of lines) for (const observer of this.#observers) observer.printed(line);
  }

  #startNode(id: NodeId): void {
    if (this.#world.ids.length > 0) throw new Error("nodes exist already");
    this.#world.create(id).handle({ type: "start" });
    this.#configure("latest", [id]);
  }

  #createAll(ids: readonly NodeId[]): void {
    for (const id of ids) this.#world.create(id, { seqno: seqno(0), nodes: ids });
  }

  #trust(of: string, ids: readonly NodeId[]): void {
    this.#swap(of, ids, []);
  }

  #swapWords(of: string, words: readonly string[]): void {
    const sets = { in: [] as NodeId[], out: [] as NodeId[] };
    let into: NodeId[] | undefined;
    for (const word of words) {
      if (word === "in" || word === "out") into = sets[word];
      else if (into === undefined) throw new Error("expected in or out");
      else into.push(node(word));
    }
    this.#swap(of, sets.in, sets.out);
  }

  #swap(of: string, joining: readonly NodeId[], leaving: readonly NodeId[]): void {
    for (const id of joining) this.#world.create(id);
    for (const id of joining) for (const other of this.#world.ids) this.#world.connect(id, other);
    this.#configure(
      of,
      this.#world.ids.filter((id) => !leaving.includes(id)),
    );
  }

  #configure(of: string, nodes: readonly NodeId[]): void {
    this.#replicate(of, nodeObject(nodes), "reconfiguration", { configuration: nodes });
  }

  #cleanup(of: string, nodes: readonly NodeId[]): void {
    for (const id of nodes) this.#world.node(id);
    this.#replicate(of, nodeObject(nodes), "retired_committed", { retired: nodes });
  }

  #replicate(
    of: string,
    payload: string,
    type: "raw" | "reconfiguration" | "retired_committed",
    parts: { signature?: true; configuration?: readonly NodeId[]; retired?: readonly NodeId[] } = {},
  ): void {
    const primary = this.#world.primary(of === "latest" ? of : view(number(of)));
    if (primary === undefined && of === "latest") return;
    if (primary === undefined) throw new Error(`there is no primary in view ${of}`);
    const data = JSON.stringify({ data: base64(utf8(payload)), type });
    primary.replicate({ signature: false, data, ...parts });
    this.#world.invariants.check(this.#world.nodes);
  }

  #read(reader: ScenarioNode, token: number): void {
    if (this.#reads.has(`${reader.id},${token}`)) throw new Error("this read was asked for already");
    this.#reads.set(`${reader.id},${token}`, this.#world.invariants.committed.length);
    reader.handle({ type: "read", token });
  }

  #checkReads({ id, answers }: ScenarioNode): void {
    for (const [token, answer] of answers) {
      if (typeof answer === "number") checkRead(id, this.#reads.get(`${id},${token}`) ?? 0, answer);
    }
  }

  #dispatchSingle(from: NodeId, to: NodeId): void {
    const source = this.#world.node(from);
    const index = source.outgoing.findIndex((queued) => queued.to === to);
    const [queued] = index < 0 ? [] : source.outgoing.splice(index, 1);
    if (queued !== undefined) this.#world.dispatch(source, queued);
  }

  /** §6. */
  #checkCommitSafety({ id, replica, ledger }: ScenarioNode): void {
    const commit = replica.commitSeqno;
    for (const { seqno, nodes } of replica.configurations) {
      if (seqno > commit) continue;
      const holders = nodes.filter((member) => {
        const other = this.#world.has(member) ? this.#world.node(member).ledger : [];
        return ledger.slice(0, commit).every((entry, index) => {
          const theirs = other[index];
          return theirs !== undefined && sameEntry(entry, theirs);
        });
      });
      if (holders.length <= nodes.length / 2) throw new Error(`${id} committed ${commit} without a majority`);
    }
  }

  /** §7. Only the primary is ticked, so no new election starts. */
  #loopUntilSync(): void {
    const world = this.#world;
    const primary = world.primary("latest");
    if (primary === undefined) throw new Error("there is no primary");
    const participants = world.nodes.filter(({ replica }) => replica.retirementPhase === undefined);
    this.#replicate(String(primary.replica.view), "signature", "raw", { signature: true });
    for (const { id } of participants) for (const other of world.ids) world.connect(id, other);
    for (let round = 0; round < SYNC_ROUNDS_MAX; round++) {
      world.tick(primary.id, HEARTBEAT_MS);
      world.dispatchAll();
      if (inSync(participants)) return;
    }
    throw new Error(`not in sync: ${participants.map(stateLine).join("; ")}`);
  }
}

/** Scenario ids are short; the core never looks inside an id, so the brand's 64 digits do not matter here. */
function node(id: string): NodeId {
  return id as NodeId;
}

function arityText([least, most]: readonly [number, number]): string {
  return least === most ? `${least} ${least === 1 ? "field" : "fields"}` : `at least ${least} fields`;
}

function number(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`expected a number, got ${text}`);
  return Number(text);
}

function nodeObject(nodes: readonly NodeId[]): string {
  return JSON.stringify(Object.fromEntries([...nodes].sort().map((id) => [id, { address: ":" }])));
}

function inSync(nodes: readonly ScenarioNode[]): boolean {
  const [first] = nodes;
  if (first === undefined) return true;
  return nodes.every(
    ({ replica, ledger }) =>
      replica.view === first.replica.view &&
      replica.commitSeqno === first.replica.commitSeqno &&
      ledger.length === first.ledger.length &&
      ledger.every((entry, index) => {
        const other = first.ledger[index];
        return other !== undefined && sameEntry(entry, other);
      }),
  );
}

function configurationAt({ replica }: ScenarioNode, at: string): readonly NodeId[] | undefined {
  return replica.configurations.find((configuration) => configuration.seqno === number(at))?.nodes;
}
