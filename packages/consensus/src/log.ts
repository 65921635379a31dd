/**
 * What consensus knows of a node's log (consensus spec §3.2, §5): all that is appended, rolled back and committed together
 * (spec §19, pitfall 8), in one place, so that no part of it can be forgotten. It sends nothing and decides nothing.
 */
import { type NodeId, type Seqno, seqno, type TxId, type View, view } from "@sealane/wire";
import { assert } from "./assert.js";
import { CommittableSeqnos } from "./committable-seqnos.js";
import { Configurations } from "./configurations.js";
import { EntrySizes } from "./entry-sizes.js";
import type { Configuration, Entry, HardState, RestoredState, TxStatus, ViewStart } from "./interface.js";
import { RemovedNodes } from "./removed-nodes.js";
import { Retirement } from "./retirement.js";
import { findHighestPossibleMatch, ViewHistory } from "./view-history.js";

/** What a commit brought about, beyond the new commit seqno. */
export interface Committed {
  readonly configurationDropped: boolean;
  /** Named by retirement-committed entries that are now committed (spec §11.4). */
  readonly retired: readonly NodeId[];
}

export class Log {
  readonly id: NodeId;
  readonly history: ViewHistory;
  readonly committable = new CommittableSeqnos();
  readonly configurations: Configurations;
  readonly retirement: Retirement;
  readonly removedNodes: RemovedNodes;
  readonly sizes: EntrySizes;
  /** Invariant: commitSeqno <= lastSeqno, and it is 0, a signature, or where a snapshot was taken. */
  #commitSeqno: Seqno;
  #lastSeqno: Seqno;
  #ticking: boolean;

