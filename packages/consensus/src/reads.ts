/**
 * Reads that see every write answered before they began (our extension; CCF's reads are serialisable, consensus spec §16).
 *
 * A primary may have been deposed without knowing. It is certain that it was still primary when a read came once a majority of every active
 * configuration has shown to have been in its view after that. No response has a round number, and one that was under way for long
 * looks like a new one. But an acknowledgement of this view that names an entry appended _after_ the read came can only answer a message
 * made after it (docs/decisions has the argument). So a read waits for such acknowledgements: those of the next write, or of a
 * signature that `needsSignature` asks the owner for. All reads that wait share one entry.
 */
import { type Seqno, seqno, type View, view } from "@sealane/wire";
import type { Entry, ReadRefusal } from "./interface.js";
import type { ReplicaState } from "./replica-state.js";

/** Reads that wait at a time. A further one is refused, so that a primary cut off from its peers does not collect them. */
export const READS_MAX = 65_536;

interface PendingRead {
  readonly token: number;
  /** The last entry when the read came. */
  readonly after: Seqno;
}

export class Reads<E extends Entry> {
  readonly #state: ReplicaState<E>;
  /** In the order in which they came, so `after` ascends. Invariant: all came in `#view`, which this node led when the last input ended. */
  #pending: PendingRead[] = [];
  #view: View = view(0);

  constructor(state: ReplicaState<E>) {
    this.#state = state;
  }

  request(token: number): void {
    const { role, view, log } = this.#state;
    if (role !== "primary") this.#refuse(token, "not-primary");
    else if (this.#pending.length >= READS_MAX) this.#refuse(token, "too-many");
    else {
      this.#view = view;
      this.#pending.push({ token, after: log.lastSeqno });
    }
  }

  /**
   * As primary: reads wait, and nothing was appended since that would be acknowledged. While a signature is on its way the next
   * one is not asked for, so that reads that come meanwhile share it.
   */
  get needsSignature(): boolean {
    const { log } = this.#state;
    const newest = this.#pending.at(-1);
    return newest !== undefined && newest.after === log.lastSeqno && log.committable.last === undefined;
  }

  /** Ends an input: answers the reads that can be answered, or refuses all when this node no longer leads the view they came in. */
  settle(): void {
    if (this.#pending.length === 0) return;
    const { role, view, log, outputs } = this.#state;
    if (role !== "primary" || view !== this.#view) {
      for (const { token } of this.#pending.splice(0)) this.#refuse(token, "primary-changed");
      return;
    }
    // Before an entry of its own view is committed, a primary may not know of all that its predecessors committed.
    if (log.viewOf(log.commitSeqno) !== view) return;
    const confirmed = this.#confirmedSeqno();
    const waiting = this.#pending.findIndex(({ after }) => after >= confirmed);
    const ready = this.#pending.splice(0, waiting < 0 ? this.#pending.length : waiting);
    for (const { token } of ready) outputs.push({ type: "read-ready", token, seqno: log.commitSeqno });
  }

  /** What came before this entry was appended is confirmed. The largest there is: what comes now too. */
  #confirmedSeqno(): Seqno {
    const { id, log, peers, nowMs, lease } = this.#state;
    const matchOf = (node: Parameters<typeof peers.get>[0]) => peers.get(node)?.matchSeqno ?? seqno(0);
    const { configurations } = log;
    if (lease !== undefined && configurations.everyQuorum((node) => node === id || lease.covers(matchOf(node), nowMs)))
      return LAST_SEQNO;
    return configurations.agreedSeqno((node) => (node === id ? LAST_SEQNO : matchOf(node))) ?? seqno(0);
  }

  #refuse(token: number, reason: ReadRefusal): void {
    this.#state.outputs.push({ type: "read-refused", token, reason });
  }
}

/** This node knows of itself, without an acknowledgement, that it is in its view. */
const LAST_SEQNO = seqno(Number.MAX_SAFE_INTEGER);
