/** How a node stands for election, and for whom it votes: what it can be told of that. The same on all nodes of a service. */
export interface Voting {
  /** Ask before standing for election (consensus spec §9.3), so that a node that was cut off deposes nobody. Default true (CCF's is false). */
  readonly preVote?: boolean;
  /**
   * Refuse to be asked so while a live primary is heard, so that a node that only some can reach deposes no primary that a majority hears.
   * Default true, as in etcd; CCF has no such rule. Without pre-votes it has no effect.
   */
  readonly leaderStickiness?: boolean;
  /**
   * Answer linearizable reads without asking the other nodes, as long as all of them refuse to elect another primary. Default: ask a majority.
   * Set it on all nodes or on none. A read may be stale if two clocks differ more than they are allowed to: if one runs faster or slower than
   * true time by more than `clockDriftMax`, a part in [0, 1), or stands still while its machine sleeps or is moved. The primary's role cannot be
   * handed over then, and a primary's removal takes up to an election timeout longer (docs/decisions/0014).
   */
  readonly readLease?: { readonly clockDriftMax: number };
}
