/** What the page's ledger explorer asks for, under `/api/nodes/:index/ledger`. Both sides of the wire import this file; the page parses with it. */
import { z } from "zod";

/** Entries in one answer. */
export const PAGE_ENTRIES_MAX = 100;

const Count = z.int().nonnegative();

const StoredEntryView = z
  .strictObject({
    seqno: z.int().positive(),
    file: z.string(),
    /** In that file. */
    offset: Count,
    /** Base64 of the whole entry. */
    bytes: z.string(),
  })
  .readonly();

/** Entries in order as they stand in a node's files: as many as were asked for, or as fit one answer, or as there are. */
export const LedgerPageView = z
  .strictObject({ entries: z.array(StoredEntryView).max(PAGE_ENTRIES_MAX).readonly() })
  .readonly();
export type LedgerPageView = z.infer<typeof LedgerPageView>;

/** As `Shown` of the ledger: text, or bytes that are none. */
const Shown = z.union([z.string(), z.strictObject({ hex: z.string() }).readonly()]);

const ShownMap = z
  .strictObject({
    name: z.string(),
    writes: z.array(z.strictObject({ key: Shown, value: Shown }).readonly()).readonly(),
    removes: z.array(Shown).readonly(),
  })
  .readonly();

/** The private part of one entry as a node that holds the ledger secrets reads it. */
export const OpenedEntryView = z.strictObject({ maps: z.array(ShownMap).readonly() }).readonly();
export type OpenedEntryView = z.infer<typeof OpenedEntryView>;

/** A receipt, and all that is needed to verify it without asking anybody. */
export const ReceiptView = z
  .strictObject({
    /** The JSON form, as text. */
    receipt: z.string(),
    /** PEM. */
    serviceCertificate: z.string(),
  })
  .readonly();
export type ReceiptView = z.infer<typeof ReceiptView>;

/** Every answer that is not one of these. */
export const Refusal = z.looseObject({ error: z.string() });
