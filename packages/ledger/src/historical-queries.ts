/**
 * Questions about the past of a ledger: a transaction by its id, ranges, and what was written under a key (ledger spec §2, §3). The entries
 * come from a node's storage or from a directory, a batch at a time and only as the answers are taken, so a slow reader costs one batch of
 * memory and no more.
 *
 * Answers are about what is committed, unless a bound is given; each entry is decoded, so with the secrets its tag is checked as well. That it
 * belongs to the signed ledger only `verifyLedger` or a receipt shows.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, type Seqno, seqno, type TxId, type View } from "@sealane/wire";
import { type DecodedEntry, decodeEntry } from "./decode-entry.js";
import { LedgerError } from "./errors.js";
import type { LedgerSecrets } from "./ledger-secrets.js";
import type { EntryReader } from "./ledger-storage.js";
import { isPublicMap } from "./order.js";

/** Read at a time, unless one entry is longer. */
const BATCH_BYTES_DEFAULT = 1024 * 1024;
/** Entries of a batch when the way is back: they are read forward, and those that do not fit are read again. */
const BATCH_ENTRIES = 64;

export interface QueryOptions {
  readonly suite: CryptoSuite;
  /** For private maps. Without them entries are answered with their public part alone. */
  readonly secrets?: LedgerSecrets;
  /** Ends the query: whatever is awaited rejects with its reason, and nothing more is read. */
  readonly signal?: AbortSignal;
}

export interface RangeOptions extends QueryOptions {
  /** First seqno, inclusive. Default: the first there is. */
  readonly from?: Seqno;
  /** Last seqno, inclusive. Default: the last that is committed. */
  readonly to?: Seqno;
  /** From the newest to the oldest. */
  readonly newestFirst?: boolean;
  /** Bytes read at a time. Default 1 MiB. */
  readonly batchBytes?: number;
}

/** What a transaction did to one key. */
export interface KeyChange {
  readonly seqno: Seqno;
  readonly view: View;
  /** `undefined`: it removed the key. A view of the entry. */
  readonly value: Uint8Array | undefined;
}

/**
 * The entry of one transaction.
 * @returns `undefined` when that seqno was written in another view: the transaction was rolled back. It may also not be committed yet.
 * @throws {LedgerError} `not-found` when there is no entry of that seqno here; entry codes when it is damaged.
 * @example
 * const entry = await findTransaction(storage, parseTxId("2.17"), { suite, secrets });
 */
export async function findTransaction(
  reader: EntryReader,
  txId: TxId,
  options: QueryOptions,
): Promise<DecodedEntry | undefined> {
  const { suite, secrets, signal } = options;
  const [bytes] = await abortable(() => reader.read(txId.seqno, txId.seqno), signal);
  const entry = decodeAt(suite, secrets, bytes, txId.seqno);
  return entry.view === txId.view ? entry : undefined;
}

/**
 * The entries of a range, in order.
 * @throws {LedgerError} `not-found` for a range that reaches outside the ledger; entry codes for the first damaged one. The reason of `signal`.
 * @example
 * for await (const entry of queryEntries(storage, { suite, secrets, from: seqno(100), signal })) show(entry);
 */
export async function* queryEntries(
  reader: EntryReader,
  options: RangeOptions,
): AsyncGenerator<DecodedEntry, void, undefined> {
  const { suite, secrets, from = reader.firstSeqno, to = reader.committedSeqno, signal } = options;
  const { newestFirst = false, batchBytes = BATCH_BYTES_DEFAULT } = options;
  const batches = newestFirst ? backward : forward;
  for await (const { first, entries } of batches(reader, from, to, batchBytes, signal)) {
    const indexes = entries.map((_, index) => (newestFirst ? entries.length - 1 - index : index));
    for (const index of indexes) {
      signal?.throwIfAborted();
      yield decodeAt(suite, secrets, entries[index], first + index);
    }
  }
}

/**
 * Every change of one key, in order; with `newestFirst` the first answer is its value at `to`.
 * @throws {LedgerError} `no-secret` for a private map without the secrets; as `queryEntries`.
 * @example
 * for await (const { value } of queryKey(storage, "public:notes", key, { suite, newestFirst: true })) return value;
 */
export async function* queryKey(
  reader: EntryReader,
  map: string,
  key: Uint8Array,
  options: RangeOptions,
): AsyncGenerator<KeyChange, void, undefined> {
  const isPublic = isPublicMap(map);
  if (!isPublic && options.secrets === undefined)
    throw new LedgerError("no-secret", `map ${map} is private: give the ledger secrets`);
  for await (const { seqno: at, view, publicMaps, privateMaps } of queryEntries(reader, options)) {
    const changes = (isPublic ? publicMaps : privateMaps)?.find(({ name }) => name === map);
    const write = changes?.writes.find(([written]) => equalBytes(written, key));
    if (write !== undefined) yield { seqno: at, view, value: write[1] };
    else if (changes?.removes.some((removed) => equalBytes(removed, key)) === true)
      yield { seqno: at, view, value: undefined };
  }
}

interface Batch {
  readonly first: number;
  readonly entries: readonly Uint8Array[];
}

async function* forward(
  reader: EntryReader,
  from: number,
  to: number,
  batchBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Batch, void, undefined> {
  for (let next = from; next <= to; ) {
    const entries = await abortable(() => reader.read(seqno(next), seqno(to), batchBytes), signal);
    yield { first: next, entries };
    next += entries.length;
  }
}

async function* backward(
  reader: EntryReader,
  from: number,
  to: number,
  batchBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Batch, void, undefined> {
  for (let last = to; last >= from; ) {
    let first = Math.max(from, last - BATCH_ENTRIES + 1);
    for (;;) {
      const entries = await abortable(() => reader.read(seqno(first), seqno(last), batchBytes), signal);
      if (first + entries.length > last) {
        yield { first, entries };
        break;
      }
      first += entries.length; // these come again: what is wanted first is behind them
    }
    last = first - 1;
  }
}

function decodeAt(
  suite: CryptoSuite,
  secrets: LedgerSecrets | undefined,
  bytes: Uint8Array | undefined,
  at: number,
): DecodedEntry {
  if (bytes === undefined) throw new LedgerError("not-found", `entry ${at} is not in this ledger`);
  const entry = decodeEntry(suite, secrets, bytes);
  if (entry.seqno !== at) throw new LedgerError("bad-seqno", `entry ${entry.seqno} stands where ${at} belongs`);
  return entry;
}

/** A read of a disk cannot be called back; its result is then dropped. */
async function abortable<T>(read: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return read();
  signal.throwIfAborted();
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([read(), aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener("abort", abort);
  }
}
