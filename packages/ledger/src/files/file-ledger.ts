/**
 * A node's ledger on disk (ledger spec §1). Calls that change it are queued and return at once; one worker takes whatever is queued, writes
 * it, and makes it durable with one fdatasync for the whole group, while the next group queues up behind it.
 *
 * Nothing is synced that nobody waits for: without `flush()` only finished chunks are. What the operating system fails to do poisons the
 * storage. After a failed fdatasync nobody knows which pages reached the disk, and a second one may report success for pages that were
 * dropped, so no retry can be right.
 */
import { type Seqno, seqno } from "@sealane/wire";
import { parseEntryHeader } from "../entry-header.js";
import { LedgerError } from "../errors.js";
import type { LedgerStorage, StorageStats, StoredEntry } from "../ledger-storage.js";
import { FLAG_CHUNK_ENDS_AFTER, FLAG_CHUNK_ENDS_BEFORE, IV_OFFSET } from "../limits.js";
import { Chunk, type ChunkContext } from "./chunk.js";
import { TailCache } from "./tail-cache.js";

/** Entries waiting to be written, in bytes: about what a disk takes in half a second. They lie in the ledger's slabs anyway. */
export const QUEUE_BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
/** What one `read` returns at most, unless a single entry is longer. */
export const READ_BYTES_MAX_DEFAULT = 4 * 1024 * 1024;

/** Recent entries kept in memory for readers: some hundred milliseconds of a busy ledger. */
export const TAIL_BYTES_MAX_DEFAULT = 4 * 1024 * 1024;

type Operation =
  | { readonly type: "append"; readonly entries: readonly StoredEntry[] }
  | { readonly type: "truncate"; readonly seqno: number }
  | { readonly type: "commit"; readonly seqno: number }
  // `durable`: a flush; otherwise a reader that waits for what is queued to be readable.
  | {
      readonly type: "wait";
      readonly durable: boolean;
      readonly resolve: () => void;
      readonly reject: (error: LedgerError) => void;
    };

/** Made by `openLedger`. `LedgerStorage` says what each call does. */
export class FileLedger implements LedgerStorage {
  readonly #context: ChunkContext;
  readonly #queueBytesMax: number;
  /** As the worker has left them on disk: committed ones first, then finished ones, then at most one that is open. */
  readonly #chunks: Chunk[];
  readonly #stats: { syncs: number; writes: number; directorySyncs: number; groups: number; tailReads: number };
  readonly #tail: TailCache;
  #queue: Operation[] = [];
  #queueBytes = 0;
  #running = false;
  #closed = false;
  #fault: LedgerError | undefined;
  /** Counts beginnings and ends of truncations and renames, so odd during one: a read that overlaps one starts again. */
  #changes = 0;
  /** What `write` has brought to the files. */
  #writtenSeqno: number;
  #directoryDirty = false;
  #firstSeqno: number;
  // As the caller sees them: what is queued counts.
  #lastSeqno: number;
  #committedSeqno: number;

  /** @param chunks - In order and consistent; `openLedger` has checked and repaired them. */
  constructor(context: ChunkContext, chunks: Chunk[], queueBytesMax: number, tailBytesMax = TAIL_BYTES_MAX_DEFAULT) {
    this.#stats = { syncs: 0, writes: 0, directorySyncs: 0, groups: 0, tailReads: 0 };
    this.#context = { ...context, stats: this.#stats };
    this.#chunks = chunks;
    this.#queueBytesMax = queueBytesMax;
    this.#firstSeqno = chunks[0]?.first ?? 1;
    this.#lastSeqno = chunks.at(-1)?.last ?? 0;
    this.#writtenSeqno = this.#lastSeqno;
    this.#tail = new TailCache(tailBytesMax, this.#lastSeqno + 1);
    this.#committedSeqno = chunks.findLast(({ committed }) => committed)?.last ?? 0;
  }

