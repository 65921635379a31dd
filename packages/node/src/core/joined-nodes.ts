/**
 * Ends a node's joining. A trusted node is told the service's secrets; as soon as it acknowledges the entry that trusted it, it has stored
 * them, and its record says so. From then on nobody is told them in its name, so a node key that leaks later is not worth the service.
 */
import type { NodeId, Seqno } from "@sealane/wire";
import type { ReplicatedLog } from "./replicated-log.js";
import { nodeInfos } from "./tables.js";

export class JoinedNodes {
  readonly #log: ReplicatedLog;
  /** Nodes whose record is committed: nothing is left to do for them. */
  readonly #done = new Set<NodeId>();

  constructor(log: ReplicatedLog) {
    this.#log = log;
  }

  /** Forgets nodes that are gone from the service. */
  keepOnly(ids: ReadonlySet<NodeId>): void {
    for (const id of this.#done) if (!ids.has(id)) this.#done.delete(id);
  }

  /** @param acknowledged - The last seqno `id` says that it holds. */
  handleAcknowledgement(id: NodeId, acknowledged: Seqno, nowMs: number): void {
    const { standing, store } = this.#log;
    if (standing.role !== "primary" || this.#done.has(id) || this.#log.isFull) return; // the next acknowledgement does it
    if (store.read("committed").map(nodeInfos).get(id)?.joined) {
      this.#done.add(id);
      return;
    }
    const tx = store.begin();
    const nodes = tx.map(nodeInfos);
    const info = nodes.get(id);
    const trustedIn = nodes.versionOf(id);
    if (info?.status !== "Trusted" || info.joined || trustedIn === undefined || trustedIn.seqno > acknowledged) return;
    nodes.put(id, { ...info, joined: true });
    this.#log.append(tx.writeSet(), nowMs);
  }
}
