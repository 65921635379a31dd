/**
 * Breadth-first exploration of everything three real replicas can do within bounds (consensus spec §15.4): all orders of messages, losses,
 * time-outs, writes and signatures. A state of the network is three local states, what was spent of the bounds, and the messages on
 * their way. Of each kind of message a pair of nodes has up to `inFlight` on their way; one more displaces the oldest, which is lost.
 */
import type { NodeId } from "@sealane/wire";
import { checkPair, checkTogether } from "../../src/invariants/cluster-invariants.js";
import type { StoredEntry } from "../../src/invariants/stored-entry.js";
import { type Event, type Letter, type LocalState, LocalStates, type Step } from "./local-states.js";
import { Visited } from "./visited.js";

export interface Bounds {
  /** Members at the start: the first one founds the service and adds the others. */
  readonly members: number;
  /** Set of the one reconfiguration, by the position of the nodes. */
  readonly reconfigureTo?: readonly number[];
  readonly requests: number;
  /** Linearisable reads, at any primary. Each must see what was committed anywhere before. Default: none. */
  readonly reads?: number;
  /** No node campaigns in this view or above. The service starts in view 2. */
  readonly viewMax: number;
  readonly inFlight: number;
  /**
   * Nobody starts anything while more messages than this are on their way, and any message may be lost. Left out: no such bound, and a
   * message is lost only when another one displaces it or when it is never delivered.
   */
  readonly quiet?: number;
  readonly statesMax: number;
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  readonly localStates: number;
  readonly executions: number;
  readonly depth: number;
  /** Nothing is left that was not continued. */
  readonly complete: boolean;
}

const NODES = 3;
const KINDS = [
  "append-entries",
  "append-entries-response",
  "request-vote",
  "request-vote-response",
  "propose-request-vote",
];
const HEAD = NODES + 1;
/** What is spent of the bounds, a byte for each. */
const [REQUEST, RECONFIGURATION, READ] = [1, 1 << 8, 1 << 16];
/** Beyond that, some are checked again. */
const TRIPLES_MAX = 4_000_000;

/** Rows of different length, one behind the other; each begins with its length. */
class Rows {
  words = new Int32Array(1 << 16);
  end = 0;

  push(row: readonly number[]): void {
    if (this.end + row.length + 1 > this.words.length) {
      const larger = new Int32Array(this.words.length * 2);
      larger.set(this.words);
      this.words = larger;
    }
    this.words[this.end] = row.length;
    for (let i = 0; i < row.length; i++) this.words[this.end + 1 + i] = row[i] ?? 0;
    this.end += row.length + 1;
  }

  /** Takes back what was pushed last. */
  pop(start: number): void {
    this.end = start;
  }
}

