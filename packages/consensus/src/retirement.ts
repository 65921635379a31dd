/** This node's own way out of the service, phase by phase (consensus spec §11.1). */
import type { Seqno } from "@sealane/wire";
import { assert } from "./assert.js";
import type { OwnRetirement, RetirementPhase } from "./interface.js";

export class Retirement {
  /** Undefined: active. Invariant: `signedSeqno` is set in every phase but "ordered", and is at or after `removedSeqno`. */
  #state: OwnRetirement | undefined;

  constructor(state?: OwnRetirement) {
    this.#state = state;
  }

  get state(): OwnRetirement | undefined {
    return this.#state;
  }

  get phase(): RetirementPhase | undefined {
    return this.#state?.phase;
  }

  /** The entry at `removedSeqno` took this node out of the newest configuration. */
  order(removedSeqno: Seqno): void {
    if (this.#state !== undefined) return; // identities are used once: there is no second removal
    this.#state = { removedSeqno, signedSeqno: undefined, phase: "ordered" };
  }

  /** A signature was appended. */
  sign(signedSeqno: Seqno): void {
    if (this.#state?.phase === "ordered") this.#state = { ...this.#state, signedSeqno, phase: "signed" };
  }

  commit(to: Seqno): void {
    if (this.#state?.phase !== "signed") return;
    assert(this.#state.signedSeqno !== undefined, "phase signed has a signature");
    if (to >= this.#state.signedSeqno) this.#state = { ...this.#state, phase: "completed" };
  }

  /**
   * §11.4: the retirement-committed entry that names this node is committed. Terminal.
   * @returns false when the removal itself is not committed, which no sound log can bring about; then nothing changes.
   */
  finish(): boolean {
    if (this.#state?.phase !== "completed") return false;
    this.#state = { ...this.#state, phase: "retired-committed" };
    return true;
  }

  /** First signed → ordered, then ordered → active; the committed phases stay. */
  rollback(to: Seqno): void {
    if (this.#state?.phase === "signed" && (this.#state.signedSeqno ?? 0) > to) {
      this.#state = { ...this.#state, signedSeqno: undefined, phase: "ordered" };
    }
    if (this.#state?.phase === "ordered" && this.#state.removedSeqno > to) this.#state = undefined;
  }
}
