/** Who belongs to the service: appending and committing configurations, peer records, retirement (consensus spec §8.10, §10, §11). */
import { type NodeId, type Seqno, seqno, type View } from "@sealane/wire";
import type { Entry } from "./interface.js";
import type { ReplicaState } from "./replica-state.js";

export class Membership<E extends Entry> {
  readonly #state: ReplicaState<E>;

  constructor(state: ReplicaState<E>) {
    this.#state = state;
  }

  /** Whether `entry` can follow the log as an entry of view `of`. A configuration without nodes cannot. */
  isNext(entry: E, of: View): boolean {
    return entry.seqno === this.#state.log.lastSeqno + 1 && entry.view === of && entry.configuration?.length !== 0;
  }

  /**
   * Appends one entry; its configuration becomes active first, so that on the primary a new node's first message ends before
   * the entry that added it (spec §10.3). A backup does it in the other order in the spec, with no difference: it sends nothing.
   */
  append(entry: E): void {
    const { log, gate } = this.#state;
    if (entry.configuration !== undefined && log.addConfiguration(entry.seqno, entry.configuration))
      this.refreshPeers();
    log.append(entry);
    gate.appended();
  }

  /** §8.10. */
  commit(to: Seqno): void {
    const { log, outputs } = this.#state;
    const { configurationDropped, retired } = log.commit(to);
    outputs.push({ type: "commit", seqno: to });
    if (configurationDropped) {
      this.refreshPeers();
      this.askForCleanup();
    }
    if (retired.length > 0) this.#retiredCommitted(retired);
  }

  /** §10.3: a record for every other node of an active configuration. None is removed here. */
  refreshPeers(): void {
    const { id, log, peers, role, nowMs } = this.#state;
    const added = log.configurations.nodes.filter((node) => node !== id && peers.get(node) === undefined);
    if (added.length === 0) return;
    const { lastSeqno } = log;
    const records = added.map((node) => [node, peers.add(node, lastSeqno, nowMs)] as const);
    this.#reportPeers();
    if (role !== "primary") return;
    // The new node answers this heartbeat with its own last seqno, and catching up begins.
    for (const [node, peer] of records) this.#state.sendAppendEntries(node, peer, seqno(lastSeqno + 1));
  }

  /** §11.3. */
  askForCleanup(): void {
    const { log, outputs, role } = this.#state;
    const nodes = log.removedNodes.unmarked;
    if (role === "primary" && nodes.length > 0) outputs.push({ type: "cleanup-retired", nodes });
  }

  /**
   * §11.4. Others go first: none of them can then be named successor. A node that is in an active configuration keeps its
   * record; no sound log retires it, and without a record it would count in quorums and never be sent anything.
   */
  #retiredCommitted(nodes: readonly NodeId[]): void {
    const { id, log, peers } = this.#state;
    if (this.#state.tellRetired) this.#tellRetired(nodes);
    const gone = nodes.filter((node) => !log.configurations.includes(node) && peers.delete(node));
    if (gone.length > 0) this.#reportPeers();
    if (nodes.includes(id) && log.retirement.finish()) this.#becomeRetiredCommitted();
  }

  /** Our `tellRetired`: the last append-entries to these nodes carries the commit by which they are retired-committed. */
  #tellRetired(nodes: readonly NodeId[]): void {
    if (this.#state.role !== "primary") return;
    for (const node of nodes) {
      const peer = this.#state.peers.get(node);
      if (peer !== undefined) this.#state.sendAppendEntries(node, peer);
    }
  }

  /** §11.5. Terminal: the node still answers, and never leads or campaigns again. */
  #becomeRetiredCommitted(): void {
    const state = this.#state;
    const successor = state.role === "primary" ? this.#successor() : undefined;
    if (successor !== undefined) state.send(successor, { type: "propose-request-vote", view: state.view });
    state.role = "none";
    state.primary = undefined;
    state.announce();
  }

  /** The peer with the most, then the one in the newest configuration, then the one with the lowest id. */
  #successor(): NodeId | undefined {
    let best: { readonly node: NodeId; readonly matchSeqno: Seqno; readonly configuration: Seqno } | undefined;
    for (const [node, { matchSeqno }] of this.#state.peers) {
      const configuration = this.#state.log.configurations.newestSeqnoOf(node);
      const better =
        best === undefined ||
        matchSeqno > best.matchSeqno ||
        (matchSeqno === best.matchSeqno && configuration > best.configuration);
      if (better) best = { node, matchSeqno, configuration };
    }
    return best?.node;
  }

  #reportPeers(): void {
    this.#state.outputs.push({ type: "peers", nodes: this.#state.peers.ids });
  }
}
