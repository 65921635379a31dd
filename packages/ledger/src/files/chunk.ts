/** One chunk file: its state, and the changes a writer makes to it in an order that any crash leaves readable (ledger spec §1.2). */
import { committedChunkName, openChunkName } from "../chunk-name.js";
import { assert, LedgerError } from "../errors.js";
import { CHUNK_BYTES_MAX } from "../limits.js";
import type { Disk, DiskFile } from "./disk.js";
import { POSITION_BYTES, Positions } from "./positions.js";

/** The u64 that holds the offset of the positions table; 0 while the chunk is open. */
export const CHUNK_HEADER_BYTES = 8;

/** What the chunks of one directory share. */
export interface ChunkContext {
  readonly disk: Disk;
  readonly directory: string;
  readonly stats: { syncs: number; writes: number; directorySyncs: number };
}

export class Chunk {
  readonly #context: ChunkContext;
  readonly first: number;
  #name: string;
  #last: number;
  /** End of the last entry: where the next entry, or the positions table, goes. */
  #end: number;
  #finished: boolean;
  #committed: boolean;
  // Invariant: present unless the chunk is finished; then the table in the file says the same.
  #positions: Positions | undefined;
  /** Open for writing. */
  #file: DiskFile | undefined;
  /** Entries not yet given to the operating system, adjacent views joined. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #dirty = false;

  constructor(
    context: ChunkContext,
    state: {
      readonly first: number;
      readonly last: number;
      readonly name: string;
      readonly end: number;
      readonly committed: boolean;
      /** Absent for a finished chunk. */
      readonly positions?: Positions;
    },
  ) {
    this.#context = context;
    this.first = state.first;
    this.#last = state.last;
    this.#name = state.name;
    this.#end = state.end;
    this.#committed = state.committed;
    this.#positions = state.positions;
    this.#finished = state.positions === undefined;
  }

  /** Creates the file of a new chunk. The header is written now, the first entries with the next `write`. */
  static async create(context: ChunkContext, first: number): Promise<Chunk> {
    const name = openChunkName(first);
    const file = await context.disk.open(`${context.directory}/${name}`, "create");
    const chunk = new Chunk(context, {
      first,
      last: first - 1,
      name,
      end: CHUNK_HEADER_BYTES,
      committed: false,
      positions: new Positions(),
    });
    chunk.#file = file;
    await chunk.#write([new Uint8Array(CHUNK_HEADER_BYTES)], 0);
    return chunk;
  }

  get last(): number {
    return this.#last;
  }

  get name(): string {
    return this.#name;
  }

  get finished(): boolean {
    return this.#finished;
  }

  get committed(): boolean {
    return this.#committed;
  }

  get path(): string {
    return `${this.#context.directory}/${this.#name}`;
  }

  /** Takes the next entry; `write` brings it to the file. @throws {LedgerError} `chunk-full`. */
  add(bytes: Uint8Array): void {
    assert(this.#positions !== undefined, "only an open chunk takes entries");
    if (this.#end > CHUNK_BYTES_MAX) throw new LedgerError("chunk-full", `chunk ${this.#name} is beyond 4 GiB`);
    this.#positions.push(this.#end);
    this.#end += bytes.length;
    this.#last++;
    const previous = this.#pending.at(-1);
    const joined = previous === undefined ? undefined : join(previous, bytes);
    if (joined === undefined) this.#pending.push(bytes);
    else this.#pending[this.#pending.length - 1] = joined;
    this.#pendingBytes += bytes.length;
  }

  /** Gives what was added to the operating system, in one vectored write of the ledger's own memory. */
  async write(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    const parts = this.#pending;
    const position = this.#end - this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#write(parts, position);
  }

  /** Makes what was written durable, if anything was written since. */
  async sync(): Promise<void> {
    if (!this.#dirty) return;
    await (await this.#open()).sync();
    this.#context.stats.syncs++;
    this.#dirty = false;
  }

  /**
   * Finishes the chunk: the table, made durable together with the entries, and only then the header that points to it. A crash in between
   * leaves an open chunk with something behind its last entry, which the repair at start recognises.
   */
  async finish(): Promise<void> {
    assert(this.#positions !== undefined && this.#positions.count > 0, "only an open chunk with entries is finished");
    await this.write();
    await this.#write([this.#positions.encode()], this.#end);
    await this.sync();
    await this.#write([encodeHeader(this.#end)], 0);
    await this.sync();
    this.#finished = true;
    this.#positions = undefined;
    await this.close();
  }

  /** §1.4. The caller syncs the directory. */
  async commit(): Promise<void> {
    assert(this.#finished && !this.#committed, "only a finished chunk is committed, once");
    const name = committedChunkName(this.first, this.#last);
    await this.#context.disk.rename(this.path, `${this.#context.directory}/${name}`);
    this.#name = name;
    this.#committed = true;
  }

  /** Cuts the file after entry `seqno`, which is in this chunk; the chunk is open again (§1.2). */
  async truncate(seqno: number): Promise<void> {
    assert(
      !this.#committed && seqno >= this.first && seqno < this.#last,
      "a chunk is cut inside, and never once committed",
    );
    await this.write();
    if (this.#finished) {
      const table = await this.positions(this.first, this.#last);
      this.#positions = Positions.decode(table);
      this.#finished = false;
      // Open first: a crash before the cut leaves an open chunk with all its entries, never a table that lies.
      await this.#write([encodeHeader(0)], 0);
      await this.sync();
    }
    assert(this.#positions !== undefined, "the chunk is open");
    const kept = seqno - this.first + 1;
    const end = this.#positions.at(kept);
    this.#positions.truncate(kept);
    this.#end = end;
    this.#last = seqno;
    // Durable before anything is written behind it: a crash must not mix old entries with new ones.
    await this.cut();
  }

  /** Cuts off, durably, what follows the last entry of an open chunk. */
  async cut(): Promise<void> {
    await (await this.#open()).truncate(this.#end);
    this.#dirty = true;
    await this.sync();
  }

  async remove(): Promise<void> {
    assert(!this.#committed, "a committed chunk is never removed");
    await this.close();
    await this.#context.disk.remove(this.path);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Offsets of entries `from` to `to` as bytes of a positions table: from memory, or from the file. */
  async positions(from: number, to: number): Promise<Uint8Array> {
    const count = to - from + 1;
    if (this.#positions !== undefined) return this.#positions.encode(from - this.first, count);
    const table = await this.#read(this.#end + (from - this.first) * POSITION_BYTES, count * POSITION_BYTES);
    if (table.length !== count * POSITION_BYTES)
      throw new LedgerError("corrupt", `the positions table of ${this.#name} is cut short`);
    return table;
  }

  /**
   * Entries from `from` on, at most to `to`: as many as fit `bytesMax`, but one at least. They must have been written.
   * @throws {LedgerError} `corrupt` when the positions table makes no sense.
   */
  async read(from: number, to: number, bytesMax: number): Promise<Uint8Array[]> {
    const last = Math.min(to, this.#last, from + READ_ENTRIES_MAX - 1);
    const next = Math.min(last + 1, this.#last);
    const end = this.#end;
    const table = Positions.decode(await this.positions(from, next));
    const offsetOf = (seqno: number) => (seqno > next ? end : table.at(seqno - from)); // behind the chunk's last entry is its end
    const start = offsetOf(from);
    let kept = from;
    while (kept < last && offsetOf(kept + 2) - start <= bytesMax) kept++;
    const stop = offsetOf(kept + 1);
    if (start < CHUNK_HEADER_BYTES || stop <= start || stop > end) {
      throw new LedgerError("corrupt", `the positions table of ${this.#name} is wrong around entry ${from}`);
    }
    const bytes = await this.#read(start, stop - start);
    const entries: Uint8Array[] = [];
    for (let seqno = from; seqno <= kept; seqno++) {
      entries.push(bytes.subarray(offsetOf(seqno) - start, offsetOf(seqno + 1) - start));
    }
    return entries;
  }

  async #read(position: number, length: number): Promise<Uint8Array> {
    const file = await this.#context.disk.open(this.path, "read");
    try {
      return await file.read(position, length);
    } finally {
      await file.close();
    }
  }

  async #write(parts: readonly Uint8Array[], position: number): Promise<void> {
    this.#dirty = true;
    await (await this.#open()).write(parts, position);
    this.#context.stats.writes++;
  }

  async #open(): Promise<DiskFile> {
    this.#file ??= await this.#context.disk.open(this.path, "write");
    return this.#file;
  }
}

/** Bounds the table read for one range read. */
const READ_ENTRIES_MAX = 16_384;

function encodeHeader(tableOffset: number): Uint8Array {
  const bytes = new Uint8Array(CHUNK_HEADER_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(tableOffset), true);
  return bytes;
}

/** One view over two that lie side by side in the same memory. */
function join(a: Uint8Array, b: Uint8Array): Uint8Array | undefined {
  if (a.buffer !== b.buffer || a.byteOffset + a.length !== b.byteOffset) return undefined;
  return new Uint8Array(a.buffer, a.byteOffset, a.length + b.length);
}
