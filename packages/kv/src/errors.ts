/** What the store refuses, and why. */

/**
 * - `bad-seqno`: `apply` was given another seqno than the next one; or the seqnos of a snapshot do not fit, or it was installed too late.
 * - `bad-write-set`: maps or keys do not ascend, a key appears twice, or a map has no change (ledger spec §3.2).
 * - `out-of-range`: `rollback` or `compact` beyond the last seqno, or `rollback` below the committed one.
 * - `bad-map-name`, `key-too-large`, `value-too-large`, `transaction-too-large`: over a bound of `limits.ts`.
 * - `stale-transaction`: the store changed after `begin`; begin again and run the whole transaction anew.
 * - `malformed`: a codec could not read stored bytes, or was given a value it cannot write.
 */
export type KvErrorCode =
  | "bad-seqno"
  | "bad-write-set"
  | "out-of-range"
  | "bad-map-name"
  | "key-too-large"
  | "value-too-large"
  | "transaction-too-large"
  | "stale-transaction"
  | "malformed";

/** The store refused an operation and is as it was before. What to do next depends on `code`; the message never holds a value. */
export class KvError extends Error {
  override readonly name = "KvError";
  readonly code: KvErrorCode;
  constructor(code: KvErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** States what the code around it guarantees. A failure is a bug of this package. */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(`kv: broken invariant: ${why}`);
}
