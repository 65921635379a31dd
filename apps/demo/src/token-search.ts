/** Looks for thousands of short texts in megabytes at once. */

const PREFIX_BYTES = 4;

/**
 * Finds which of `needles` occur in `bytes`.
 * @param needles - ASCII texts of at least 4 characters.
 */
export class TokenSearch {
  readonly #byPrefix = new Map<number, Uint8Array[]>();
  /** One bit for each possible last 16 bits of a prefix: nearly every position is dismissed by one look here. */
  readonly #sieve = new Uint8Array(1 << 13);

  constructor(needles: Iterable<string>) {
    for (const needle of needles) {
      const bytes = Buffer.from(needle, "latin1");
      if (bytes.length < PREFIX_BYTES) throw new RangeError("a needle has at least 4 characters");
      const prefix = bytes.readUInt32BE(0);
      const known = this.#byPrefix.get(prefix);
      if (known === undefined) this.#byPrefix.set(prefix, [bytes]);
      else known.push(bytes);
      const low = prefix & 0xffff;
      this.#sieve[low >> 3] = (this.#sieve[low >> 3] ?? 0) | (1 << (low & 7));
    }
  }

  /** @returns the first needle found, and where; undefined when there is none. */
  find(bytes: Uint8Array): { readonly needle: string; readonly offset: number } | undefined {
    let prefix = 0;
    for (let end = 0; end < bytes.length; end++) {
      prefix = ((prefix << 8) | (bytes[end] ?? 0)) >>> 0;
      if (end < PREFIX_BYTES - 1) continue;
      const low = prefix & 0xffff;
      if (((this.#sieve[low >> 3] ?? 0) & (1 << (low & 7))) === 0) continue;
      const offset = end - PREFIX_BYTES + 1;
      for (const needle of this.#byPrefix.get(prefix) ?? []) {
        if (Buffer.compare(bytes.subarray(offset, offset + needle.length), needle) === 0) {
          return { needle: Buffer.from(needle).toString("latin1"), offset };
        }
      }
    }
    return undefined;
  }
}
