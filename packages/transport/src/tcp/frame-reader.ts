/**
 * Cuts a byte stream into frames where the bytes lie. Two readers for two ways in which Node hands bytes over:
 *
 * - `SegmentReader` owns the memory and tells the kernel where to write next, right behind what is there (`onread`, performance §3). A
 *   frame is moved only when it would run over the end of the segment.
 * - `ChunkReader` is given chunks that others allocated ('data' events). Frames inside a chunk are read in place; only one that straddles
 *   chunks is copied together.
 *
 * Both hold no more than the bound in force plus one read, whatever the size field claims: memory grows with bytes that have arrived.
 */
import { FRAME_HEADER_BYTES, type FrameHead } from "@sealane/wire";
import { HeadParser } from "./head-parser.js";

/** Where frames go. */
export interface FrameSink {
  /** Bound on a whole frame. Asked before every frame, because the frame before it may have changed the answer. */
  readonly frameBytesMax: number;
  /** The payload is borrowed until this returns. `false` ends reading: the connection is closed. */
  handleFrame(head: FrameHead, payload: Uint8Array): boolean;
}

/** Memory the kernel writes to. Several frames of the size that flows best (256 KiB), so that few run over the end. */
export const SEGMENT_BYTES = 1024 * 1024;
/**
 * What a connection begins with: enough for a handshake. Most connections that are dialled again and again carry no more, and a megabyte
 * for each would keep the garbage collector busy.
 */
export const FIRST_SEGMENT_BYTES = 64 * 1024;
/** A frame up to this size gets its memory at once, a larger one as its bytes arrive. */
const ASSEMBLY_STEP_BYTES = 1024 * 1024;

/** Reads frames out of memory it owns. Call `nextBuffer`, let at most that many bytes be written there, call `received`, and so on. */
export class SegmentReader {
  readonly #sink: FrameSink;
  readonly #heads = new HeadParser();
  readonly #allocate: (bytes: number) => Uint8Array;
  #segment: Uint8Array;
  /** Size of the segment from the next time that nothing is left in this one. Grows once, when a read has filled all there was. */
  #segmentBytes = FIRST_SEGMENT_BYTES;
  // Invariant: 0 <= #start <= #end <= #segment.length; the bytes in between belong to one incomplete frame.
  #start = 0;
  #end = 0;
  /** Bytes of that frame from `#start`, as far as known: at least its head. */
  #needed = FRAME_HEADER_BYTES;
  #stopped = false;

  constructor(sink: FrameSink, allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes)) {
    this.#sink = sink;
    this.#allocate = allocate;
    this.#segment = allocate(FIRST_SEGMENT_BYTES);
  }

  /** Where the next bytes go; never empty. */
  nextBuffer(): Uint8Array {
    if (this.#start === this.#end || this.#stopped) {
      this.#start = 0;
      this.#end = 0;
      const { length } = this.#segment;
      // Either there is more to read than it holds, or a huge frame has passed.
      if (length < this.#segmentBytes || length > SEGMENT_BYTES) this.#segment = this.#allocate(this.#segmentBytes);
    } else if (this.#start + this.#needed > this.#segment.length) {
      this.#makeRoom();
    }
    return this.#segment.subarray(this.#end);
  }

  /**
   * Delivers the frames that `bytes` more bytes completed.
   * @throws {WireError} for a refused head; nothing more can be read then.
   */
  received(bytes: number): void {
    this.#end += bytes;
    if (this.#end === this.#segment.length) this.#segmentBytes = SEGMENT_BYTES;
    while (this.#end > this.#start && !this.#stopped) {
      const head = this.#heads.parse(this.#segment, this.#start, this.#end, this.#sink.frameBytesMax);
      if (head === undefined || head.frameEnd > this.#end) {
        this.#needed = head === undefined ? FRAME_HEADER_BYTES : head.frameEnd - this.#start;
        return;
      }
      this.#start = head.frameEnd;
      this.#stopped = !this.#sink.handleFrame(head, this.#segment.subarray(head.payloadOffset, head.frameEnd));
    }
  }

  /** Brings the incomplete frame to the front, of a larger segment when this one is full of it. */
  #makeRoom(): void {
    const have = this.#end - this.#start;
    if (this.#needed <= this.#segment.length || have <= this.#segment.length / 2) {
      this.#segment.copyWithin(0, this.#start, this.#end);
    } else {
      const larger = this.#allocate(Math.min(this.#needed, 2 * this.#segment.length));
      larger.set(this.#segment.subarray(this.#start, this.#end));
      this.#segment = larger;
    }
    this.#start = 0;
    this.#end = have;
  }
}

/** Reads frames out of chunks. Borrows a chunk only during `push`. */
export class ChunkReader {
  readonly #sink: FrameSink;
  readonly #heads = new HeadParser();
  readonly #allocate: (bytes: number) => Uint8Array;
  /** Holds the beginning of a frame whose end is still to come, in its first `#have` bytes. Kept for the next one. */
  #assembly: Uint8Array = new Uint8Array(0);
  #have = 0;
  /** Length of the frame in `#assembly`; that of a head while it is not known. */
  #needed = FRAME_HEADER_BYTES;
  #stopped = false;

  constructor(sink: FrameSink, allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes)) {
    this.#sink = sink;
    this.#allocate = allocate;
  }

  /**
   * Delivers the frames that `chunk` completed.
   * @throws {WireError} for a refused head; nothing more can be read then.
   */
  push(chunk: Uint8Array): void {
    if (this.#stopped) return;
    let at = this.#have > 0 ? this.#complete(chunk) : 0;
    while (at < chunk.length && !this.#stopped) {
      const head = this.#heads.parse(chunk, at, chunk.length, this.#sink.frameBytesMax);
      if (head === undefined || head.frameEnd > chunk.length) {
        this.#needed = head === undefined ? FRAME_HEADER_BYTES : head.frameEnd - at;
        this.#append(chunk.subarray(at));
        return;
      }
      at = head.frameEnd;
      this.#stopped = !this.#sink.handleFrame(head, chunk.subarray(head.payloadOffset, head.frameEnd));
    }
  }

  /** Feeds the straddling frame from the chunk and returns how far it reached. Afterwards the frame was delivered or the chunk is used up. */
  #complete(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length) {
      const taken = chunk.subarray(at, at + this.#needed - this.#have);
      this.#append(taken);
      at += taken.length;
      const head = this.#heads.parse(this.#assembly, 0, this.#have, this.#sink.frameBytesMax);
      if (head === undefined) continue;
      this.#needed = head.frameEnd;
      if (this.#have < head.frameEnd) continue;
      this.#have = 0;
      this.#needed = FRAME_HEADER_BYTES;
      this.#stopped = !this.#sink.handleFrame(head, this.#assembly.subarray(head.payloadOffset, head.frameEnd));
      if (this.#assembly.length > ASSEMBLY_STEP_BYTES) this.#assembly = new Uint8Array(0); // a huge frame has passed
      break;
    }
    return at;
  }

  #append(bytes: Uint8Array): void {
    const have = this.#have + bytes.length;
    if (have > this.#assembly.length) {
      const atOnce = Math.min(this.#needed, ASSEMBLY_STEP_BYTES);
      const larger = this.#allocate(Math.max(have, atOnce, Math.min(this.#needed, 2 * this.#assembly.length)));
      larger.set(this.#assembly.subarray(0, this.#have));
      this.#assembly = larger;
    }
    this.#assembly.set(bytes, this.#have);
    this.#have = have;
  }
}
