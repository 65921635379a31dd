/**
 * The states one real `Replica` can be in, and how it moves between them. A state is known by everything in the replica that can make a
 * difference later; two histories that end in the same state are continued once. Each new pair of state and input is carried out by a
 * fresh `Replica` that takes the whole history again, so nothing is copied or restored, and nothing in the core exists for this.
 */
import { type Configuration, type Input, type Output, Replica } from "@sealane/consensus";
import { type ConsensusMessage, type NodeId, seqno } from "@sealane/wire";
import { checkNode } from "../../src/invariants/node-invariants.js";
import type { Observed, ObservedReplica } from "../../src/invariants/observed.js";
import { ObservedLog } from "../../src/invariants/observed-log.js";
import { checkRead } from "../../src/invariants/reads.js";
import { checkRoleChange, checkStep, remember } from "../../src/invariants/step-properties.js";
import type { StoredEntry } from "../../src/invariants/stored-entry.js";
import { inside } from "./inside.js";

/** Longer than any history has heartbeats, so that acknowledgements get old by `silence` alone. */
const ELECTION_TIMEOUT_MS = 1_000_000;
const HEARTBEAT_MS = 1;

/** A message on its way, with the entries it was sent with. */
export interface Letter {
  readonly from: number;
  readonly to: number;
  readonly message: ConsensusMessage;
  readonly entries: readonly StoredEntry[];
}

/** What can happen to a node. `silence`: a primary hears from nobody for an election timeout. */
export type Event =
  | { readonly type: "start" | "heartbeat" | "silence" | "timeout" }
  /** A linearisable read that must see at least the entries up to here. */
  | { readonly type: "read"; readonly least: number }
  | { readonly type: "write"; readonly entry: Partial<StoredEntry> & { readonly data: string } }
  | { readonly type: "deliver"; readonly letter: Letter };

export interface LocalState extends Observed {
  readonly node: number;
  readonly index: number;
  readonly before: LocalState | undefined;
  readonly event: Event | undefined;
  readonly canCampaign: boolean;
  /** The core asks for a signature, in this view or for a read. */
  readonly shouldSign: boolean;
  /** Removed nodes for which the second retirement entry has yet to be written. */
  readonly toRetire: readonly NodeId[];
}

export interface Step {
  readonly next: LocalState;
  readonly letters: readonly Letter[];
}

class Execution {
  readonly replica: Replica<StoredEntry>;
  readonly state: ReturnType<typeof inside>;
  readonly log = new ObservedLog();
  /** Reads that wait: what they must see, and the last entry when they came. */
  reads: { readonly least: number; readonly after: number }[] = [];
  nowMs = 0;

  constructor(id: NodeId) {
    this.replica = new Replica<StoredEntry>({
      id,
      durability: "ephemeral",
      electionTimeoutMs: ELECTION_TIMEOUT_MS,
      heartbeatMs: HEARTBEAT_MS,
      random: () => 0,
      nowMs: 0,
      eagerSend: true, // without `flush` inputs: only so that the moving average of batch sizes has no say
    });
    this.state = inside();
  }

  /** @returns the messages, with the entries attached as they leave. */
  take(event: Event, node: number, ids: readonly NodeId[]): readonly Letter[] {
    const { role } = this.replica;
    this.#input(event, ids);
    const sends: Extract<Output<StoredEntry>, { type: "send" }>[] = [];
    let before = role;
    for (let output = this.replica.pollOutput(); output !== undefined; output = this.replica.pollOutput()) {
      if (output.type === "append") this.log.append(...output.entries);
      if (output.type === "rollback") this.log.truncate(output.to);
      if (output.type === "send") sends.push(output);
      if (output.type === "read-ready") checkRead(this.replica.id, output.token, output.seqno);
      if (output.type === "read-ready" || output.type === "read-refused") this.#readEnded(output.token);
      if (output.type !== "role") continue;
      checkRoleChange(this.replica.id, before, output.role, this.replica.retirementPhase);
      before = output.role;
    }
    return sends.map(({ to, message }) => {
      const append = message.type === "append-entries";
      const entries = append ? this.log.entries.slice(message.prevSeqno, message.seqno) : [];
      return { from: node, to: ids.indexOf(to), message, entries };
    });
  }