  get firstSeqno(): Seqno {
    return seqno(this.#firstSeqno);
  }

  get lastSeqno(): Seqno {
    return seqno(this.#lastSeqno);
  }

  get committedSeqno(): Seqno {
    return seqno(this.#committedSeqno);
  }

  get stats(): StorageStats {
    return { ...this.#stats };
  }

  startAfter(snapshot: Seqno): void {
    this.#checkUsable();
    if (this.#lastSeqno >= this.#firstSeqno || this.#chunks.length > 0)
      throw new RangeError(`the ledger has entries ${this.#firstSeqno} to ${this.#lastSeqno}`);
    this.#firstSeqno = snapshot + 1;
    this.#lastSeqno = snapshot;
    this.#writtenSeqno = snapshot;
    this.#committedSeqno = snapshot;
  }

  append(entries: readonly StoredEntry[]): void {
    this.#checkUsable();
    let bytes = 0;
    let next = this.#lastSeqno;
    for (const entry of entries) {
      next++;
      if (entry.seqno !== next) throw new RangeError(`entry ${entry.seqno} does not follow ${next - 1}`);
      if ((entry.flags & FLAG_CHUNK_ENDS_AFTER) !== 0 && !entry.committable) {
        throw new RangeError(`a chunk cannot end after ${entry.seqno}, which is no signature`);
      }
      bytes += entry.bytes.length;
    }
    if (this.#queueBytes > 0 && this.#queueBytes + bytes > this.#queueBytesMax) {
      throw new LedgerError("queue-full", `${this.#queueBytes} bytes are waiting to be written`);
    }
    if (entries.length === 0) return;
    this.#lastSeqno = next;
    this.#queueBytes += bytes;
    for (const entry of entries) this.#tail.push(entry.seqno, entry.bytes);
    this.#enqueue({ type: "append", entries: [...entries] });
  }

  truncate(to: Seqno): void {
    this.#checkUsable();
    if (to < this.#committedSeqno) {
      throw new LedgerError("committed", `cannot truncate to ${to}: committed up to ${this.#committedSeqno}`);
    }
    if (to >= this.#lastSeqno) return;
    if (to < this.#firstSeqno - 1)
      throw new RangeError(`cannot truncate to ${to}: the ledger starts at ${this.firstSeqno}`);
    this.#lastSeqno = to;
    this.#tail.truncate(to);
    this.#enqueue({ type: "truncate", seqno: to });
  }

  commit(to: Seqno): void {
    this.#checkUsable();
    if (to > this.#lastSeqno) throw new RangeError(`cannot commit ${to}: the last seqno is ${this.#lastSeqno}`);
    if (to <= this.#committedSeqno) return;
    this.#committedSeqno = to;
    // Of several commits in a row the last says it all; so a caller that never waits cannot grow the queue with them.
    if (this.#queue.at(-1)?.type === "commit") this.#queue.pop();
    this.#enqueue({ type: "commit", seqno: to });
  }

  async flush(): Promise<void> {
    this.#checkUsable();
    await this.#wait(true);
  }

  async read(from: Seqno, to: Seqno, bytesMax = READ_BYTES_MAX_DEFAULT): Promise<Uint8Array[]> {
    for (;;) {
      this.#checkUsable();
      if (from < this.firstSeqno || to > this.#lastSeqno || from > to) {
        throw new LedgerError(
          "not-found",
          `entries ${from} to ${to} are not among ${this.firstSeqno} to ${this.#lastSeqno}`,
        );
      }
      const recent = this.#tail.read(from, to, bytesMax);
      if (recent !== undefined) {
        this.#stats.tailReads++;
        return recent;
      }
      const changes = this.#changes;
      if (this.#running && (changes % 2 === 1 || to > this.#writtenSeqno)) {
        await this.#wait(false);
        continue;
      }
      try {
        const entries = await this.#readChunks(from, to, bytesMax);
        if (changes === this.#changes) return entries;
      } catch (cause) {
        if (changes !== this.#changes) continue; // a file was cut or renamed while we read it: look again
        if (cause instanceof LedgerError) throw cause;
        if (this.#wasArchived(from, cause)) continue;
        this.#fault ??= asFault(cause);
        throw this.#fault;
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#fault !== undefined) throw this.#fault;
      await this.#wait(true);
    } finally {
      for (const chunk of this.#chunks) await chunk.close().catch(() => undefined); // durable already, or the fault is reported
    }
  }

  #checkUsable(): void {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#closed) throw new LedgerError("closed", "the storage has been closed");
  }

  #wait(durable: boolean): Promise<void> {
    return new Promise((resolve, reject) => this.#enqueue({ type: "wait", durable, resolve, reject }));
  }

  #enqueue(operation: Operation): void {
    this.#queue.push(operation);
    if (this.#running) return;
    this.#running = true;
    // One turn later, so that what the caller queues together becomes one group.
    void Promise.resolve().then(() => this.#run());
  }

  /** Never rejects: what fails reaches the callers through `#fault`. */
  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue;
      this.#queue = [];
      const bytes = this.#queueBytes;
      try {
        await this.#carryOut(group);
        this.#queueBytes -= bytes;
        this.#stats.groups++;
        for (const operation of group) if (operation.type === "wait") operation.resolve();
      } catch (cause) {
        const fault = asFault(cause);
        this.#fault = fault;
        const waiting = [...group, ...this.#queue];
        this.#queue = [];
        for (const operation of waiting) if (operation.type === "wait") operation.reject(fault);
      }
    }
    this.#running = false;
  }

  async #carryOut(group: readonly Operation[]): Promise<void> {
    for (const operation of group) {
      switch (operation.type) {
        case "append":
          for (const entry of operation.entries) await this.#appendOne(entry);
          break;
        case "truncate":
          await this.#truncateTo(operation.seqno);
          break;
        case "commit":
          await this.#commitTo(operation.seqno);
          break;
        case "wait":
          break;
        default:
          operation satisfies never;
      }
    }
    const chunk = this.#chunks.at(-1);
    await chunk?.write();
    this.#writtenSeqno = chunk?.last ?? this.#firstSeqno - 1;
    if (this.#directoryDirty) {
      await this.#context.disk.syncDirectory(this.#context.directory);
      this.#stats.directorySyncs++;
      this.#directoryDirty = false;
    }
    // The others were synced when they were finished.
    if (group.some((operation) => operation.type === "wait" && operation.durable)) await chunk?.sync();
  }

  async #appendOne({ seqno, flags, bytes }: StoredEntry): Promise<void> {
    let chunk = this.#chunks.at(-1);
    // §1.3: the writer obeys the flags in the entries, not counters of its own.
    if (chunk !== undefined && !chunk.finished && (flags & FLAG_CHUNK_ENDS_BEFORE) !== 0) await chunk.finish();
    if (chunk === undefined || chunk.finished) {
      chunk = await Chunk.create(this.#context, seqno);
      this.#chunks.push(chunk);
      this.#directoryDirty = true;
    }
    chunk.add(bytes);
    if ((flags & FLAG_CHUNK_ENDS_AFTER) !== 0) await chunk.finish();
  }

  /** From the back, each removal durable before the next change: whatever a crash leaves is a shorter ledger without a gap. */
  async #truncateTo(to: number): Promise<void> {
    this.#changes++;
    for (let chunk = this.#chunks.at(-1); chunk !== undefined && chunk.last > to; chunk = this.#chunks.at(-1)) {
      if (chunk.first <= to) {
        await chunk.truncate(to);
        break;
      }
      this.#chunks.pop();
      await chunk.remove();
      await this.#context.disk.syncDirectory(this.#context.directory);
      this.#stats.directorySyncs++;
    }
    this.#changes++;
    this.#writtenSeqno = Math.min(this.#writtenSeqno, to);
  }

  async #commitTo(to: number): Promise<void> {
    for (const chunk of [...this.#chunks]) {
      if (chunk.committed) continue;
      if (!chunk.finished || chunk.last > to) break;
      this.#changes++;
      await chunk.commit();
      this.#changes++;
      this.#directoryDirty = true;
    }
  }

  async #readChunks(from: number, to: number, bytesMax: number): Promise<Uint8Array[]> {
    const entries: Uint8Array[] = [];
    let bytes = 0;
    for (let next = from; next <= to && (entries.length === 0 || bytes < bytesMax); ) {
      const chunk = this.#chunkOf(next);
      if (chunk === undefined) throw new LedgerError("not-found", `entry ${next} is not in the ledger`);
      for (const entry of await chunk.read(next, to, bytesMax - bytes)) {
        if (entries.length > 0 && bytes + entry.length > bytesMax) return entries;
        checkEntry(entry, next, chunk.name);
        entries.push(entry);
        bytes += entry.length;
        next++;
      }
    }
    return entries;
  }

  /**
   * Whether a read failed because the chunk was moved away while we run (`archiveBelow`). Only committed chunks move, oldest first: so all up
   * to this one are forgotten, and a read of their entries is `not-found` from now on.
   */
  #wasArchived(from: number, cause: unknown): boolean {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) return false;
    const moved = this.#chunks.findIndex((chunk) => chunk.committed && chunk.last >= from);
    const next = this.#chunks[moved + 1];
    if (moved < 0 || next === undefined) return false; // the last chunk is never archived
    this.#chunks.splice(0, moved + 1);
    this.#firstSeqno = next.first;
    return true;
  }

  /** By binary search: a long ledger has thousands of chunks. */
  #chunkOf(seqno: number): Chunk | undefined {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#chunks[middle]?.first ?? Number.POSITIVE_INFINITY) <= seqno) low = middle;
      else high = middle - 1;
    }
    const chunk = this.#chunks[low];
    return chunk !== undefined && chunk.first <= seqno && seqno <= chunk.last ? chunk : undefined;
  }
}

/** What a read returns is at least framed as the entry that was asked for. */
function checkEntry(entry: Uint8Array, seqno: number, file: string): void {
  try {
    const data = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
    if (parseEntryHeader(entry).bytes === entry.length && data.getBigUint64(IV_OFFSET, true) === BigInt(seqno)) return;
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
  }
  throw new LedgerError("corrupt", `${file} does not hold entry ${seqno} where its positions say`);
}

function asFault(cause: unknown): LedgerError {
  if (cause instanceof LedgerError) return cause;
  const reason = cause instanceof Error ? cause.message : "unknown";
  return new LedgerError("storage-failed", `the storage failed: ${reason}`, { cause });
}
