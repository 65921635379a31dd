/**
 * When the primary appends a signature entry; only those can commit (design.md §2, signature cadence). Adaptive by default: at once while
 * no signature of ours is uncommitted, so that a lone write takes one round, and many writes share one signature under load.
 */
export interface SigningLimits {
  /** Sign at the latest after this many unsigned entries. CCF: 5,000. */
  readonly entriesMax: number;
  /** Sign at the latest this long after the first unsigned entry, in ms. CCF: 1,000. */
  readonly delayMsMax: number;
  /** CCF's fixed cadence: wait for one of the two limits even when nothing else is under way. */
  readonly fixed: boolean;
}

export const SIGNING_DEFAULTS: SigningLimits = { entriesMax: 5_000, delayMsMax: 1_000, fixed: false };

export class SigningPolicy {
  readonly #limits: SigningLimits;
  #unsigned = 0;
  #unsignedSinceMs = 0;
  #isUrgent = false;

  constructor(limits: SigningLimits) {
    this.#limits = limits;
  }

  /**
   * @param isReconfiguration - Such an entry is signed whatever else is pending: earlier signatures may now need the very node it adds
   *   (consensus spec §18, commit quorum), and that node is told of its trust only once this entry is signed.
   */
  handleEntry(isReconfiguration: boolean, nowMs: number): void {
    if (this.#unsigned === 0) this.#unsignedSinceMs = nowMs;
    this.#unsigned += 1;
    this.#isUrgent ||= isReconfiguration;
  }

  handleSignature(): void {
    this.#unsigned = 0;
    this.#isUrgent = false;
  }

  /** After a roll-back to a signature nothing is unsigned. */
  handleRollback(): void {
    this.handleSignature();
  }

  /** @param signaturePending - whether a signature of ours is appended and not yet committed. */
  isDue(signaturePending: boolean, nowMs: number): boolean {
    if (this.#unsigned === 0) return false;
    const { entriesMax, delayMsMax, fixed } = this.#limits;
    if (this.#isUrgent || (!fixed && !signaturePending)) return true;
    return this.#unsigned >= entriesMax || nowMs - this.#unsignedSinceMs >= delayMsMax;
  }

  /** When `isDue` may turn true by time alone; `Infinity` when nothing is unsigned. */
  get dueMs(): number {
    return this.#unsigned === 0 ? Number.POSITIVE_INFINITY : this.#unsignedSinceMs + this.#limits.delayMsMax;
  }
}
