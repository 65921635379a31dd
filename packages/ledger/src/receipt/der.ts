/** Reading DER (X.690 §10), strictly: definite lengths in their shortest form, and nothing left over. */

/** The bytes are not the DER they should be. Never leaves this folder. */
export class DerError extends Error {
  override readonly name = "DerError";
}

export const SEQUENCE = 0x30;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_ID = 0x06;
export const BOOLEAN = 0x01;
/** Context-specific, constructed. */
export const EXPLICIT_0 = 0xa0;
export const EXPLICIT_3 = 0xa3;

/** Walks the elements of one constructed value. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether an element with this tag comes next. */
  has(tag: number): boolean {
    return this.#bytes[this.#offset] === tag;
  }

  /** The next element as a whole, its tag and length included. A view. */
  element(tag: number): Uint8Array {
    const start = this.#offset;
    this.contents(tag);
    return this.#bytes.subarray(start, this.#offset);
  }

  /** What the next element holds. A view. */
  contents(tag: number): Uint8Array {
    if (!this.has(tag)) throw new DerError(`expected tag ${tag}`);
    let length = this.#byte(1);
    let start = this.#offset + 2;
    if (length >= 0x80) {
      const lengthBytes = length - 0x80;
      // X.690 §10.1; two bytes of length are more than any certificate here has.
      if (lengthBytes < 1 || lengthBytes > 2) throw new DerError("a length of another form");
      length = lengthBytes === 1 ? this.#byte(2) : this.#byte(2) * 256 + this.#byte(3);
      if (length < (lengthBytes === 1 ? 0x80 : 0x100)) throw new DerError("a length longer than it need be");
      start += lengthBytes;
    }
    if (length > this.#bytes.length - start) throw new DerError("an element is cut short");
    this.#offset = start + length;
    return this.#bytes.subarray(start, this.#offset);
  }

  /** Into the next element. */
  enter(tag: number): DerReader {
    return new DerReader(this.contents(tag));
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) throw new DerError("bytes are left over");
  }

  #byte(at: number): number {
    const byte = this.#bytes[this.#offset + at];
    if (byte === undefined) throw new DerError("an element is cut short");
    return byte;
  }
}

/**
 * ECDSA-Sig-Value (RFC 3279 §2.2.3) as raw r ‖ s.
 * @param der - Exactly one, in minimal form.
 * @param fieldBytes - Of the curve: 48 for P-384, 32 for P-256.
 */
export function rawSignature(der: Uint8Array, fieldBytes: number): Uint8Array {
  const outer = new DerReader(der);
  const pair = outer.enter(SEQUENCE);
  outer.end();
  const raw = new Uint8Array(2 * fieldBytes);
  for (const end of [fieldBytes, 2 * fieldBytes]) {
    const integer = pair.contents(INTEGER);
    const [first = 0x80, second = 0] = integer;
    // Not negative; a zero byte in front only where the number would be negative without it (X.690 §8.3.2).
    if (first >= 0x80 || (first === 0 && second < 0x80)) throw new DerError("an integer of another form");
    const digits = first === 0 ? integer.subarray(1) : integer;
    if (digits.length > fieldBytes) throw new DerError("an integer too large for the curve");
    raw.set(digits, end - digits.length);
  }
  pair.end();
  return raw;
}
