/** What a call of the client can fail with. */
import type { ErrorCode } from "@sealane/wire";

/**
 * The codes a service answers with, and five of the client's own:
 *
 * - `unreachable`: no connection to any node, or one that broke.
 * - `bad-answer`: an answer that is not what a Sealane node sends.
 * - `bad-receipt`: a receipt that does not prove what it was asked for; `cause` is the `ReceiptError` that says why.
 * - `untrusted`: the connection was refused for good, such as by a certificate check; see `ClientOptions.isFatal`.
 * - `aborted`: the caller's signal ended the call.
 *
 * A call that runs out of time fails with the last reason it heard; with `timeout` if it heard none.
 */
export type ClientErrorCode = ErrorCode | "unreachable" | "bad-answer" | "bad-receipt" | "untrusted" | "aborted";

export interface ClientErrorDetails extends ErrorOptions {
  readonly retryable: boolean;
  readonly status?: number | undefined;
  readonly txId?: string | undefined;
}

/**
 * A call failed. The message is one sentence for people. Where `retryable` is set the client has retried until its deadline, and the
 * same call may succeed later; otherwise it never will as it is.
 */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;
  readonly retryable: boolean;
  /** HTTP status of the answer, if there was one. */
  readonly status: number | undefined;
  /** Set when a write may have been executed all the same: `status(txId)` tells. */
  readonly txId: string | undefined;
  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.retryable = details.retryable;
    this.status = details.status;
    this.txId = details.txId;
  }
}
