/** Cuts what comes from a TCP connection into frames (channel-v1-wire §2, the same in version 2). */
import { parseFrameHead } from "@sealane/wire";

type Frame = Omit<NonNullable<ReturnType<typeof parseFrameHead>>, "payloadOffset" | "frameEnd"> & {
  /** A view; valid until the next `push`. */
  readonly payload: Uint8Array;
};

/** channel-v2 §1: before and after the peer has proven itself. */
const FRAME_BYTES_MAX_UNPROVEN = 64 * 1024;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** Holds one incomplete frame at most; the bound is checked when its first four bytes are there. */
export class FrameStream {
  isProven = false;
  #buffer: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): void {
    const joined = new Uint8Array(this.#buffer.length + chunk.length);
    joined.set(this.#buffer);
    joined.set(chunk, this.#buffer.length);
    this.#buffer = joined;
  }

  /** The next complete frame. @throws {WireError} Close the connection: where the next frame starts is not known. */
  next(): Frame | undefined {
    const maxBytes = this.isProven ? FRAME_BYTES_MAX : FRAME_BYTES_MAX_UNPROVEN;
    const head = parseFrameHead(this.#buffer, 0, this.#buffer.length, maxBytes);
    if (head === undefined || head.frameEnd > this.#buffer.length) return undefined;
    const payload = this.#buffer.subarray(head.payloadOffset, head.frameEnd);
    this.#buffer = this.#buffer.subarray(head.frameEnd);
    return { type: head.type, sender: head.sender, payload };
  }
}
