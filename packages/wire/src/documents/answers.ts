/** What clients are answered: writes, reads, the status of a transaction, and errors. */
import { z } from "zod";
import { documentParser, TxIdText } from "./document.js";

/** Bound on the text of an error, in characters. */
const MESSAGE_CHARS_MAX = 1000;
const RECORD_KEY = /^[A-Za-z0-9._~-]{1,256}$/;

const TxStatus = z.enum(["unknown", "pending", "committed", "invalid"]);
/** `invalid` is final: another transaction was committed in its place. `unknown` may still become any of the others. */
export type TxStatus = z.infer<typeof TxStatus>;

const TxStatusResponse = z.strictObject({ txId: TxIdText, status: TxStatus }).readonly();
export type TxStatusResponse = z.infer<typeof TxStatusResponse>;

/** Every write is answered with these two; an application adds fields of its own. */
const WriteAnswer = z.looseObject({ txId: TxIdText, status: z.enum(["committed", "pending"]) }).readonly();
export type WriteAnswer = z.infer<typeof WriteAnswer>;

const RecordAnswer = z
  .strictObject({
    key: z.string().regex(RECORD_KEY, "expected 1 to 256 characters of A-Z a-z 0-9 . _ ~ -"),
    // Whatever JSON.parse gave: a schema would walk it, and a deeply nested value would end the stack.
    value: z.custom<unknown>((value) => value !== undefined, "expected a JSON value"),
    txId: TxIdText,
  })
  .readonly();
/** `GET /records/:key`. `txId` is the transaction that wrote the value. */
export type RecordAnswer = z.infer<typeof RecordAnswer>;

/** Why a request was not done. The list is closed: clients switch on it. */
export const ERROR_CODES = [
  "no-quorum",
  "no-primary",
  "not-found",
  /** It exists, but this node cannot read it any more; another one may. */
  "not-held",
  /** The snapshot a joiner starts from is older than what the service can still send it: join with a newer one. */
  "startup-seqno-old",
  "malformed",
  "too-large",
  "overloaded",
  "timeout",
  "not-trusted",
  "forbidden",
  "conflict",
  "lost",
  "internal",
  "method-not-allowed",
  "stopping",
  "retired",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

const ErrorAnswer = z
  .strictObject({
    error: z
      .strictObject({
        code: z.enum(ERROR_CODES),
        /** One sentence for people. Nothing may be decided by it. */
        message: z.string().max(MESSAGE_CHARS_MAX),
        /** The same request may succeed later, at this node or another. */
        retryable: z.boolean(),
        /** Present when the request may have been executed: ask for its status. */
        txId: TxIdText.exactOptional(),
      })
      .readonly(),
  })
  .readonly();
export type ErrorAnswer = z.infer<typeof ErrorAnswer>;

/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseTxStatusResponse: (value: unknown) => TxStatusResponse = documentParser(
  "transaction status",
  TxStatusResponse,
);
/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseWriteAnswer: (value: unknown) => WriteAnswer = documentParser("answer to a write", WriteAnswer);
/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseRecordAnswer: (value: unknown) => RecordAnswer = documentParser("answer to a read", RecordAnswer);
/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseErrorAnswer: (value: unknown) => ErrorAnswer = documentParser("error answer", ErrorAnswer);
