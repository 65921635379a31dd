/** Where each entry of one chunk starts; also the positions table at the chunk's end (ledger spec §1.2): one little-endian u32 per entry. */
import { assert } from "../errors.js";

export const POSITION_BYTES = 4;

export class Positions {
  #offsets = new Uint32Array(64);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(offset: number): void {
    if (this.#count === this.#offsets.length) {
      const offsets = new Uint32Array(2 * this.#count);
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
    this.#offsets[this.#count++] = offset;
  }

  at(index: number): number {
    const offset = this.#offsets[index];
    assert(offset !== undefined && index >= 0 && index < this.#count, "the entry is in this chunk");
    return offset;
  }

  truncate(count: number): void {
    assert(count <= this.#count, "a chunk is cut inside what it holds");
    this.#count = count;
  }

  /** The table's bytes, of all entries or of `count` from `index` on. */
  encode(index = 0, count = this.#count): Uint8Array {
    const bytes = new Uint8Array(count * POSITION_BYTES);
    const data = new DataView(bytes.buffer);
    for (let entry = 0; entry < count; entry++) data.setUint32(entry * POSITION_BYTES, this.at(index + entry), true);
    return bytes;
  }

  static decode(bytes: Uint8Array): Positions {
    const positions = new Positions();
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = 0; offset < bytes.length; offset += POSITION_BYTES) positions.push(data.getUint32(offset, true));
    return positions;
  }
}
