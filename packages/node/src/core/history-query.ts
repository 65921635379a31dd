/**
 * What can be asked about the past (ledger spec §2, §3): one transaction's entry, the entries of a range, and the changes of one key. Public maps
 * stand in clear on every disk and are shown; of the private ones only those that the application lets every client read.
 */
import type { DecodedEntry } from "@sealane/ledger";
import {
  base64,
  equalBytes,
  formatTxId,
  HISTORY_PAGE_ITEMS_MAX,
  hex,
  type Seqno,
  SHOWN_ENTRY_BYTES_MAX,
  seqno,
  type TxId,
  type TxStatus,
  type WriteSet,
} from "@sealane/wire";
import { RequestError } from "./errors.js";
import type { Page, SeqnoRange } from "./history-scan.js";
import type { KeyHistory } from "./key-history.js";

/** Items of a page unless the request says otherwise. */
const PAGE_ITEMS_DEFAULT = 100;
/** JSON text of one item: an entry of `SHOWN_ENTRY_BYTES_MAX` in base64 fits. */
const ITEM_CHARS_MAX = 6 * 1_048_576;

/** What it needs to know of the log to begin. */
export interface CommitState {
  readonly commitSeqno: Seqno;
  status(txId: TxId): TxStatus;
}

export interface HistoryQuery {
  readonly newestFirst: boolean;
  readonly itemsMax: number;
  /** Named in what the client is told. */
  readonly what: string;
  /** What to walk through; undefined while that is not committed here. @throws RequestError `not-found` when it never will be. */
  range(log: CommitState): SeqnoRange | undefined;
  /** JSON text of what the answer says of an entry; undefined: nothing. @throws RequestError `too-large`. */
  item(entry: DecodedEntry): string | undefined;
  /** JSON text of the answer. */
  body(page: Page): string;
}

/** @param shown - Private maps that clients may read. */
export function entryQuery(txId: TxId, shown: ReadonlySet<string>): HistoryQuery {
  return {
    newestFirst: false,
    itemsMax: 1,
    what: `transaction ${formatTxId(txId)}`,
    range(log) {
      const status = log.status(txId);
      if (status === "invalid" || txId.seqno === 0)
        throw new RequestError("not-found", `Transaction ${formatTxId(txId)} was rolled back: it has no entry.`);
      return status === "committed" ? { from: txId.seqno, to: txId.seqno } : undefined;
    },
    item: (entry) => entryText(entry, shown),
    body: ({ items }) => items[0] ?? "null",
  };
}

/** @param query - Of the request: `from`, `to`, `limit`, `order`. @throws RequestError `malformed`. */
export function entriesQuery(query: Readonly<Record<string, string>>, shown: ReadonlySet<string>): HistoryQuery {
  return {
    ...rangeOf(query),
    item: (entry) => entryText(entry, shown),
    body: (page) => pageText("entries", page),
  };
}

/** @param query - As for `entriesQuery`. @throws RequestError `malformed`. */
export function keyQuery({ map, key, show }: KeyHistory, query: Readonly<Record<string, string>>): HistoryQuery {
  return {
    ...rangeOf(query),
    item(entry) {
      const changes = entry.writeSet.find(({ name }) => name === map);
      const txId = formatTxId(entry);
      const write = changes?.writes.find(([written]) => equalBytes(written, key));
      if (write !== undefined) return bounded(JSON.stringify({ txId, value: show(write[1]) ?? null }), txId);
      const isRemoved = changes?.removes.some((removed) => equalBytes(removed, key));
      return isRemoved === true ? JSON.stringify({ txId, removed: true }) : undefined;
    },
    body: (page) => pageText("changes", page),
  };
}

function rangeOf(query: Readonly<Record<string, string>>): Omit<HistoryQuery, "item" | "body"> {
  const from = numberIn(query, "from", Number.MAX_SAFE_INTEGER) ?? 1;
  const to = numberIn(query, "to", Number.MAX_SAFE_INTEGER);
  const itemsMax = numberIn(query, "limit", HISTORY_PAGE_ITEMS_MAX) ?? PAGE_ITEMS_DEFAULT;
  const newestFirst = isDescending(query.order);
  if (to !== undefined && from > to) throw new RequestError("malformed", `"from" (${from}) is behind "to" (${to}).`);
  return {
    newestFirst,
    itemsMax,
    what: to === undefined ? `entry ${from}` : `entries ${from} to ${to}`,
    range({ commitSeqno }) {
      // An end that was not given is what is committed now; one that was is waited for, as far as the page needs it.
      if (to === undefined) return { from: seqno(from), to: commitSeqno };
      return (newestFirst ? to : from) <= commitSeqno ? { from: seqno(from), to: seqno(to) } : undefined;
    },
  };
}

/** A whole number from 1 to `max`. */
function numberIn(query: Readonly<Record<string, string>>, name: string, max: number): number | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^[1-9][0-9]{0,15}$/.test(text) && value <= max) return value;
  throw new RequestError("malformed", `"${name}" is a whole number from 1 to ${max}.`);
}

function isDescending(order = "ascending"): boolean {
  if (order === "descending") return true;
  if (order === "ascending") return false;
  throw new RequestError("malformed", 'The order is "ascending" or "descending".');
}

function pageText(name: string, { items, from, to, next }: Page): string {
  return `{"${name}":[${items.join(",")}],"from":${from},"to":${to},"next":${next ?? "null"}}`;
}

function entryText(entry: DecodedEntry, shown: ReadonlySet<string>): string {
  const { bytes, signature, claimsDigest, publicMaps, privateMaps = [] } = entry;
  const txId = formatTxId(entry);
  if (bytes.length > SHOWN_ENTRY_BYTES_MAX) throw tooLarge(txId);
  const text = JSON.stringify({
    txId,
    bytes: bytes.length,
    writeSetDigest: hex(entry.writeSetDigest),
    claimsDigest: claimsDigest === undefined ? null : hex(claimsDigest),
    signature: signature === undefined ? null : { node: signature.node, root: hex(signature.root) },
    publicMaps: inBase64(publicMaps),
    privateMaps: inBase64(privateMaps.filter(({ name }) => shown.has(name))),
    privateBytes: entry.privateBytes,
  });
  return bounded(text, txId);
}

function inBase64(maps: WriteSet) {
  return maps.map(({ name, writes, removes }) => ({
    name,
    writes: writes.map(([key, value]) => [base64(key), base64(value)]),
    removes: removes.map(base64),
  }));
}

function bounded(text: string, txId: string): string {
  if (text.length > ITEM_CHARS_MAX) throw tooLarge(txId);
  return text;
}

function tooLarge(txId: string): RequestError {
  const where = "Read it from a node's ledger directory, and ask here for what comes before or after it";
  return new RequestError("too-large", `Transaction ${txId} is larger than an answer may be. ${where}.`);
}
