/** The signature entries a log holds above its commit seqno: the only possible commit points (consensus spec §3.2, §5). */
import type { Seqno } from "@sealane/wire";
import { assert } from "./assert.js";

export class CommittableSeqnos {
  /** Invariant: strictly ascending, and all above the commit seqno. Never emptied on election (spec §16 B2'). */
  #seqnos: Seqno[] = [];

  get all(): readonly Seqno[] {
    return [...this.#seqnos];
  }

  get last(): Seqno | undefined {
    return this.#seqnos.at(-1);
  }

  push(seqno: Seqno): void {
    assert(seqno > (this.last ?? 0), "signatures are appended in order");
    this.#seqnos.push(seqno);
  }

  highestAtOrBelow(limit: Seqno): Seqno | undefined {
    return this.#seqnos.findLast((seqno) => seqno <= limit);
  }

  firstAtOrAbove(limit: Seqno): Seqno | undefined {
    return this.#seqnos.find((seqno) => seqno >= limit);
  }

  rollback(to: Seqno): void {
    this.#seqnos = this.#seqnos.filter((seqno) => seqno <= to);
  }

  commit(to: Seqno): void {
    this.#seqnos = this.#seqnos.filter((seqno) => seqno > to);
  }
}
