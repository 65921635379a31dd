/** A receipt as a client wants it: asked for, and verified before it is handed on (ledger spec §9.3). */
import { type ReceiptCrypto, ReceiptError, type ReceiptFacts, verifyReceipt, webCrypto } from "@sealane/ledger/receipt";
import { formatTxId, WireError } from "@sealane/wire";
import { ClientError } from "./errors.js";

export type ReceiptForm = "json" | "cose";

/** What a receipt is checked against. */
export interface ReceiptChecks {
  /** PEM: the service that must have committed the transaction. */
  readonly serviceCertificate: string;
  /** What the application is said to have claimed in the transaction; anything else is refused. */
  readonly claims?: Uint8Array | undefined;
  /** Default: Web Crypto. */
  readonly crypto?: ReceiptCrypto | undefined;
}

/** A receipt that verified. Keep `receipt`: it proves the same to anybody who trusts the service, with `@sealane/ledger/receipt`. */
export interface VerifiedReceipt {
  /** UTF-8 of the JSON form, or the COSE form. */
  readonly receipt: Uint8Array;
  /** What it proves. */
  readonly facts: ReceiptFacts;
}

/** @throws {ClientError} `bad-receipt` when it does not verify, or speaks of another transaction. */
export async function checkReceipt(txId: string, receipt: Uint8Array, checks: ReceiptChecks): Promise<VerifiedReceipt> {
  const { serviceCertificate, claims, crypto = webCrypto(globalThis.crypto.subtle) } = checks;
  let facts: ReceiptFacts;
  try {
    facts = await verifyReceipt(receipt, { crypto, serviceCertificate, ...(claims && { claims }) });
  } catch (cause) {
    if (!(cause instanceof ReceiptError)) throw cause;
    throw new ClientError("bad-receipt", `the receipt of ${txId} proves nothing: ${cause.message}`, {
      retryable: false,
      cause,
    });
  }
  // A receipt of a signature transaction names none (§9.1): it proves what it proves.
  if (facts.transactionId !== undefined && formatTxId(facts.transactionId) !== txId) {
    const message = `the receipt is of transaction ${formatTxId(facts.transactionId)}, not of ${txId}`;
    throw new ClientError("bad-receipt", message, { retryable: false });
  }
  return { receipt, facts };
}

/** @throws {WireError} `malformed`. */
export function requireBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new WireError("malformed", "the answer is not bytes");
}
