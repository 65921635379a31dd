/** What the page's ledger explorer asks for, under `/api/nodes/:index/ledger`. Types only: both sides of the wire import this file. */

/** One entry as it stands in a node's file. */
export interface StoredEntryView {
  readonly seqno: number;
  readonly file: string;
  /** In that file. */
  readonly offset: number;
  /** Base64 of the whole entry. */
  readonly bytes: string;
}

/** Entries in order, as many as were asked for, or as fit one answer, or as there are. */
export interface LedgerPageView {
  readonly entries: readonly StoredEntryView[];
}

/** Bytes that are text are a string, others hex. */
export type ShownBytes = { readonly text: string } | { readonly hex: string };

export interface ShownMap {
  readonly name: string;
  readonly writes: readonly { readonly key: ShownBytes; readonly value: ShownBytes }[];
  readonly removes: readonly ShownBytes[];
}

/** The private part of one entry as a node that holds the ledger secrets reads it. */
export interface OpenedEntryView {
  readonly maps: readonly ShownMap[];
}

/** A receipt, and all that is needed to verify it without asking anybody. */
export interface ReceiptView {
  /** The JSON form, as text. */
  readonly receipt: string;
  /** PEM. */
  readonly serviceCertificate: string;
}
