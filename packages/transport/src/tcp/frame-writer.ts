/**
 * Collects the frames of one turn of the event loop and hands them to a socket in one write (performance §1, §2, §4). Heads and small
 * parts are copied back to back into a slab; large parts go by reference between the slab's pieces, in one vectored write.
 *
 * Ownership: a small part is copied before `add` returns, a large part is borrowed until the operating system has taken it.
 */
import type { Writable } from "node:stream";
import { encodeFrameHeader, FRAME_HEADER_BYTES, type FrameType, type NodeId } from "@sealane/wire";
import { COPY_BYTES_MAX } from "../limits.js";
import { allocate } from "./memory.js";

/** Several hundred small frames. A connection holds one while it is used; more only while the network is behind. */
const SLAB_BYTES = 256 * 1024;
/** What a connection begins with; all it needs if it carries a handshake and no more. Room for two parts that are copied. */
const FIRST_SLAB_BYTES = 2 * COPY_BYTES_MAX;
/** What is collected beyond this is handed over before the turn ends, so that the kernel can begin. */
const EAGER_FLUSH_BYTES = 1024 * 1024;
/** Spare slabs kept after a burst. */
const SPARE_SLABS_MAX = 2;

interface Slab {
  readonly bytes: Uint8Array;
  used: number;
  /** Writes that still refer to it. */
  inFlight: number;
}

export class FrameWriter {
  readonly #socket: Writable;
  readonly #self: NodeId;
  readonly #requestFlush: () => void;
  readonly #headers: (Uint8Array | undefined)[] = [];
  readonly #spare: Slab[] = [];
  #slab: Slab | undefined;
  /** Start of the piece of `#slab` that is not in `#chunks` yet. */
  #pieceStart = 0;
  #chunks: Uint8Array[] = [];
  #chunkSlabs: Slab[] = [];
  #queuedBytes = 0;

  /** @param requestFlush - Called when there is something to flush at the end of this turn; may be called often. */
  constructor(socket: Writable, self: NodeId, requestFlush: () => void) {
    this.#socket = socket;
    this.#self = self;
    this.#requestFlush = requestFlush;
  }

  /** Bytes not yet taken by the operating system. */
  get bufferedBytes(): number {
    return this.#queuedBytes + this.#socket.writableLength;
  }

  add(type: FrameType, parts: readonly Uint8Array[], payloadBytes: number): void {
    this.#copy(this.#header(type, payloadBytes));
    for (const part of parts) {
      if (part.length < COPY_BYTES_MAX) {
        this.#copy(part);
      } else {
        this.#endPiece();
        this.#chunks.push(part);
      }
    }
    this.#queuedBytes += FRAME_HEADER_BYTES + payloadBytes;
    if (this.#queuedBytes >= EAGER_FLUSH_BYTES) this.flush();
    else this.#requestFlush();
  }

  /** Writes what is collected, unless the socket is behind; then its 'drain' event is the time. */
  flush(): void {
    if (!this.#socket.writableNeedDrain) this.flushAll();
  }

  /** Writes what is collected in any case: before the connection ends. */
  flushAll(): void {
    this.#endPiece();
    if (this.#chunks.length === 0 || !this.#socket.writable) return;
    const [chunks, slabs] = [this.#chunks, this.#chunkSlabs];
    this.#chunks = [];
    this.#chunkSlabs = [];
    this.#queuedBytes = 0;
    // Writes finish in order, so the last one speaks for all.
    const done = (error?: Error | null): void => this.#release(slabs, error);
    const last = chunks.length - 1;
    if (last > 0) this.#socket.cork();
    for (const [index, chunk] of chunks.entries()) {
      if (index === last) this.#socket.write(chunk, done);
      else this.#socket.write(chunk);
    }
    if (last > 0) this.#socket.uncork();
  }

  /** The head, valid until the next call: only its size differs from frame to frame (channel-v1-wire §2: a u32 in front). */
  #header(type: FrameType, payloadBytes: number): Uint8Array {
    let header = this.#headers[type];
    if (header === undefined) {
      header = encodeFrameHeader(type, this.#self, 0);
      this.#headers[type] = header;
    }
    const size = FRAME_HEADER_BYTES - 4 + payloadBytes;
    header[0] = size;
    header[1] = size >>> 8;
    header[2] = size >>> 16;
    header[3] = size >>> 24;
    return header;
  }

  #copy(bytes: Uint8Array): void {
    let slab = this.#slab;
    if (slab === undefined || slab.used + bytes.length > slab.bytes.length) {
      slab = this.#nextSlab(slab);
      this.#slab = slab;
    }
    slab.bytes.set(bytes, slab.used);
    slab.used += bytes.length;
  }

  /** @param full - The slab in use. Its last piece stays behind, unless it is the small first one and nothing of it has left. */
  #nextSlab(full: Slab | undefined): Slab {
    if (full === undefined) return { bytes: allocate(FIRST_SLAB_BYTES), used: 0, inFlight: 0 };
    const next = this.#spare.pop() ?? { bytes: allocate(SLAB_BYTES), used: 0, inFlight: 0 };
    if (full.bytes.length === FIRST_SLAB_BYTES && full.inFlight === 0) {
      next.bytes.set(full.bytes.subarray(0, full.used));
      next.used = full.used;
    } else {
      this.#endPiece();
      this.#pieceStart = 0;
    }
    return next;
  }

  #endPiece(): void {
    const slab = this.#slab;
    if (slab === undefined || slab.used === this.#pieceStart) return;
    this.#chunks.push(slab.bytes.subarray(this.#pieceStart, slab.used));
    this.#pieceStart = slab.used;
    if (this.#chunkSlabs.at(-1) !== slab) {
      slab.inFlight++;
      this.#chunkSlabs.push(slab);
    }
  }

  #release(slabs: readonly Slab[], error: Error | null | undefined): void {
    if (error) return; // the connection ends, and its slabs with it
    for (const slab of slabs) {
      slab.inFlight--;
      if (slab.inFlight > 0) continue;
      if (slab !== this.#slab) {
        slab.used = 0;
        const isWhole = slab.bytes.length === SLAB_BYTES;
        if (isWhole && this.#spare.length < SPARE_SLABS_MAX) this.#spare.push(slab);
      } else if (slab.used === this.#pieceStart) {
        slab.used = 0; // nothing of it is waiting: start over in the same memory
        this.#pieceStart = 0;
      }
    }
  }
}
