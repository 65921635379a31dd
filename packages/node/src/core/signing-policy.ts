/**
 * When the primary appends a signature entry; only those can commit (design.md §2, signature cadence). Adaptive by default: at once for a
 * lone write, so that it takes one round, and many writes share one signature under load.
 *
 * A signature costs all nodes together milliseconds of CPU, whatever it covers, and clients that wait for their answers write again when they
 * have them. To sign the moment a round ends would sign the few writes that came during it, and leave to the next round the many that are
 * just about to come. So after a commit the primary waits for its crowd: until as many writes are unsigned as the commit answered and were
 * waiting then, or, since nobody promised to come back, for as long as that round took and `CROWD_MS_MAX` at most. The crowd of a lone writer
 * is that writer, who never waits.
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

/** How long a crowd is waited for at most, in ms: little beside a slow round, and enough for a client to have its answer and write again. */
export const CROWD_MS_MAX = 20;

export class SigningPolicy {
  readonly #limits: SigningLimits;
  #unsigned = 0;
  #unsignedSinceMs = 0;
  #isUrgent = false;
  /** Entries under signatures that have not committed. */
  #signed = 0;
  #signedAtMs = 0;
  /** How many writes the crowd is made of, and until when it is waited for. */
  #crowd = 0;
  #crowdUntilMs = 0;

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

  handleSignature(nowMs: number): void {
    this.#signed += this.#unsigned;
    this.#signedAtMs = nowMs;
    this.#unsigned = 0;
    this.#isUrgent = false;
  }

  /** The last signature of ours has committed. */
  handleCommit(nowMs: number): void {
    this.#crowd = this.#signed + this.#unsigned;
    this.#crowdUntilMs = nowMs + Math.min(nowMs - this.#signedAtMs, CROWD_MS_MAX);
    this.#signed = 0;
  }

  /** After a roll-back to a signature nothing is unsigned, and nobody is owed an answer. */
  handleRollback(): void {
    this.#unsigned = 0;
    this.#isUrgent = false;
    this.#signed = 0;
    this.#crowd = 0;
  }

  /** @param signaturePending - whether a signature of ours is appended and not yet committed. */
  isDue(signaturePending: boolean, nowMs: number): boolean {
    if (this.#unsigned === 0) return false;
    const { entriesMax, delayMsMax } = this.#limits;
    if (this.#isUrgent || (!signaturePending && this.#isCrowdHere(nowMs))) return true;
    return this.#unsigned >= entriesMax || nowMs - this.#unsignedSinceMs >= delayMsMax;
  }

  /** When `isDue` may turn true by time alone; `Infinity` when nothing is unsigned. */
  dueMs(signaturePending: boolean): number {
    if (this.#unsigned === 0) return Number.POSITIVE_INFINITY;
    const latestMs = this.#unsignedSinceMs + this.#limits.delayMsMax;
    return signaturePending || this.#limits.fixed ? latestMs : Math.min(this.#crowdUntilMs, latestMs);
  }

  #isCrowdHere(nowMs: number): boolean {
    return !this.#limits.fixed && (this.#unsigned >= this.#crowd || nowMs >= this.#crowdUntilMs);
  }
}