  #input(event: Event, ids: readonly NodeId[]): void {
    let input: Input<StoredEntry> = { type: "tick" };
    if (event.type === "start") input = { type: "start" };
    if (event.type === "heartbeat") this.nowMs += HEARTBEAT_MS;
    if (event.type === "silence" || event.type === "timeout") this.nowMs += ELECTION_TIMEOUT_MS;
    if (event.type === "write") {
      const { view } = this.replica;
      const entry = { signature: false, bytes: 1, ...event.entry, view, seqno: seqno(this.log.length + 1) };
      this.log.append(entry);
      input = { type: "replicate", view, entries: [entry] };
    }
    if (event.type === "read") {
      this.reads.push({ least: event.least, after: this.replica.lastSeqno });
      input = { type: "read", token: event.least };
    }
    if (event.type === "deliver") {
      const { from, message, entries } = event.letter;
      const id = ids[from];
      if (id === undefined) throw new Error("a letter has a sender");
      input = { type: "message", from: id, message, entries };
    }
    this.replica.handle(input, this.nowMs);
  }

  #readEnded(token: number): void {
    const at = this.reads.findIndex(({ least }) => least === token);
    if (at < 0) throw new Error("a read is answered once");
    this.reads.splice(at, 1);
  }
}

/** Every so many merged histories, one is remembered and continued as well. */
const SAMPLE_EVERY = 8;
const SAMPLES_MAX = 500;

export class LocalStates {
  readonly ids: readonly NodeId[];
  readonly #known = new Map<string, LocalState>();
  readonly #all: LocalState[] = [];
  executions = 0;
  #merged = 0;
  /** States with another history than the one they were first reached by. */
  readonly samples: LocalState[] = [];

  constructor(ids: readonly NodeId[]) {
    this.ids = ids;
  }

  get count(): number {
    return this.#all.length;
  }

  at(index: number): LocalState {
    const state = this.#all[index];
    if (state === undefined) throw new Error(`there is no local state ${index}`);
    return state;
  }

  initial(node: number): LocalState {
    return this.#keep(node, this.#execution(node), undefined, undefined);
  }

  step(before: LocalState, event: Event): Step {
    const execution = this.#replay(before);
    const letters = execution.take(event, before.node, this.ids);
    const next = this.#keep(before.node, execution, before, event);
    checkStep(remember(before), next);
    return { next, letters };
  }

  #execution(node: number): Execution {
    const id = this.ids[node];
    if (id === undefined) throw new Error(`there is no node ${node}`);
    this.executions += 1;
    return new Execution(id);
  }

  #replay(state: LocalState): Execution {
    const events: Event[] = [];
    for (let at: LocalState | undefined = state; at?.event !== undefined; at = at.before) events.push(at.event);
    const execution = this.#execution(state.node);
    for (const event of events.reverse()) execution.take(event, state.node, this.ids);
    return execution;
  }

  #keep(node: number, execution: Execution, before: LocalState | undefined, event: Event | undefined): LocalState {
    const key = fingerprint(node, execution);
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#merged += 1;
      const sampled = this.#merged % SAMPLE_EVERY === 0 && this.samples.length < SAMPLES_MAX;
      if (sampled && before !== undefined) this.samples.push({ ...known, before, event });
      return known;
    }
    const { replica, log, state } = execution;
    const kept: LocalState = {
      id: replica.id,
      node,
      index: this.#all.length,
      before,
      event,
      replica: observe(replica),
      log,
      canCampaign:
        replica.role !== "primary" &&
        replica.ticking &&
        replica.configurations.length > 0 &&
        replica.retirementPhase !== "retired-committed",
      shouldSign: replica.shouldSign,
      toRetire: replica.role === "primary" ? state.log.removedNodes.unmarked : [],
    };
    checkNode(kept);
    this.#known.set(key, kept);
    this.#all.push(kept);
    return kept;
  }
}

/**
 * Everything that decides what a replica does next. Left out are the times: a primary's acknowledgement timers and everyone's election
 * timer matter only to `silence` and `timeout`, which outlast any of them.
 */
function fingerprint(node: number, { state, log: ledger, replica, reads }: Execution): string {
  const { log, hardState, role, primary, votes, isNewFollower, shouldSign } = state;
  const { entryBytes: _, ...restored } = log.restoredState(hardState);
  const peers = replica.peers.map(({ node: peer, sentSeqno, matchSeqno }) => [peer, sentSeqno, matchSeqno]);
  const flags = [isNewFollower, shouldSign, log.ticking];
  const entries = ledger.entries.map(({ data, view, signature }) => `${view}${signature ? "s" : ""}${data}`);
  return JSON.stringify([node, role, primary, [...votes].sort(), flags, restored, peers, entries, reads]);
}

function observe(replica: Replica<StoredEntry>): ObservedReplica {
  const { view, votedFor, role, lastSeqno, commitSeqno, lastCommittableSeqno, durableSeqno } = replica;
  const { retirementPhase, removedNodes, peers } = replica;
  const configurations: readonly Configuration[] = replica.configurations;
  const numbers = { view, votedFor, role, lastSeqno, commitSeqno, lastCommittableSeqno, durableSeqno };
  return { ...numbers, configurations, retirementPhase, removedNodes, peers };
}
