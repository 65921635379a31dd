/**
 * The trace of a scenario in the processed form of raft-trace.md: what CCF's public trace specification reads. Events are not logged by
 * the core; they are told from what goes into a replica and what comes out. Every `state` is followed along event by event, and
 * must be the replica's own at the end of each input, else the trace is not written.
 */
import type { Input, Output } from "@sealane/consensus";
import { type AppendEntries, ELECTION_PRE_VOTE, type NodeId } from "@sealane/wire";
import type { StoredEntry } from "../invariants/stored-entry.js";
import { type Command, commandText } from "./commands.js";
import type { ScenarioObserver } from "./run.js";
import { configurationJson, packetOf } from "./trace-packet.js";
import { TraceState } from "./trace-state.js";
import type { Before, Queued, ScenarioNode } from "./world.js";

/** One line of a trace, before it is JSON. */
export interface TraceLine {
  readonly h_ts: string;
  readonly tag: "raft_trace";
  readonly cmd: string;
  readonly cmd_prefix: string;
  readonly msg: Readonly<Record<string, unknown>> & { readonly function: string };
}

type Sends = Extract<Output<StoredEntry>, { type: "send" }>[];
type Fields = Readonly<Record<string, unknown>>;

/** §4: the events of the first node up to the commit of its first signature stand in one `bootstrap`. */
const BOOTSTRAP = ["become_leader", "add_configuration", "replicate", "commit"];

export class Trace implements ScenarioObserver {
  readonly #lines: TraceLine[] = [];
  readonly #states = new Map<NodeId, TraceState>();
  #command = "";
  #time = 0;

  /** @throws {Error} when the scenario does not begin as every traced one must (raft-scenarios spec §9). */
  get lines(): readonly TraceLine[] {
    const [lines, rest] = [this.#lines.slice(0, BOOTSTRAP.length), this.#lines.slice(BOOTSTRAP.length)];
    const bootstrap = lines.at(-1);
    const starts =
      lines.length === BOOTSTRAP.length && lines.every(({ msg }, index) => msg.function === BOOTSTRAP[index]);
    if (bootstrap === undefined || !starts) {
      throw new Error("it has no trace, because it does not begin with start_node and emit_signature,2");
    }
    return [{ ...bootstrap, msg: { ...bootstrap.msg, function: "bootstrap" } }, ...rest];
  }

  get text(): string {
    return this.lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  }

  command(command: Command): void {
    this.#command = command.line === 0 ? "" : commandText(command);
  }

  printed(): void {}

  dropped(from: ScenarioNode, { to, message }: Queued): void {
    const fields = { from_node_id: from.id, to_node_id: to, packet: packetOf(message) };
    const { committable_indices: _, ...state } = this.#stateOf(from).json;
    this.#log("drop_pending_to", fields, state);
  }

  step(node: ScenarioNode, input: Input<StoredEntry>, before: Before, outputs: readonly Output<StoredEntry>[]): void {
    if (input.type === "start-ticking") return; // §2: every node ticks from its creation
    const state = this.#stateOf(node);
    new Step(state, input, before, outputs, (event, fields, json) => this.#log(event, fields, json)).run(node.ledger);
    state.mustEqual(node.replica);
  }

  #stateOf(node: ScenarioNode): TraceState {
    const state = this.#states.get(node.id) ?? new TraceState(node);
    this.#states.set(node.id, state);
    return state;
  }

  #log(event: string, fields: Fields, state: Fields): void {
    // §4: a command belongs to the next event only. It moves on from the `replicate` that an `add_configuration` stands for; its
    // prefix does not.
    const cmd = this.#command;
    const prefix = event === "add_configuration" ? "" : (cmd.split(",")[0] ?? "");
    this.#command = "";
    this.#time += 1;
    const msg = { function: event, ...fields, state };
    this.#lines.push({ h_ts: String(this.#time), tag: "raft_trace", cmd, cmd_prefix: prefix, msg });
  }
}

/** The events of one input, in the order in which the protocol text has them (raft-trace.md §3). */
class Step {
  readonly #state: TraceState;
  readonly #input: Input<StoredEntry>;
  readonly #before: Before;
  readonly #outputs: readonly Output<StoredEntry>[];
  readonly #log: (event: string, fields: Fields, state: Fields) => void;
  /** Messages leave at the end of an input; each event of theirs comes earlier, where they were made. */
  readonly #sends: Sends;
  readonly #sent = new Map<NodeId, { sent: number; match: number }>();

  constructor(
    state: TraceState,
    input: Input<StoredEntry>,
    before: Before,
    outputs: readonly Output<StoredEntry>[],
    log: (event: string, fields: Fields, state: Fields) => void,
  ) {
    this.#state = state;
    this.#input = input;
    this.#before = before;
    this.#outputs = outputs;
    this.#log = log;
    this.#sends = outputs.filter((output) => output.type === "send");
    for (const { node, sentSeqno, matchSeqno } of before.peers)
      this.#sent.set(node, { sent: sentSeqno, match: matchSeqno });
  }

