/**
 * How many bytes of entries wait for their commit: what a primary has to hold in memory whatever happens, and so a bound it must keep.
 * Commits and roll-backs end at signatures, so it is enough to remember the sum at each of those.
 */
import { type Seqno, seqno } from "@sealane/wire";

/** Enough for seconds of writing at full speed; a client past it is asked to come back later. */
export const UNCOMMITTED_BYTES_MAX = 64 * 1024 * 1024;

interface Mark {
  readonly seqno: Seqno;
  readonly total: number;
}

export class UncommittedBytes {
  #total = 0;
  #committed = 0;
  /** Invariant: ascending in both; only signatures above the commit. */
  #marks: Mark[] = [];

  get isFull(): boolean {
    return this.#total - this.#committed >= UNCOMMITTED_BYTES_MAX;
  }

  handleAppend(entry: { readonly seqno: Seqno; readonly bytes: Uint8Array; readonly isSignature: boolean }): void {
    this.#total += entry.bytes.length;
    if (entry.isSignature) this.#marks.push({ seqno: entry.seqno, total: this.#total });
  }

  handleCommit(seqno: Seqno): void {
    this.#committed = this.#marks.findLast((mark) => mark.seqno <= seqno)?.total ?? this.#committed;
    this.#marks = this.#marks.filter((mark) => mark.seqno > seqno);
  }

  /** The last signature that is not committed; 0 without one. */
  get lastSignature(): Seqno {
    return this.#marks.at(-1)?.seqno ?? seqno(0);
  }

  handleRollback(to: Seqno): void {
    this.#marks = this.#marks.filter((mark) => mark.seqno <= to);
    this.#total = this.#marks.at(-1)?.total ?? this.#committed;
  }
}
