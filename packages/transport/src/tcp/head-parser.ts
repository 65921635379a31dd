/**
 * `parseFrameHead` of `wire` with a memory of one. On a connection nearly every head differs from the one before it in its size alone, and
 * comparing 80 bytes costs a fraction of reading the sender's id out of them again: most of the cost of a small frame.
 *
 * It decides nothing by itself. Bytes equal to those that were accepted mean the same type and sender; everything else, and every size
 * that could be refused, goes to `parseFrameHead`.
 */
import { FRAME_HEADER_BYTES, type FrameHead, parseFrameHead } from "@sealane/wire";

/** The u32 in front; what follows it up to the payload is type and sender (channel-v1-wire §2). */
const SIZE_BYTES = 4;

export class HeadParser {
  readonly #last = new Uint8Array(FRAME_HEADER_BYTES);
  #known: Pick<FrameHead, "type" | "sender"> | undefined;

  /** Arguments, result and errors are those of `parseFrameHead`. */
  parse(buffer: Uint8Array, offset: number, end: number, maxBytes: number): FrameHead | undefined {
    const known = this.#known;
    if (known !== undefined && end - offset >= FRAME_HEADER_BYTES && this.#matches(buffer, offset)) {
      const frameBytes = SIZE_BYTES + readU32(buffer, offset);
      if (frameBytes >= FRAME_HEADER_BYTES && frameBytes <= maxBytes) {
        const { type, sender } = known;
        return { type, sender, payloadOffset: offset + FRAME_HEADER_BYTES, frameEnd: offset + frameBytes };
      }
    }
    const head = parseFrameHead(buffer, offset, end, maxBytes);
    if (head !== undefined) {
      this.#known = head;
      this.#last.set(buffer.subarray(offset, offset + FRAME_HEADER_BYTES));
    }
    return head;
  }

  #matches(buffer: Uint8Array, offset: number): boolean {
    const last = this.#last;
    for (let index = SIZE_BYTES; index < FRAME_HEADER_BYTES; index++) {
      if (buffer[offset + index] !== last[index]) return false;
    }
    return true;
  }
}

/** Little-endian. The caller has seen to it that the bytes are there. */
function readU32(buffer: Uint8Array, at: number): number {
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = [buffer[at], buffer[at + 1], buffer[at + 2], buffer[at + 3]];
  return (b0 | (b1 << 8) | (b2 << 16) | (b3 << 24)) >>> 0;
}
