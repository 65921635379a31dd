/**
 * Hands the primary's role to a named node at the operator's wish (our extension, built on consensus spec §9.9 ProposeRequestVote).
 *
 * Once everything is signed and committed (the election would drop an unsigned tail, and clients are answered first) and the named node holds
 * it, that node is told to campaign; again with every heartbeat, since a message may be lost. It wins unless the others cannot hear it. The owner holds writes back meanwhile. The core
 * does not refuse them: an entry refused in the very view that goes on would, on a disk that kept it through a crash, stand for another
 * one of the same id. If nothing comes of the transfer within one election timeout, it is given up; a late message can then still
 * depose this primary, which costs an election and no signed entry.
 */
import type { NodeId, View } from "@sealane/wire";
import type { Entry, TransferOutcome } from "./interface.js";
import type { ReplicaState } from "./replica-state.js";

interface Transfer {
  readonly to: NodeId;
  /** The view this node led when it was asked. */
  readonly view: View;
  readonly deadlineMs: number;
  /** At the end of the last input the target held everything, and everything was committed. */
  readonly caughtUp: boolean;
  /** When the target was last told to campaign. */
  readonly namedMs: number;
}

export class Transfers<E extends Entry> {
  readonly #state: ReplicaState<E>;
  #current: Transfer | undefined;

  constructor(state: ReplicaState<E>) {
    this.#state = state;
  }

  request(to: NodeId): void {
    const { view, nowMs, electionTimeoutMs } = this.#state;
    const refusal = this.#refusal(to);
    if (refusal !== undefined) this.#report(to, refusal);
    else {
      const deadlineMs = nowMs + electionTimeoutMs;
      this.#current = { to, view, deadlineMs, caughtUp: false, namedMs: Number.NEGATIVE_INFINITY };
    }
  }

  #refusal(to: NodeId): TransferOutcome | undefined {
    const { id, role, log, lease } = this.#state;
    if (role !== "primary") return "not-primary";
    if (to === id) return "is-primary";
    if (log.configurations.newest?.nodes.includes(to) !== true) return "not-a-member";
    if (lease !== undefined) return "lease"; // the others would refuse the target their votes
    return this.#current === undefined ? undefined : "in-progress";
  }

  /** This primary hands over to this node. */
  get target(): NodeId | undefined {
    return this.#isLeading ? this.#current?.to : undefined;
  }

  /** As primary: the tail must be signed, or the election would drop it. */
  get needsSignature(): boolean {
    const { log } = this.#state;
    return this.target !== undefined && log.lastCommittableSeqno < log.lastSeqno;
  }

  /** When it is given up. */
  get deadlineMs(): number {
    return this.#current?.deadlineMs ?? Number.POSITIVE_INFINITY;
  }

  /** Ends an input: the next step, or what became of it. */
  settle(): void {
    const current = this.#current;
    if (current === undefined) return;
    const { primary, view, nowMs } = this.#state;
    if (primary === current.to) this.#end("completed");
    else if (primary !== undefined && view > current.view) this.#end("another-elected");
    else if (nowMs >= current.deadlineMs) this.#end("timed-out");
    else if (this.#isLeading) this.#nameWhenCaughtUp(current);
  }

  get #isLeading(): boolean {
    return this.#state.role === "primary" && this.#state.view === this.#current?.view;
  }

  #nameWhenCaughtUp(current: Transfer): void {
    const { log, peers, nowMs, heartbeatMs } = this.#state;
    const { view, to } = current;
    const caughtUp = peers.get(to)?.matchSeqno === log.lastSeqno && log.commitSeqno === log.lastSeqno;
    this.#current = { ...current, caughtUp };
    // Not in the input that commits: what the owner answers then leaves first, also to nodes that forget the present view with the next one.
    if (!caughtUp || !current.caughtUp || nowMs - current.namedMs < heartbeatMs) return;
    this.#current = { ...current, namedMs: nowMs };
    this.#state.send(to, { type: "propose-request-vote", view });
  }

  #end(outcome: TransferOutcome): void {
    const to = this.#current?.to;
    this.#current = undefined;
    if (to !== undefined) this.#report(to, outcome);
  }

  #report(to: NodeId, outcome: TransferOutcome): void {
    this.#state.outputs.push({ type: "transfer", to, outcome });
  }
}
