/** Entry point `@sealane/ledger/receipt`: the receipt verifier alone, small enough for a web page. */
export { ReceiptError, type ReceiptErrorCode } from "./receipt/errors.js";
export type { ReceiptFacts, ReceiptStep } from "./receipt/facts.js";
export { type JsonReceipt, RECEIPT_BYTES_MAX } from "./receipt/read-receipt.js";
export {
  type ReceiptCrypto,
  type SubtleLike,
  suiteCrypto,
  type VerifyingKey,
  webCrypto,
} from "./receipt/receipt-crypto.js";
export { type VerifyReceiptOptions, verifyReceipt } from "./receipt/verify-receipt.js";
