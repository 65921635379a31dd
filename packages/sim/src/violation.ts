/** What a checker throws. */
export type ViolationCode =
  /** Two nodes have committed different entries. */
  | "agreement"
  /** A property of consensus spec §15 does not hold; the message names it. */
  | "invariant"
  /** A node answered "committed" and the entry is not, or is no longer, committed. */
  | "acknowledged-lost"
  /** An operation took effect more often than it may, or although its client was told that it had none. */
  | "applied-twice"
  | "applied-though-refused"
  /** A node's committed state is one that never was. */
  | "wrong-state"
  | "status-went-back"
  | "tx-id-went-back"
  /** No order of the operations explains the answers, or the search for one took too many steps. */
  | "not-linearizable"
  | "undecided"
  /** The faults are over, and nobody is elected, something is not answered, or nodes stay apart. */
  | "no-progress"
  /** A node cannot come back although its disk kept its promises. */
  | "not-recovered"
  /** A node threw something. */
  | "crashed"
  /** What the user's own invariant or check threw. */
  | "application";

/** A property does not hold. Look at the message, then repeat the run with its seed. */
export class ViolationError extends Error {
  override readonly name = "ViolationError";
  readonly code: ViolationCode;

  constructor(code: ViolationCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
