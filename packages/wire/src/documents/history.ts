/**
 * Pages of the past: `GET /tx`, `GET /tx/:txId/entry` and the history of one key, such as `GET /records/:key/history`. A page holds what was
 * found between `from` and `to`; where `next` is a seqno, ask again with it in place of the end that the page began at.
 */
import { z } from "zod";
import { NodeId, Seqno } from "../brands.js";
import { base64Bytes, documentParser, TxIdText } from "./document.js";

/** Entries, or changes, in one page at most. */
export const HISTORY_PAGE_ITEMS_MAX = 1_000;
/** Bounds of one entry, as the ledger has them. */
const MAPS_MAX = 1_024;
const CHANGES_MAX = 262_144;
const NAME_CHARS_MAX = 1_024;
/** An entry of more bytes is not shown over the API; whoever holds the ledger's files can read it there. */
export const SHOWN_ENTRY_BYTES_MAX = 4 * 1_048_576;

const Count = z.int().nonnegative();
const Digest = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits");
const Bytes = base64Bytes(SHOWN_ENTRY_BYTES_MAX);

const Maps = z
  .array(
    z
      .strictObject({
        name: z.string().max(NAME_CHARS_MAX),
        writes: z
          .array(z.tuple([Bytes, Bytes]).readonly())
          .max(CHANGES_MAX)
          .readonly(),
        removes: z.array(Bytes).max(CHANGES_MAX).readonly(),
      })
      .readonly(),
  )
  .max(MAPS_MAX)
  .readonly();

const HistoricalEntry = z
  .strictObject({
    txId: TxIdText,
    /** Of the entry as it is stored. */
    bytes: Count,
    /** SHA-256 of the entry as it is stored: what its receipt proves. */
    writeSetDigest: Digest,
    /** What the application claimed, as SHA-256; 64 zeros: nothing. Null in old entries that have none. */
    claimsDigest: Digest.nullable(),
    /** Set on a signature transaction: who signed, and the root of all entries before. */
    signature: z.strictObject({ node: NodeId, root: Digest }).readonly().nullable(),
    publicMaps: Maps,
    /** Of the private maps those that the application lets every client read. */
    privateMaps: Maps,
    /** Length of the private part as it is stored, all its maps together. */
    privateBytes: Count,
  })
  .readonly();
/** One committed entry of the ledger as a node shows it. */
export type HistoricalEntry = z.infer<typeof HistoricalEntry>;

const range = {
  from: Seqno,
  to: Seqno,
  /** Where to go on; null when the range is done. */
  next: Seqno.nullable(),
};

const EntriesPage = z
  .strictObject({ entries: z.array(HistoricalEntry).max(HISTORY_PAGE_ITEMS_MAX).readonly(), ...range })
  .readonly();
export type EntriesPage = z.infer<typeof EntriesPage>;

const KeyChange = z
  .union([
    // The value may be anything that JSON.parse gave: a schema would walk it, and a deeply nested value would end the stack.
    z.strictObject({
      txId: TxIdText,
      value: z.custom<unknown>((value) => value !== undefined, "expected a JSON value"),
    }),
    z.strictObject({ txId: TxIdText, removed: z.literal(true) }),
  ])
  .readonly();

const KeyHistoryPage = z
  .strictObject({ changes: z.array(KeyChange).max(HISTORY_PAGE_ITEMS_MAX).readonly(), ...range })
  .readonly();
export type KeyHistoryPage = z.infer<typeof KeyHistoryPage>;

/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseHistoricalEntry: (value: unknown) => HistoricalEntry = documentParser("entry", HistoricalEntry);
/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseEntriesPage: (value: unknown) => EntriesPage = documentParser("page of entries", EntriesPage);
/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseKeyHistoryPage: (value: unknown) => KeyHistoryPage = documentParser(
  "history of a key",
  KeyHistoryPage,
);
