/**
 * One chunk file as the verifier takes it: entries cut apart one by one, with all that can be wrong in the file around them (ledger spec §1.2,
 * §1.3): the header, the positions table, the name, and where a chunk may end. What the entries say is the walk's business.
 */
import { CHUNK_HEADER_BYTES, type ChunkFile } from "./chunk-walk.js";
import { parseEntryHeader } from "./entry-header.js";
import { LedgerError } from "./errors.js";
import { WindowReader } from "./ledger-source.js";
import { ENTRY_HEADER_BYTES, FLAG_CHUNK_ENDS_AFTER, FLAG_CHUNK_ENDS_BEFORE } from "./limits.js";

const POSITION_BYTES = 4;

/** Of an entry, what decides whether a chunk may go on behind it or end with it. */
interface ChunkMember {
  readonly seqno: number;
  readonly flags: number;
  readonly isSignature: boolean;
}

export class ChunkEntries {
  readonly #chunk: ChunkFile;
  readonly #isLast: boolean;
  readonly #entries: WindowReader;
  readonly #positions: WindowReader;
  readonly #finished: boolean;
  /** Where the entries end, and the positions table, if there is one, starts. */
  readonly #end: number;
  #offset = CHUNK_HEADER_BYTES;
  /** Of the entry at `#offset` in this file, from 0. */
  #index = 0;
  #previous: ChunkMember | undefined;

  private constructor(chunk: ChunkFile, isLast: boolean, entries: WindowReader, tableOffset: bigint) {
    this.#chunk = chunk;
    this.#isLast = isLast;
    this.#entries = entries;
    this.#positions = new WindowReader(chunk.file);
    this.#finished = tableOffset !== 0n;
    this.#end = this.#finished ? Number(tableOffset) : chunk.file.size;
  }

  /**
   * @param next - The chunk behind it. @param after - The seqno before it. @param reuse - As `WindowReader` has it, for its entries.
   * @throws {LedgerError} `gap`, `unfinished`, `bad-positions`, `bad-file-name`.
   */
  static async open(
    chunk: ChunkFile,
    next: ChunkFile | undefined,
    after: number,
    reuse: boolean,
  ): Promise<ChunkEntries> {
    const { file, name, first, last, committed } = chunk;
    if (first !== after + 1) throw new LedgerError("gap", `${name} does not follow entry ${after}`);
    if (file.size < CHUNK_HEADER_BYTES) throw new LedgerError("unfinished", `${name} has no header`);
    const entries = new WindowReader(file, { reuse });
    const tableOffset = readU64(await entries.take(0, CHUNK_HEADER_BYTES));
    const finished = tableOffset !== 0n;
    if (finished && (tableOffset <= BigInt(CHUNK_HEADER_BYTES) || tableOffset >= BigInt(file.size)))
      throw new LedgerError("bad-positions", `${name} has its positions table outside the file`);
    if (!finished && (committed || last !== undefined))
      throw new LedgerError("bad-file-name", `${name} is an open chunk`);
    if (!finished && next !== undefined) throw new LedgerError("gap", `${name} is open, but ${next.name} follows`);
    return new ChunkEntries(chunk, next === undefined, entries, tableOffset);
  }

  /** Of the next entry in the file. */
  get offset(): number {
    return this.#offset;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#end;
  }