export class Explorer {
  readonly #bounds: Bounds;
  readonly #local: LocalStates;
  readonly #letters: Letter[] = [];
  readonly #letterIds = new Map<string, number>();
  readonly #slots: number[] = [];
  /** By local state: what events that need no message, and which messages, lead to. */
  readonly #events = new Map<number, readonly (readonly [name: string, event: Event, spent: number])[]>();
  readonly #steps: Map<string | number, { readonly next: number; readonly letters: readonly number[] }>[] = [];
  readonly #pairs = new Set<number>();
  readonly #triples = new Set<number>();
  #transitions = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#local = new LocalStates(["a", "b", "c"] as NodeId[]); // the core never looks inside an id
  }

  /** @throws {InvariantError} with the events that lead to the state, one after the other, for each node. */
  run(): Explored {
    const visited = new Visited();
    let level = new Rows();
    const start = this.#start();
    level.push(start);
    visited.add(level.words, 1, level.end);
    let depth = 0;
    for (; level.end > 0 && visited.size < this.#bounds.statesMax; depth++) {
      const next = new Rows();
      for (let at = 0; at < level.end && visited.size < this.#bounds.statesMax; ) {
        const length = level.words[at] ?? 0;
        const row = Array.from(level.words.subarray(at + 1, at + 1 + length));
        at += length + 1;
        this.#expand(row, (successor) => {
          this.#transitions += 1;
          const begin = next.end;
          next.push(successor);
          if (visited.add(next.words, begin + 1, next.end)) this.#check(successor);
          else next.pop(begin);
        });
      }
      level = next;
    }
    const { count, executions } = this.#local;
    const complete = level.end === 0;
    return { states: visited.size, transitions: this.#transitions, localStates: count, executions, depth, complete };
  }

  /**
   * States are merged when they look the same. For some that were reached in two ways, everything that was tried from the one
   * history is tried from the other.
   * @returns how many steps were compared. @throws {Error} when one differs: then a state is more than what it is known by.
   */
  checkMerges(): number {
    let compared = 0;
    for (const sample of this.#local.samples) {
      for (const [name, { next, letters }] of this.#steps[sample.index] ?? []) {
        const letter = typeof name === "number" ? this.#letters[name] : undefined;
        const event = letter
          ? { type: "deliver" as const, letter }
          : (readEvent(name) ?? this.#eventsOf(sample).find(([each]) => each === name)?.[1]);
        if (event === undefined) throw new Error(`${name} is not an event`);
        const again = this.#local.step(sample, event);
        const same =
          again.next.index === next && again.letters.map((each) => this.#letterId(each)).join() === letters.join();
        if (!same)
          throw new Error(
            `two histories differ after ${name}:\n${historyOf(sample)}\n${historyOf(this.#local.at(sample.index))}`,
          );
        compared += 1;
      }
    }
    return compared;
  }

  /** The service is founded, has its members, and all of them know that this is committed. */
  #start(): number[] {
    const ids = this.#local.ids;
    const states = ids.map((_, node) => this.#local.initial(node));
    const queue: Letter[] = [];
    const take = (node: number, event: Event): void => {
      const before = states[node];
      if (before === undefined) return;
      const { next, letters }: Step = this.#local.step(before, event);
      states[node] = next;
      queue.push(...letters);
    };
    const members = ids.slice(0, this.#bounds.members);
    const [first] = ids;
    if (first === undefined) throw new Error("there are nodes");
    take(0, { type: "start" });
    take(0, { type: "write", entry: { data: "", configuration: [first] } });
    take(0, { type: "write", entry: { data: "", signature: true } });
    take(0, { type: "write", entry: { data: "", configuration: members } });
    take(0, { type: "write", entry: { data: "", signature: true } });
    for (let round = 0; round < 4; round++) {
      take(0, { type: "heartbeat" });
      for (let letter = queue.shift(); letter !== undefined; letter = queue.shift())
        take(letter.to, { type: "deliver", letter });
    }
    return [...states.map(({ index }) => index), 0];
  }

  #expand(row: readonly number[], found: (successor: readonly number[]) => void): void {
    const spent = row[NODES] ?? 0;
    const busy = row.length - HEAD > (this.#bounds.quiet ?? Number.POSITIVE_INFINITY);
    for (let node = 0; node < NODES && !busy; node++) {
      const index = row[node] ?? 0;
      for (const [name, event, cost] of this.#eventsOf(this.#local.at(index))) {
        if (this.#affordable(spent, cost)) found(this.#successor(row, node, index, name, event, spent + cost, -1));
      }
      if (this.#local.at(index).replica.role === "primary" && this.#affordable(spent, READ)) {
        const least = Math.max(...row.slice(0, NODES).map((each) => this.#local.at(each).replica.commitSeqno));
        found(this.#successor(row, node, index, `read ${least}`, { type: "read", least }, spent + READ, -1));
      }
    }
    for (let at = HEAD; at < row.length; at++) {
      const id = row[at] ?? 0;
      const letter = this.#letters[id];
      if (letter === undefined) continue;
      if (this.#bounds.quiet !== undefined) found(row.toSpliced(at, 1));
      const index = row[letter.to] ?? 0;
      found(this.#successor(row, letter.to, index, id, { type: "deliver", letter }, spent, at));
    }
  }

  /** Requests are counted in the low byte, the reconfiguration in the next, reads in the third. */
  #affordable(spent: number, cost: number): boolean {
    const total = spent + cost;
    const { requests, reconfigureTo, reads = 0 } = this.#bounds;
    const reconfigurations = reconfigureTo === undefined ? 0 : 1;
    return (total & 0xff) <= requests && ((total >> 8) & 0xff) <= reconfigurations && total >> 16 <= reads;
  }

  /** What can happen to a node without a message, and what of the bounds that costs. */
  #eventsOf(state: LocalState): readonly (readonly [string, Event, number])[] {
    const known = this.#events.get(state.index);
    if (known !== undefined) return known;
    const events: (readonly [string, Event, number])[] = [];
    const { replica, log } = state;
    const write = (name: string, cost: number, entry: Partial<StoredEntry>) =>
      events.push([name, { type: "write", entry: { data: name, ...entry } }, cost]);
    if (replica.role === "primary") {
      events.push(["heartbeat", { type: "heartbeat" }, 0], ["silence", { type: "silence" }, 0]);
      write("r", REQUEST, {});
      const last = log.entries.at(-1);
      if (last?.signature !== true || last.view !== replica.view || state.shouldSign)
        write("s", 0, { signature: true });
      const set = this.#bounds.reconfigureTo?.flatMap((node) => this.#local.ids[node] ?? []);
      if (set !== undefined) write("c", RECONFIGURATION, { configuration: set });
      if (state.toRetire.length > 0) write("x", 0, { retired: state.toRetire });
    } else if (state.canCampaign && replica.view + 1 < this.#bounds.viewMax) {
      events.push(["timeout", { type: "timeout" }, 0]);
    }
    this.#events.set(state.index, events);
    return events;
  }

  #successor(
    row: readonly number[],
    node: number,
    index: number,
    name: string | number,
    event: Event,
    spent: number,
    taken: number,
  ): readonly number[] {
    const { next, letters } = this.#step(index, name, event);
    const successor = [...row];
    successor[node] = next;
    successor[NODES] = spent;
    if (taken >= 0) successor.splice(taken, 1);
    for (const letter of letters) this.#send(successor, letter);
    return successor;
  }

  #step(
    index: number,
    name: string | number,
    event: Event,
  ): { readonly next: number; readonly letters: readonly number[] } {
    this.#steps[index] ??= new Map();
    const known = this.#steps[index].get(name);
    if (known !== undefined) return known;
    const { next, letters } = this.#local.step(this.#local.at(index), event);
    const step = { next: next.index, letters: letters.map((letter) => this.#letterId(letter)) };
    this.#steps[index].set(name, step);
    return step;
  }

  #letterId(letter: Letter): number {
    const key = JSON.stringify(letter);
    const known = this.#letterIds.get(key);
    if (known !== undefined) return known;
    const id = this.#letters.push(letter) - 1;
    this.#letterIds.set(key, id);
    this.#slots[id] = (letter.from * NODES + letter.to) * KINDS.length + KINDS.indexOf(letter.message.type);
    return id;
  }

  /** Messages are kept by slot, in a slot by age. The same message once more changes nothing. */
  #send(row: number[], id: number): void {
    const slot = this.#slots[id] ?? 0;
    let begin = HEAD;
    while (begin < row.length && (this.#slots[row[begin] ?? 0] ?? 0) < slot) begin += 1;
    let end = begin;
    while (end < row.length && this.#slots[row[end] ?? 0] === slot) {
      if (row[end] === id) return;
      end += 1;
    }
    row.splice(end, 0, id);
    if (end - begin >= this.#bounds.inFlight) row.splice(begin, 1);
  }

  /** Pairs and triples of local states are checked once, however many networks they appear in. */
  #check(row: readonly number[]): void {
    const [a = 0, b = 0, c = 0] = row;
    if (this.#local.count > 2 ** 17) throw new Error("more local states than fit the key of a triple");
    const triple = (a * 2 ** 17 + b) * 2 ** 17 + c;
    if (this.#triples.has(triple)) return;
    if (this.#triples.size < TRIPLES_MAX) this.#triples.add(triple);
    const states = [a, b, c].map((index) => this.#local.at(index));
    try {
      for (const [x, y] of [[0, 1] as const, [0, 2] as const, [1, 2] as const]) {
        const [left, right] = [states[x], states[y]];
        if (left === undefined || right === undefined) continue;
        const pair = left.index * 2 ** 26 + right.index;
        if (this.#pairs.has(pair)) continue;
        checkPair(left, right);
        this.#pairs.add(pair);
      }
      checkTogether(states);
    } catch (cause) {
      throw new Error(`${cause instanceof Error ? cause.message : cause}\n${states.map(historyOf).join("\n")}`, {
        cause,
      });
    }
  }
}

function readEvent(name: string | number): Event | undefined {
  const least = /^read (\d+)$/.exec(String(name))?.[1];
  return least === undefined ? undefined : { type: "read", least: Number(least) };
}

/** What happened to one node, for the message of a failure. */
function historyOf(state: LocalState): string {
  const events: string[] = [];
  for (let at: LocalState | undefined = state; at?.event !== undefined; at = at.before) {
    const { event } = at;
    if (event.type === "deliver") events.push(`${"abc"[event.letter.from]}:${JSON.stringify(event.letter.message)}`);
    else events.push(event.type === "write" ? `write ${event.entry.data}` : event.type);
  }
  return `${state.id}: ${events.reverse().join("; ")}`;
}
