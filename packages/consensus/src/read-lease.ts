/**
 * Until when no other node can have become primary, by the clocks (our option `readLease`; docs/decisions has the argument).
 *
 * A peer that accepts append-entries refuses every vote for the minimum election timeout by its own clock. An acknowledgement does not say
 * which message it answers, and may have been under way for long. But one that names an entry of this view answers a message that was
 * made after that entry was appended here. So the time of that append is the latest that the peer's refusal surely began after, and
 * the lease counts from there, shortened by what two clocks may drift apart.
 */
import type { Seqno } from "@sealane/wire";

/** Marks in one lease: a mark can be this part of a lease too old, and the lease that much too short. */
const MARKS_PER_LEASE = 32;

/** An entry appended in this view, and when. */
interface Mark {
  readonly seqno: Seqno;
  readonly atMs: number;
}

export class ReadLease {
  readonly #lengthMs: number;
  /** Both ascend. Invariant: none is older than one lease, so there are at most `MARKS_PER_LEASE` and two. */
  #marks: Mark[] = [];

  /**
   * @param refusalMs - how long a peer refuses votes, by its clock.
   * @param clockDriftMax - a clock runs at most this part too fast or too slow: in [0, 1).
   * @param clockStepMs - what readings are rounded down to; 0: not at all.
   */
  constructor(refusalMs: number, clockDriftMax: number, clockStepMs = 0) {
    // The refusal lasts refusalMs / (1 + drift) at least, and what is measured as x here lasts x / (1 - drift) at most.
    // Rounding makes the one up to a step shorter by its clock, and hides up to a step of the other.
    const rounded = (refusalMs - clockStepMs) * (1 - clockDriftMax);
    this.#lengthMs = Math.max(0, rounded / (1 + clockDriftMax) - clockStepMs);
  }

  /** This node became primary: entries of earlier views prove nothing. */
  restart(): void {
    this.#marks = [];
  }

  /** This primary appended the entry at `seqno`. */
  appended(seqno: Seqno, atMs: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && atMs - last.atMs < this.#lengthMs / MARKS_PER_LEASE) return;
    this.#marks = [...this.#marks.filter((mark) => this.#lasts(mark, atMs)), { seqno, atMs }];
  }

  /** Whether a peer that acknowledged entries up to `matchSeqno` in this view refuses votes now. */
  covers(matchSeqno: Seqno, nowMs: number): boolean {
    const mark = this.#marks.findLast(({ seqno }) => seqno <= matchSeqno);
    return mark !== undefined && this.#lasts(mark, nowMs);
  }

  #lasts({ atMs }: Mark, nowMs: number): boolean {
    return nowMs - atMs < this.#lengthMs;
  }
}
