/** The `state` of one node in a trace (raft-trace.md §2), moved on event by event. */
import type { Configuration, RetirementPhase, Role } from "@sealane/consensus";
import type { StoredEntry } from "../invariants/stored-entry.js";
import { PHASE_NAMES, ROLE_NAMES } from "./describe.js";
import type { ScenarioNode } from "./world.js";

export class TraceState {
  readonly #id: string;
  readonly #preVote: boolean;
  #role: Role;
  #view: number;
  #lastSeqno: number;
  #commitSeqno: number;
  #committable: readonly number[] = [];
  #configurations: readonly Configuration[];
  /** The entry that removed this node, the first signature at or after it, and the commit that ended it. */
  #removed: number | undefined;
  #removedSigned: number | undefined;
  #retiredCommitted: number | undefined;
  /** Retirement-committed entries that name this node. */
  #retirements: readonly number[] = [];

  constructor({ id, preVote, replica }: ScenarioNode) {
    this.#id = id;
    this.#preVote = preVote;
    this.#role = "none";
    this.#view = 0;
    this.#lastSeqno = 0;
    this.#commitSeqno = 0;
    // A set given to all nodes by fiat is there from the start.
    this.#configurations = replica.configurations.filter(({ seqno }) => seqno === 0);
  }

  get role(): Role {
    return this.#role;
  }

  get lastSeqno(): number {
    return this.#lastSeqno;
  }

  get configurations(): readonly Configuration[] {
    return this.#configurations;
  }

  get json(): Readonly<Record<string, unknown>> {
    const phase = this.#phase;
    const [first, last] = [this.#committable[0], this.#committable.at(-1)];
    return {
      commit_idx: this.#commitSeqno,
      committable_indices: first === last ? this.#committable : [first, last],
      current_view: this.#view,
      last_idx: this.#lastSeqno,
      leadership_state: ROLE_NAMES[this.#role],
      membership_state: phase === undefined ? "Active" : "Retired",
      node_id: this.#id,
      pre_vote_enabled: this.#preVote,
      ...(this.#retiredCommitted !== undefined && { retired_committed_idx: this.#retiredCommitted }),
      ...(this.#removedSigned !== undefined && { retirement_committable_idx: this.#removedSigned }),
      ...(this.#removed !== undefined && { retirement_idx: this.#removed }),
      ...(phase !== undefined && { retirement_phase: PHASE_NAMES[phase] }),
    };
  }

  get #phase(): RetirementPhase | undefined {
    if (this.#removed === undefined) return undefined;
    if (this.#removedSigned === undefined) return "ordered";
    if (this.#removedSigned > this.#commitSeqno) return "signed";
    return this.#retiredCommitted === undefined ? "completed" : "retired-committed";
  }

  setRole(role: Role, view: number): void {
    this.#role = role;
    this.#view = view;
  }

  /** What a reconfiguration entry does as it becomes active. */
  hook({ seqno, configuration }: StoredEntry): void {
    if (configuration === undefined) return;
    const newest = this.#configurations.at(-1)?.nodes ?? [];
    const nodes = [...new Set(configuration)].sort();
    if (newest.join() === nodes.join()) return;
    const [was, is] = [newest, nodes].map((set) => set.some((node) => node === this.#id));
    if (was && !is) this.#removed ??= seqno;
    this.#configurations = [...this.#configurations, { seqno, nodes }];
  }

  append({ seqno, signature, retired }: StoredEntry): void {
    this.#lastSeqno = seqno;
    if (retired?.some((node) => node === this.#id)) this.#retirements = [...this.#retirements, seqno];
    if (!signature) return;
    this.#committable = [...this.#committable, seqno];
    if (this.#removed !== undefined) this.#removedSigned ??= seqno;
  }

  rollback(to: number): void {
    this.#lastSeqno = to;
    this.#committable = this.#committable.filter((seqno) => seqno <= to);
    this.#configurations = this.#configurations.filter(({ seqno }) => seqno <= to);
    this.#retirements = this.#retirements.filter((seqno) => seqno <= to);
    if ((this.#removedSigned ?? 0) > to) this.#removedSigned = undefined;
    if ((this.#removed ?? 0) > to) this.#removed = undefined;
  }

  commit(to: number): void {
    this.#committable = this.#committable.filter((seqno) => seqno > to);
    this.#commitSeqno = to;
    const current = this.#configurations.findLastIndex(({ seqno }) => seqno <= to);
    this.#configurations = this.#configurations.slice(Math.max(current, 0));
    if (this.#phase === "completed" && this.#retirements.some((seqno) => seqno <= to)) this.#retiredCommitted = to;
  }

  /** @throws {Error} when the events told so far do not add up to what the replica says. */
  mustEqual({
    role,
    view,
    lastSeqno,
    commitSeqno,
    committableSeqnos,
    retirementPhase,
    configurations,
  }: ScenarioNode["replica"]): void {
    const told = [this.#role, this.#view, this.#lastSeqno, this.#commitSeqno, this.#committable, this.#phase];
    const is = [role, view, lastSeqno, commitSeqno, committableSeqnos, retirementPhase];
    const [counted, counts] = [this.#configurations, configurations].map((list) => JSON.stringify(list));
    if (told.join(" ") === is.join(" ") && counted === counts) return;
    throw new Error(
      `the trace of ${this.#id} says ${told.join(" ")} ${counted}, the replica ${is.join(" ")} ${counts}`,
    );
  }
}
