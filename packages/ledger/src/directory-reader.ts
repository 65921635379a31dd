/** A ledger directory as something to ask questions of, without opening it for writing. */
import { type Seqno, seqno } from "@sealane/wire";
import { entriesFrom, orderChunks, type PlacedEntry } from "./chunk-walk.js";
import { LedgerError } from "./errors.js";
import type { LedgerSource } from "./ledger-source.js";
import type { EntryReader } from "./ledger-storage.js";

const READ_BYTES_MAX_DEFAULT = 4 * 1024 * 1024;

/**
 * The entries of a directory as it is now; of one that a node goes on writing make another reader later.
 * @returns `committedSeqno` is the end of the chunks that are named so.
 * @throws {LedgerError} `bad-file-name`, `gap`, `bad-positions`, and header codes when the last chunk cannot be walked.
 * @example
 * const reader = await directoryReader(ledgerDirectory("data/ledger"));
 * for await (const change of queryKey(reader, "public:notes", key, { suite })) show(change);
 */
export async function directoryReader(source: LedgerSource): Promise<EntryReader> {
  const files = await source.files();
  const chunks = orderChunks(files);
  const lastChunk = chunks.at(-1);
  const fixed = { files: async () => files };
  let last = (lastChunk?.first ?? 1) - 1;
  if (lastChunk !== undefined) for await (const entry of entriesFrom(fixed, lastChunk.first)) last = entry.seqno;
  const committed = chunks.findLast((chunk) => chunk.committed)?.last ?? (chunks[0]?.first ?? 1) - 1;
  return new DirectoryReader(fixed, seqno(chunks[0]?.first ?? 1), seqno(last), seqno(committed));
}

/** A walk that stands before an entry, which it has read already or not. */
interface Cursor {
  readonly next: number;
  readonly pending: PlacedEntry | undefined;
  readonly walk: AsyncGenerator<PlacedEntry, void, undefined>;
}

class DirectoryReader implements EntryReader {
  readonly #source: LedgerSource;
  readonly firstSeqno: Seqno;
  readonly lastSeqno: Seqno;
  readonly committedSeqno: Seqno;
  /** Of the last read: the next one mostly goes on from there, and need not step over the chunk so far. */
  #cursor: Cursor | undefined;

  constructor(source: LedgerSource, firstSeqno: Seqno, lastSeqno: Seqno, committedSeqno: Seqno) {
    this.#source = source;
    this.firstSeqno = firstSeqno;
    this.lastSeqno = lastSeqno;
    this.committedSeqno = committedSeqno;
  }

  async read(from: Seqno, to: Seqno, bytesMax = READ_BYTES_MAX_DEFAULT): Promise<Uint8Array[]> {
    if (from < this.firstSeqno || to > this.lastSeqno || from > to)
      throw new LedgerError(
        "not-found",
        `entries ${from} to ${to} are not among ${this.firstSeqno} to ${this.lastSeqno}`,
      );
    const kept = this.#cursor;
    this.#cursor = undefined; // taken: reads may overlap
    let { walk, pending } = kept?.next === from ? kept : { walk: entriesFrom(this.#source, from), pending: undefined };
    const entries: Uint8Array[] = [];
    let bytes = 0;
    for (let next: number = from; next <= to; next++) {
      const placed = pending ?? (await walk.next()).value;
      if (placed === undefined) throw new LedgerError("not-found", `entry ${next} is no longer in this ledger`);
      pending = undefined;
      bytes += placed.bytes.length;
      if (entries.length > 0 && bytes > bytesMax) {
        pending = placed;
        break;
      }
      entries.push(placed.bytes);
    }
    this.#cursor = { next: from + entries.length, pending, walk };
    return entries;
  }
}
