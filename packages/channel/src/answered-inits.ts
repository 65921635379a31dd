/** The inits a responder of version 1 has answered: an init of that version holds nothing fresh, so memory has to stand in for freshness. */

/**
 * First in, first out. A replay from beyond the bound is answered once more, which costs a signature and a pending handshake and changes no
 * key in use. Only inits whose signature holds get in, so nobody but the peer can push others out.
 */
export class AnsweredInits {
  readonly #countMax: number;
  // Invariant: in order of insertion, size <= countMax.
  readonly #ids = new Set<string>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  has(handshakeId: string): boolean {
    return this.#ids.has(handshakeId);
  }

  add(handshakeId: string): void {
    this.#ids.add(handshakeId);
    const [oldest] = this.#ids;
    if (this.#ids.size > this.#countMax && oldest !== undefined) this.#ids.delete(oldest);
  }

  clear(): void {
    this.#ids.clear();
  }
}
