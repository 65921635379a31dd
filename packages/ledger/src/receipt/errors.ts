/** Why a receipt was refused. */
import type { ReceiptStep } from "./facts.js";

/**
 * - `too-large`: more than `RECEIPT_BYTES_MAX`.
 * - `malformed`: neither form of §9, or another spelling than the one there is.
 * - `bad-evidence`: the commit evidence is not `ce:<view>.<seqno>:<64 hex digits>`.
 * - `claims-mismatch`: the claims that were shown are not those of the transaction.
 * - `bad-certificate`: a certificate in the receipt cannot be read, or may not be used where it stands.
 * - `bad-service-certificate`: the service certificate that was given cannot be read or may not endorse anything.
 * - `node-id-mismatch`: the node id is not the hash of the key in the node's certificate.
 * - `bad-signature`: the signature over the Merkle root does not verify: a digest, the path or the signature was changed.
 * - `not-endorsed`: the service that was given did not endorse the node's certificate.
 * - `other-service`: a COSE receipt of another service.
 * - `out-of-order`: a COSE signature that does not come after the transaction.
 */
export type ReceiptErrorCode =
  | "too-large"
  | "malformed"
  | "bad-evidence"
  | "claims-mismatch"
  | "bad-certificate"
  | "bad-service-certificate"
  | "node-id-mismatch"
  | "bad-signature"
  | "not-endorsed"
  | "other-service"
  | "out-of-order";

/** A receipt proves nothing. Asking for it again helps only if it was damaged on its way. */
export class ReceiptError extends Error {
  override readonly name = "ReceiptError";
  readonly code: ReceiptErrorCode;
  /** What had been computed when the check failed, to show where. */
  readonly steps: readonly ReceiptStep[];
  constructor(code: ReceiptErrorCode, message: string, steps: readonly ReceiptStep[] = []) {
    super(message);
    this.code = code;
    this.steps = steps;
  }
}