  constructor(id: NodeId, restored?: Omit<RestoredState, "hardState">) {
    this.id = id;
    this.history = ViewHistory.from(restored?.viewHistory ?? []);
    this.configurations = new Configurations(restored?.configurations);
    this.retirement = new Retirement(restored?.retirement);
    this.removedNodes = new RemovedNodes(restored?.removed, restored?.retirements);
    this.#commitSeqno = restored?.commitSeqno ?? seqno(0);
    this.#lastSeqno = restored?.lastSeqno ?? seqno(0);
    this.sizes = new EntrySizes(this.#lastSeqno, restored?.entryBytes);
    for (const signature of restored?.signatures ?? []) {
      assert(
        signature > this.#commitSeqno && signature <= this.#lastSeqno,
        "restored signatures lie in (commit, last]",
      );
      this.committable.push(signature);
    }
    assert(this.#commitSeqno <= this.#lastSeqno, "a commit hint lies within the log");
    assert(this.#lastSeqno === 0 || this.viewOf(this.#lastSeqno) > 0, "the view of the last restored entry is known");
    this.#ticking = this.#signedAsMember();
  }

  get lastSeqno(): Seqno {
    return this.#lastSeqno;
  }

  get commitSeqno(): Seqno {
    return this.#commitSeqno;
  }

  /** Elections are allowed (spec §9.1). Once set it stays. */
  get ticking(): boolean {
    return this.#ticking;
  }

  /** §3.2 *lci*: the last signature held, or the commit seqno. */
  get lastCommittableSeqno(): Seqno {
    return this.committable.last ?? this.#commitSeqno;
  }

  /** §3.2 `term_of`: 0 for what the log does not hold. */
  viewOf(at: Seqno): View {
    return at > this.#lastSeqno ? view(0) : this.history.viewAt(at);
  }

  highestPossibleMatch(of: View, at: Seqno): Seqno {
    return findHighestPossibleMatch(this.history, this.#lastSeqno, of, at);
  }

  /** §4. A transaction is invalid once the committed part of the log leaves no place for it. */
  status({ view: of, seqno: at }: TxId): TxStatus {
    if (of === 0 || at === 0) return "unknown";
    const same = this.viewOf(at) === of;
    if (at <= this.#commitSeqno) return same ? "committed" : "invalid";
    if (same) return "pending";
    return this.history.viewAt(this.#commitSeqno) > of ? "invalid" : "unknown";
  }

  startTicking(): void {
    this.#ticking = true;
  }

  /** §12.2: starts from a snapshot, whose seqno counts as a committed signature. Only on an empty log. */
  join(at: Seqno, history: readonly ViewStart[], configurations: readonly Configuration[]): void {
    assert(this.#lastSeqno === 0, "a node joins with an empty log");
    for (const start of history) this.history.update(start.seqno, start.view);
    for (const configuration of configurations) this.configurations.add(configuration.seqno, configuration.nodes);
    this.sizes.startAfter(at);
    this.#lastSeqno = at;
    this.#commitSeqno = at;
  }

  /**
   * The configuration hook of an entry, run before the entry is appended (spec §6, §10.1).
   * @returns whether the active configurations changed.
   */
  addConfiguration(at: Seqno, nodes: readonly NodeId[]): boolean {
    const before = this.configurations.newest;
    if (!this.configurations.add(at, nodes)) return false;
    if (before?.nodes.includes(this.id) === true && !nodes.includes(this.id)) this.retirement.order(at);
    return true;
  }

  append(entry: Entry): void {
    assert(entry.seqno === this.#lastSeqno + 1, "entries are appended one after the other");
    this.#lastSeqno = entry.seqno;
    // §8.5 updates the history at signatures and after the last entry, with the seqno after the last signature. Every
    // entry's view is known when it is appended, so this is done here; where views change after signatures only (§15
    // MonoLogInv) the result is the same, and elsewhere this one is right.
    this.history.update(entry.seqno, entry.view);
    this.sizes.append(entry.bytes);
    if (entry.retired !== undefined) this.removedNodes.mark(entry.seqno, entry.retired);
    if (!entry.signature) return;
    this.retirement.sign(entry.seqno);
    this.committable.push(entry.seqno);
    if (this.configurations.newest?.nodes.includes(this.id) === true) this.#ticking = true; // §9.1
  }

  rollback(to: Seqno): void {
    assert(to >= this.#commitSeqno, "what is committed is never rolled back");
    this.#lastSeqno = to;
    this.history.rollback(to);
    this.sizes.rollback(to);
    this.committable.rollback(to);
    this.configurations.rollback(to);
    this.retirement.rollback(to);
    this.removedNodes.rollback(to);
  }

  /** §8.10. `to` is above the commit seqno. Configurations go first: who is removed must be known before who is retired. */
  commit(to: Seqno): Committed {
    assert(to > this.#commitSeqno && to <= this.#lastSeqno, "a commit moves forward within the log");
    this.committable.commit(to);
    this.#commitSeqno = to;
    this.retirement.commit(to);
    const removed = this.configurations.commit(to);
    this.removedNodes.remove(removed ?? []);
    return { configurationDropped: removed !== undefined, retired: this.removedNodes.commit(to) };
  }

  /** Plain data from which the constructor makes an equal log. */
  restoredState(hardState: HardState): RestoredState {
    const retirement = this.retirement.state;
    return {
      hardState,
      viewHistory: this.history.starts,
      lastSeqno: this.#lastSeqno,
      commitSeqno: this.#commitSeqno,
      signatures: this.committable.all,
      configurations: this.configurations.all,
      removed: this.removedNodes.removed,
      retirements: this.removedNodes.entries,
      ...(retirement === undefined ? {} : { retirement }),
      entryBytes: this.sizes.all,
    };
  }

  /** §9.1 after a restart: some signature was appended while this node was in its newest configuration. */
  #signedAsMember(): boolean {
    if (this.retirement.phase !== undefined) return true; // it was a member, and is needed until it is retired
    const signatures = [...(this.#commitSeqno > 0 ? [this.#commitSeqno] : []), ...this.committable.all];
    return signatures.some((signature) => {
      const newestThen = this.configurations.all.findLast((configuration) => configuration.seqno <= signature);
      return newestThen?.nodes.includes(this.id) === true;
    });
  }
}