  /**
   * The next entry, whole, without a wait; `undefined` when it cannot be had so, for whatever reason: then `take` has it or says why not.
   * @throws {LedgerError} `bad-chunk-end`, `bad-positions`, and what `parseEntryHeader` throws.
   */
  peek(): Uint8Array | undefined {
    this.#checkGoesOn();
    if (this.#finished) {
      const position = this.#positions.indexOf(this.#positionOffset, POSITION_BYTES);
      if (position < 0) return undefined;
      this.#checkPosition(this.#positions.window, position);
    }
    const header = this.#entries.indexOf(this.#offset, ENTRY_HEADER_BYTES);
    if (header < 0) return undefined;
    const { bytes } = parseEntryHeader(this.#entries.window, header);
    return bytes > this.#end - this.#offset ? undefined : this.#entries.peek(this.#offset, bytes);
  }

  /** The next entry, whole. @throws {LedgerError} as `peek`; `truncated`, `unfinished`. */
  async take(): Promise<Uint8Array> {
    if (this.#finished) this.#checkPosition(await this.#takePosition(), 0);
    const left = this.#end - this.#offset;
    if (left < ENTRY_HEADER_BYTES) throw this.#cut();
    const { bytes } = parseEntryHeader(await this.#entries.take(this.#offset, ENTRY_HEADER_BYTES));
    if (bytes > left) throw this.#cut();
    return this.#entries.take(this.#offset, bytes);
  }

  /** What the entry just taken says of chunks. @throws {LedgerError} `bad-chunk-end`. */
  check({ seqno, flags }: ChunkMember): void {
    if (this.#index > 0 && (flags & FLAG_CHUNK_ENDS_BEFORE) !== 0)
      throw new LedgerError("bad-chunk-end", `a chunk ends before entry ${seqno}, which is inside ${this.#chunk.name}`);
  }

  /** Goes on behind that entry. */
  pass(entry: ChunkMember, bytes: number): void {
    this.#previous = entry;
    this.#offset += bytes;
    this.#index++;
  }

  /**
   * What is left to check belongs to the chunk as a whole; its last entry is named.
   * @throws {LedgerError} `unfinished`, `bad-file-name`, `bad-positions`, `bad-chunk-end`.
   */
  end(): void {
    const { name, first, last, file } = this.#chunk;
    const final = this.#previous;
    if (final === undefined) throw new LedgerError("unfinished", `${name} holds no entry`);
    if (last !== undefined && last !== final.seqno)
      throw new LedgerError("bad-file-name", `${name} ends with entry ${final.seqno}`);
    if (this.#finished && this.#end + (final.seqno - first + 1) * POSITION_BYTES !== file.size)
      throw new LedgerError("bad-positions", `the positions table of ${name} has another length`);
    const flagged = (final.flags & FLAG_CHUNK_ENDS_AFTER) !== 0;
    if (this.#finished && !final.isSignature)
      throw new LedgerError("bad-chunk-end", `${name} does not end with a signature`);
    // §1.3: in the middle of a ledger, chunks may end without the flag. At its end nothing but the flag can have ended one.
    if (this.#finished && !flagged && this.#isLast)
      throw new LedgerError("bad-chunk-end", `${name} was ended by no entry`);
    if (!this.#finished && flagged)
      throw new LedgerError("unfinished", `${name} has ended, but has no positions table`);
  }

  get #positionOffset(): number {
    return this.#end + this.#index * POSITION_BYTES;
  }

  #checkGoesOn(): void {
    if (this.#previous !== undefined && (this.#previous.flags & FLAG_CHUNK_ENDS_AFTER) !== 0) {
      const { seqno } = this.#previous;
      throw new LedgerError("bad-chunk-end", `${this.#chunk.name} goes on after entry ${seqno}, which ends it`);
    }
  }

  #checkPosition(bytes: Uint8Array, at: number): void {
    let position = 0;
    for (let index = POSITION_BYTES - 1; index >= 0; index--) position = position * 256 + (bytes[at + index] ?? 0);
    if (position !== this.#offset)
      throw new LedgerError("bad-positions", `the positions table of ${this.#chunk.name} has an entry elsewhere`);
  }

  async #takePosition(): Promise<Uint8Array> {
    try {
      return await this.#positions.take(this.#positionOffset, POSITION_BYTES);
    } catch (cause) {
      if (!(cause instanceof LedgerError)) throw cause;
      throw new LedgerError("bad-positions", `the positions table of ${this.#chunk.name} has too few entries`, {
        cause,
      });
    }
  }

  #cut(): LedgerError {
    return this.#finished
      ? new LedgerError("truncated", "the entry runs into the positions table")
      : new LedgerError("unfinished", "the last entry is cut short"); // §1.2
  }
}

function readU64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}