  run(ledger: readonly StoredEntry[]): void {
    if (this.#input.type === "message") this.#receive(this.#input);
    if (this.#input.type === "replicate") this.#replicate(ledger);
    for (const output of this.#outputs) this.#carryOut(output);
    this.#preVoteAgain();
    this.#sendAppendEntries(() => true);
    for (const { to, message } of this.#sends) {
      if (message.type !== "append-entries-response") continue;
      this.#event("send_append_entries_response", { to_node_id: to, packet: packetOf(message) });
    }
  }

  #event(event: string, fields: Fields = {}): void {
    this.#log(event, fields, this.#state.json);
  }

  #receive({ from, message }: Extract<Input<StoredEntry>, { type: "message" }>): void {
    const fields = { from_node_id: from, packet: packetOf(message) };
    switch (message.type) {
      case "append-entries":
        this.#event("recv_append_entries", fields);
        break;
      case "append-entries-response": {
        const progress = this.#sent.get(from); // an unknown sender makes no event
        if (progress !== undefined) {
          const { match, sent } = progress;
          this.#event("recv_append_entries_response", { ...fields, match_idx: match, sent_idx: sent });
        }
        break;
      }
      case "request-vote":
        this.#event("recv_request_vote", fields);
        break;
      case "request-vote-response":
        this.#event("recv_request_vote_response", fields);
        break;
      case "propose-request-vote":
        this.#event("recv_propose_request_vote", fields);
        break;
      default:
        message satisfies never;
    }
  }

  /** An accepted entry of the primary. A reconfiguration shows itself, and the first messages to new nodes, before the entry counts. */
  #replicate(ledger: readonly StoredEntry[]): void {
    for (const entry of ledger.slice(this.#before.lastSeqno)) {
      if (entry.configuration === undefined) {
        const { view, seqno, signature } = entry;
        this.#event("replicate", { view, seqno, globally_committable: signature });
      } else this.#addConfiguration(entry);
      this.#state.hook(entry);
      this.#sendAppendEntries(({ to, message }) => message.seqno < entry.seqno && !this.#sent.has(to));
      this.#state.append(entry);
    }
  }

  #addConfiguration({ seqno, configuration = [] }: StoredEntry): void {
    this.#event("add_configuration", {
      configurations: this.#state.configurations.map(configurationJson),
      args: { configuration: configurationJson({ seqno, nodes: configuration }) },
    });
  }

  #carryOut(output: Output<StoredEntry>): void {
    const state = this.#state;
    switch (output.type) {
      case "rollback":
        state.rollback(output.to);
        break;
      case "append":
        for (const entry of output.entries) this.#execute(entry);
        break;
      case "commit":
        // What was sent before carries the commit seqno of then.
        this.#sendAppendEntries(({ message }) => message.commitSeqno < output.seqno);
        this.#event("commit", {
          args: { idx: output.seqno },
          configurations: state.configurations.map(configurationJson),
        });
        state.commit(output.seqno);
        break;
      case "role":
        this.#changeRole(output);
        break;
      default:
    }
  }

  /** An entry that a backup did not hold. */
  #execute(entry: StoredEntry): void {
    const { from } = this.#input.type === "message" ? this.#input : { from: undefined };
    if (entry.configuration === undefined) this.#event("execute_append_entries_sync", { from_node_id: from });
    this.#state.append(entry);
    if (entry.configuration !== undefined) this.#addConfiguration(entry);
    this.#state.hook(entry);
  }

  #changeRole({ role, view, primary }: Extract<Output, { type: "role" }>): void {
    const state = this.#state;
    // §7.1: a primary's heartbeats leave before it looks whether it is still heard.
    if (state.role === "primary" && role !== "primary") this.#sendAppendEntries(() => true);
    state.setRole(role, view);
    const configurations = { configurations: state.configurations.map(configurationJson) };
    if (role === "pre-vote-candidate") this.#event("become_pre_vote_candidate", configurations);
    if (role === "candidate") this.#event("become_candidate", configurations);
    if (role === "primary") this.#event("become_leader", configurations);
    if (role === "backup" && primary === undefined) this.#event("become_follower", configurations);
    if (role === "pre-vote-candidate" || role === "candidate") this.#requestVotes(role);
    if (role === "primary")
      for (const peer of this.#sent.values()) Object.assign(peer, { sent: state.lastSeqno, match: 0 });
  }

  /** A pre-vote candidate that tries again stays what it is, so the core reports no change. */
  #preVoteAgain(): void {
    if (!this.#sends.some(({ message }) => message.type === "request-vote")) return;
    this.#event("become_pre_vote_candidate", { configurations: this.#state.configurations.map(configurationJson) });
    this.#requestVotes("pre-vote-candidate");
  }

  #requestVotes(role: "pre-vote-candidate" | "candidate"): void {
    for (const send of [...this.#sends]) {
      const { to, message } = send;
      if (message.type !== "request-vote") continue;
      if ((message.election === ELECTION_PRE_VOTE) !== (role === "pre-vote-candidate")) continue;
      this.#sends.splice(this.#sends.indexOf(send), 1);
      this.#event("send_request_vote", { to_node_id: to, packet: packetOf(message) });
    }
  }

  #sendAppendEntries(due: (send: { to: NodeId; message: AppendEntries }) => boolean): void {
    for (const send of [...this.#sends]) {
      const { to, message } = send;
      if (message.type !== "append-entries" || !due({ to, message })) continue;
      this.#sends.splice(this.#sends.indexOf(send), 1);
      // §3: a node that was not known before starts one above the end of the log.
      const progress = this.#sent.get(to) ?? { sent: message.prevSeqno + 1, match: 0 };
      this.#sent.set(to, progress);
      const fields = { to_node_id: to, packet: packetOf(message), match_idx: progress.match, sent_idx: progress.sent };
      this.#event("send_append_entries", fields);
      progress.sent = message.seqno;
    }
  }
}
