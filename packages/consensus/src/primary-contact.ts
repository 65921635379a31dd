/**
 * Whether a live primary was heard of within the minimum election timeout. Our options `leaderStickiness` and `readLease` refuse votes for
 * that long; consensus spec §9.7 does not, so there an up-to-date node on one side of a partial partition can depose a live primary.
 */

export class PrimaryContact {
  /** The shortest time after which a backup campaigns (spec §9.2), so a refusal never outlasts the wait of the one who asks. */
  readonly minTimeoutMs: number;
  #heardMs = Number.NEGATIVE_INFINITY;

  constructor(electionTimeoutMs: number) {
    this.minTimeoutMs = electionTimeoutMs - Math.floor(electionTimeoutMs / 2);
  }

  /** Append-entries of the present view were accepted. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  isRecent(nowMs: number): boolean {
    return nowMs - this.#heardMs < this.minTimeoutMs;
  }
}
