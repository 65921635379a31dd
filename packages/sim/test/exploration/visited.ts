/** A set of states by their 64-bit hashes, eight bytes a state. Of 10^8 states, some two collide with probability below 1 in 3,000. */
export class Visited {
  #high: Uint32Array;
  #low: Uint32Array;
  size = 0;

  constructor(capacityLog2 = 16) {
    this.#high = new Uint32Array(2 ** capacityLog2);
    this.#low = new Uint32Array(2 ** capacityLog2);
  }

  /** @returns whether it is new. */
  add(words: Int32Array, from: number, to: number): boolean {
    let high = 0x9e3779b9;
    let low = 0x85ebca6b;
    for (let i = from; i < to; i++) {
      const word = words[i] ?? 0;
      high = Math.imul(high ^ word, 0xcc9e2d51);
      high = (high << 15) | (high >>> 17);
      high = (Math.imul(high, 5) + 0xe6546b64) | 0;
      low = Math.imul(low ^ (word + 0x7f4a7c15), 0x1b873593);
      low = (low << 13) | (low >>> 19);
      low = (Math.imul(low, 9) + 0x38495ab5) | 0;
    }
    return this.#put(mix(high ^ (low << 1)), mix(low ^ Math.imul(high, 0x2545f491)) || 1);
  }

  #put(high: number, low: number): boolean {
    if (this.size * 4 > this.#low.length * 3) this.#grow();
    const mask = this.#low.length - 1;
    for (let slot = high & mask; ; slot = (slot + 1) & mask) {
      if (this.#low[slot] === 0) {
        this.#high[slot] = high;
        this.#low[slot] = low;
        this.size += 1;
        return true;
      }
      if (this.#low[slot] === low && this.#high[slot] === high) return false;
    }
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low];
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(low.length * 2);
    this.size = 0;
    for (let slot = 0; slot < low.length; slot++) {
      const word = low[slot] ?? 0;
      if (word !== 0) this.#put(high[slot] ?? 0, word);
    }
  }
}

/** The finaliser of MurmurHash3 (public domain). */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
