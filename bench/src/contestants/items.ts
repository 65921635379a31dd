/** Items in a stream of bytes: cut where they lie, and collected into batches. */
import { type Handlers, PREFIX_BYTES } from "./contestant.js";

/** Cuts chunks, as they come, into items. Only what straddles two chunks is copied. */
export class ItemReader {
  readonly #handlers: Handlers;
  #partial = new Uint8Array(64 * 1024);
  #have = 0;

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
  }

  /** Borrows the chunk for the call. */
  push(chunk: Uint8Array): void {
    let at = this.#have > 0 ? this.#complete(chunk) : 0;
    const { length } = chunk;
    while (length - at >= PREFIX_BYTES) {
      const itemBytes = readLength(chunk, at);
      const end = at + PREFIX_BYTES + itemBytes;
      if (end > length) break;
      this.#deliver(chunk, at + PREFIX_BYTES, itemBytes);
      at = end;
    }
    if (at < length) this.#keep(chunk.subarray(at));
  }

  #deliver(bytes: Uint8Array, at: number, length: number): void {
    if (length === 0) this.#handlers.onCredit();
    else this.#handlers.onItem(bytes, at, length);
  }

  /** @returns how far the chunk was used to complete the item that straddles. */
  #complete(chunk: Uint8Array): number {
    let at = 0;
    if (this.#have < PREFIX_BYTES) at = this.#take(chunk, at, PREFIX_BYTES);
    if (this.#have < PREFIX_BYTES) return at;
    const itemBytes = readLength(this.#partial, 0);
    at = this.#take(chunk, at, PREFIX_BYTES + itemBytes);
    if (this.#have < PREFIX_BYTES + itemBytes) return at;
    this.#have = 0;
    this.#deliver(this.#partial, PREFIX_BYTES, itemBytes);
    return at;
  }

  #take(chunk: Uint8Array, at: number, until: number): number {
    const taken = chunk.subarray(at, at + until - this.#have);
    this.#keep(taken);
    return at + taken.length;
  }

  #keep(bytes: Uint8Array): void {
    const have = this.#have + bytes.length;
    if (have > this.#partial.length) {
      const larger = new Uint8Array(2 * have);
      larger.set(this.#partial.subarray(0, this.#have));
      this.#partial = larger;
    }
    this.#partial.set(bytes, this.#have);
    this.#have = have;
  }
}

const SLAB_BYTES = 256 * 1024;
/** More than can be under way before credits come (`stream.ts`), so that a slab is free again when its turn comes. */
const SLABS = 32;

/** Collects single items back to back and lets a batch go when a slab is full or the turn ends: the best form for whoever may batch. */
export class Coalescer {
  readonly #send: (batch: Uint8Array) => void;
  readonly #slabs = Array.from({ length: SLABS }, () => new Uint8Array(SLAB_BYTES));
  #next = 0;
  #used = 0;

  constructor(send: (batch: Uint8Array) => void) {
    this.#send = send;
  }

  add(item: Uint8Array): void {
    if (this.#used + item.length > SLAB_BYTES) this.#flush();
    if (this.#used === 0) setImmediate(() => this.#flush());
    this.#slabs[this.#next]?.set(item, this.#used);
    this.#used += item.length;
  }

  #flush(): void {
    if (this.#used === 0) return;
    const batch = this.#slabs[this.#next]?.subarray(0, this.#used);
    this.#next = (this.#next + 1) % SLABS;
    this.#used = 0;
    if (batch !== undefined) this.#send(batch);
  }
}

/** `count` items of `itemBytes` bytes each, back to back. */
export function makeItems(count: number, itemBytes: number): Uint8Array {
  const bytes = new Uint8Array(count * (PREFIX_BYTES + itemBytes));
  for (let at = 0; at < bytes.length; at += PREFIX_BYTES + itemBytes) {
    new DataView(bytes.buffer).setUint32(at, itemBytes, true);
    bytes.fill(at & 0xff, at + PREFIX_BYTES, at + PREFIX_BYTES + itemBytes);
  }
  return bytes;
}

/** Little-endian. The caller has seen to it that the bytes are there. */
function readLength(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  return (low | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}
