/** The second entry of removed nodes (consensus spec §11.3): what the primary writes once their removal is committed. */
import type { Store } from "@sealane/kv";
import type { NodeId, WriteSet } from "@sealane/wire";
import { writeRetiredCommitted } from "./governance.js";

export class Retirements {
  /** As primary: nodes whose removal is committed, and whose second entry is still to be written. */
  #waiting: readonly NodeId[] = [];

  /** @param nodes - All of them, each time the replica asks. */
  handleCleanup(nodes: readonly NodeId[]): void {
    this.#waiting = nodes;
  }

  /** This node is not the primary: the next one is asked anew. */
  handleNoPrimary(): void {
    this.#waiting = [];
  }

  /** @returns what to append for all that wait, which then wait no more; nothing when it was written before. */
  take(store: Store): WriteSet {
    if (this.#waiting.length === 0) return [];
    const tx = store.begin();
    writeRetiredCommitted(tx, this.#waiting);
    this.#waiting = [];
    return tx.writeSet();
  }
}
