export { BACKOFF_MS_MAX, BACKOFF_MS_MIN } from "./backoff.js";
export type { CallOptions } from "./call-options.js";
export {
  ATTEMPT_TIMEOUT_MS_DEFAULT,
  type Client,
  type ClientOptions,
  createClient,
  type GetOptions,
  isRecordKey,
  type PutAnswer,
  type PutOptions,
  type ReceiptOptions,
  TIMEOUT_MS_DEFAULT,
  URLS_MAX,
} from "./client.js";
export { ClientError, type ClientErrorCode, type ClientErrorDetails } from "./errors.js";
export type { Fetch, FetchAnswer, FetchInit } from "./exchange.js";
export type { RangeOptions, RecordChange } from "./history.js";
export type { Clock } from "./platform.js";
export type { ReceiptChecks, ReceiptForm, VerifiedReceipt } from "./receipt.js";
