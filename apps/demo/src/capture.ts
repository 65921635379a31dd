/**
 * What went over the node-to-node ports, as an eavesdropper on the wire would have it: for every connection and direction the
 * bytes in order. Bounded; a capture that met its bound says so and is then no proof of absence.
 */

const FRAME_SIZE_BYTES = 4;

/** One direction of one connection. */
export interface CapturedStream {
  /** The node that dialled, 64 hex digits, and the index of the node in front of which the proxy stands. */
  readonly dialler: string;
  readonly listener: number;
  readonly direction: "to-listener" | "to-dialler";
  readonly chunks: readonly Uint8Array[];
}

export class Capture {
  readonly bytesMax: number;
  #bytes = 0;
  #truncated = false;
  readonly #streams: CapturedStream[] = [];

  /** @param bytesMax - Recording stops for good at this many bytes over all streams. */
  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True when something was not recorded. */
  get truncated(): boolean {
    return this.#truncated;
  }

  get streams(): readonly CapturedStream[] {
    return this.#streams;
  }

  /** Opens a stream; the returned function records the next bytes of it. The bytes are kept, not copied: do not write into them later. */
  stream(head: Omit<CapturedStream, "chunks">): (chunk: Uint8Array) => void {
    const chunks: Uint8Array[] = [];
    this.#streams.push({ ...head, chunks });
    return (chunk) => {
      if (this.#truncated || this.#bytes + chunk.length > this.bytesMax) {
        this.#truncated = true;
        return;
      }
      this.#bytes += chunk.length;
      chunks.push(chunk);
    };
  }
}

/**
 * Cuts a byte stream into the frames of the node-to-node protocol (channel-v1-wire.md §2): `u32 size`, then `size` bytes.
 * Holds at most one unfinished frame; a size above `frameBytesMax` is given out unparsed, and so is all that follows it,
 * because past a nonsensical size no boundary is known.
 */
export class FrameSplitter {
  readonly #frameBytesMax: number;
  #held: Uint8Array = new Uint8Array(0);
  #lost = false;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bytes of a frame whose end has not come yet. */
  get pendingBytes(): number {
    return this.#held.length;
  }

  /** True once a size above the bound was met. */
  get lost(): boolean {
    return this.#lost;
  }

  /** @returns Whole frames, size field included. Views into `chunk` or into memory of this object: copy before writing into them. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#lost) return [chunk];
    let bytes = chunk;
    if (this.#held.length > 0) {
      bytes = new Uint8Array(this.#held.length + chunk.length);
      bytes.set(this.#held);
      bytes.set(chunk, this.#held.length);
    }
    const frames: Uint8Array[] = [];
    let offset = 0;
    while (bytes.length - offset >= FRAME_SIZE_BYTES) {
      const size = new DataView(bytes.buffer, bytes.byteOffset + offset, FRAME_SIZE_BYTES).getUint32(0, true);
      if (size > this.#frameBytesMax) {
        this.#lost = true;
        this.#held = new Uint8Array(0);
        frames.push(bytes.subarray(offset));
        return frames;
      }
      const end = offset + FRAME_SIZE_BYTES + size;
      if (end > bytes.length) break;
      frames.push(bytes.subarray(offset, end));
      offset = end;
    }
    this.#held = bytes.slice(offset);
    return frames;
  }
}
