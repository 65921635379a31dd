/** Notices when a commit brings another configuration into force (consensus spec §8.10). */
import type { Configuration } from "@sealane/consensus";
import type { Seqno } from "@sealane/wire";

export class ConfigurationInForce {
  /** Of the newest one that was in force at a commit; 0: none yet. */
  #seqno = 0;

  /**
   * @param active - As the replica has them after the commit up to `at`, oldest first. Later commits of the same turn may be in it already.
   * @returns whether it is another one than at the last commit, or the first.
   */
  handleCommit(at: Seqno, [current]: readonly Configuration[]): boolean {
    if (current === undefined || current.seqno <= this.#seqno || current.seqno > at) return false;
    this.#seqno = current.seqno;
    return true;
  }
}
