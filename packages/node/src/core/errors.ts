/** How a node refuses a client's request, and how it reports a fault of its own. */
import { CertificateError, CryptoError } from "@sealane/crypto";
import { KvError } from "@sealane/kv";
import { type ErrorAnswer, type ErrorCode, formatTxId, type TxId, WireError } from "@sealane/wire";

/** HTTP status by code, and whether the same request may be sent again as it is. */
const BY_CODE: Readonly<Record<ErrorCode, { status: number; retryable: boolean }>> = {
  malformed: { status: 400, retryable: false },
  forbidden: { status: 403, retryable: false },
  "not-found": { status: 404, retryable: false },
  "not-held": { status: 404, retryable: true },
  "startup-seqno-old": { status: 409, retryable: false },
  "method-not-allowed": { status: 405, retryable: false },
  conflict: { status: 409, retryable: false },
  "too-large": { status: 413, retryable: false },
  internal: { status: 500, retryable: false },
  "no-quorum": { status: 503, retryable: true },
  "no-primary": { status: 503, retryable: true },
  overloaded: { status: 503, retryable: true },
  timeout: { status: 503, retryable: true },
  lost: { status: 503, retryable: true },
  "not-trusted": { status: 503, retryable: true },
  stopping: { status: 503, retryable: true },
  retired: { status: 503, retryable: true },
};

/** A request was refused. The message is for the client: one sentence that says what to do. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: ErrorCode;
  /** The transaction in doubt, if one was executed: its status tells what became of it. */
  readonly txId: TxId | undefined;

  constructor(code: ErrorCode, message: string, txId?: TxId) {
    super(message);
    this.code = code;
    this.txId = txId;
  }

  get status(): number {
    return BY_CODE[this.code].status;
  }

  get answer(): ErrorAnswer {
    const { code, message, txId } = this;
    return {
      error: {
        code,
        message,
        retryable: BY_CODE[code].retryable,
        ...(txId === undefined ? {} : { txId: formatTxId(txId) }),
      },
    };
  }
}

/** What a client is told of an error that a handler threw. Nothing of an unforeseen one, which may hold anything. */
export function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof FaultError) throw error;
  if (error instanceof WireError || error instanceof CertificateError || error instanceof CryptoError) {
    return new RequestError("malformed", `This request does not fit: ${error.message}.`);
  }
  if (error instanceof KvError) {
    return TOO_LARGE.has(error.code)
      ? new RequestError("too-large", `This write is too large: ${error.message}.`)
      : new RequestError("internal", "The application wrote something the store refuses.");
  }
  return new RequestError("internal", "The application failed on this request; nothing was written.");
}

const TOO_LARGE: ReadonlySet<string> = new Set(["key-too-large", "value-too-large", "transaction-too-large"]);

export type FaultCode = "primary-fault" | "ledger-damaged" | "nothing-to-recover";

/**
 * The node cannot go on without risking its state: an authenticated primary sent entries whose signed root is not ours, or the ledger
 * read back at start does not verify, or is not enough to go on from alone. The host stops the node and says so; an operator looks at the named entry.
 */
export class FaultError extends Error {
  override readonly name = "FaultError";
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
