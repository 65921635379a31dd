/**
 * Reads DER (X.690 §8, §10, §11) strictly and in one pass: what is not the one canonical encoding of what it says is refused where it stands,
 * so nothing has to be written again to compare, and no two byte strings mean the same thing.
 *
 * The caller follows its grammar: it names the tag it expects, and the reader never looks for structure on its own. So the depth and the
 * work are those of the grammar, whatever the input; only `any` descends by itself, and no deeper than a bound.
 */

/** - `malformed`: not the structure it should be. - `not-canonical`: readable as BER, but not the one DER encoding. */
export type DerErrorCode = "malformed" | "not-canonical";

export type DerResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: DerErrorCode };

/** Universal tags (X.690 §8.1.2), and the context-specific ones of this package's grammars. `[n]` as constructed has 0xa0 + n. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of `[n]` over a constructed type, or explicit; 0xa0 + n. */
export function constructed(n: number): number {
  return 0xa0 + n;
}

/** Tag of `[n]` in place of a primitive type's own; 0x80 + n. */
export function primitive(n: number): number {
  return 0x80 + n;
}

/** X.690 §8.1.2.4: tags from 31 on take more than one byte. None here do. */
const TAG_NUMBER_MASK = 0x1f;
const CONSTRUCTED_BIT = 0x20;
/** Deeper than anything in a certificate; bounds the one place that descends on its own. */
const ANY_DEPTH_MAX = 16;
/** X.690 §8.1.3: a length of four bytes is more than any input here. */
const LENGTH_BYTES_MAX = 4;
/** X.690 §8.19: seven bits to a byte, and a number that JavaScript holds exactly. */
const ARC_MAX = Number.MAX_SAFE_INTEGER;

/**
 * Reads one value and nothing behind it. Total: no input makes it throw.
 * @param read - May throw `DerError`, as every method of the reader does; anything else it throws passes through.
 */
export function decodeDer<T>(der: Uint8Array, read: (reader: DerReader) => T): DerResult<T> {
  try {
    const reader = new DerReader(der);
    const value = read(reader);
    reader.end();
    return { ok: true, value };
  } catch (error) {
    if (error instanceof DerError) return { ok: false, code: error.code };
    throw error;
  }
}

/** A place in DER. What it gives out are views of the input. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  // Invariant: at <= end <= bytes.length.
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isEmpty(): boolean {
    return this.#at === this.#end;
  }

  /** Whether the next element has this tag. */
  has(tag: number): boolean {
    return this.#at < this.#end && this.#bytes[this.#at] === tag;
  }

  /** Nothing may follow. A reader of BER would let more fields follow, so this is a matter of the one encoding. */
  end(): void {
    if (!this.isEmpty) throw new DerError("not-canonical");
  }

  /** The content of the next element, to be read in turn; the caller ends with `end`, or uses `within`. */
  enter(tag: number): DerReader {
    const end = this.#head(tag);
    const inner = new DerReader(this.#bytes, this.#at, end);
    this.#at = end;
    return inner;
  }

  /** Reads the content of the next element with `read`, which must take all of it. */
  within<T>(tag: number, read: (inner: DerReader) => T): T {
    const inner = this.enter(tag);
    const value = read(inner);
    inner.end();
    return value;
  }

  /** The content of the next element. */
  content(tag: number): Uint8Array {
    const end = this.#head(tag);
    const content = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return content;
  }

  /** The next element, head and content, of whatever is inside. */
  element(tag: number): Uint8Array {
    const start = this.#at;
    this.#at = this.#head(tag);
    return this.#bytes.subarray(start, this.#at);
  }

  /** The next element, of any tag but well-formed to the bottom. */
  any(): Uint8Array {
    const start = this.#at;
    this.#at = this.#anyEnd(ANY_DEPTH_MAX);
    return this.#bytes.subarray(start, this.#at);
  }

  /** BOOLEAN DEFAULT FALSE: absent means no, and so it is never written (X.690 §11.1, §11.5). */
  flag(): boolean {
    if (!this.has(TAG.boolean)) return false;
    const content = this.content(TAG.boolean);
    if (content.length !== 1) throw new DerError("malformed");
    if (content[0] !== 0xff) throw new DerError("not-canonical");
    return true;
  }

  /** INTEGER in its shortest form (X.690 §8.3.2), two's complement, big-endian. */
  integer(tag: number = TAG.integer): Uint8Array {
    const content = this.content(tag);
    const [first, second = 0] = content;
    if (first === undefined) throw new DerError("malformed");
    const repeatsSign = (first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80);
    if (content.length > 1 && repeatsSign) throw new DerError("not-canonical");
    return content;
  }

  /** BIT STRING of whole bytes: a key or a signature. */
  octetBits(tag: number = TAG.bitString): Uint8Array {
    const content = this.content(tag);
    if (content[0] === undefined) throw new DerError("malformed");
    if (content[0] !== 0) throw new DerError("not-canonical");
    return content.subarray(1);
  }

  /** OBJECT IDENTIFIER, dotted (X.690 §8.19). */
  objectIdentifier(tag: number = TAG.objectIdentifier): string {
    const content = this.content(tag);
    const arcs: number[] = [];
    let arc = 0;
    let continues = false;
    for (const byte of content) {
      if (!continues && byte === 0x80) throw new DerError("not-canonical");
      arc = arc * 128 + (byte & 0x7f);
      if (arc > ARC_MAX) throw new DerError("malformed");
      continues = byte >= 0x80;
      if (continues) continue;
      arcs.push(arc);
      arc = 0;
    }
    const [first] = arcs;
    if (continues || first === undefined) throw new DerError("malformed");
    const root = Math.min(2, Math.floor(first / 40));
    return [root, first - 40 * root, ...arcs.slice(1)].join(".");
  }

  /** Passes the head of the next element. @returns Where its content ends. */
  #head(tag: number): number {
    const found = this.#byte();
    if (found !== tag) {
      // A low tag in the long form is BER; with any other this is another element than the one that has to be here.
      const longForm =
        (found & TAG_NUMBER_MASK) === TAG_NUMBER_MASK && (this.#bytes[this.#at] ?? 0xff) < TAG_NUMBER_MASK;
      throw new DerError(longForm ? "not-canonical" : "malformed");
    }
    return this.#length();
  }

  #length(): number {
    const first = this.#byte();
    let length = first;
    if (first >= 0x80) {
      const lengthBytes = first - 0x80;
      if (lengthBytes === 0) throw new DerError("not-canonical"); // X.690 §10.1: the definite form
      if (lengthBytes > LENGTH_BYTES_MAX) throw new DerError("malformed");
      length = 0;
      for (let n = 0; n < lengthBytes; n++) length = length * 256 + this.#byte();
      const isShortest = length >= 0x80 && length >= 256 ** (lengthBytes - 1);
      if (!isShortest) throw new DerError("not-canonical");
    }
    if (length > this.#end - this.#at) throw new DerError("malformed");
    return this.#at + length;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new DerError("malformed");
    // Within the bounds just checked.
    return this.#bytes[this.#at++] ?? 0;
  }

  #anyEnd(depthMax: number): number {
    const tag = this.#byte();
    if ((tag & TAG_NUMBER_MASK) === TAG_NUMBER_MASK || tag === 0 || depthMax === 0) throw new DerError("malformed");
    const end = this.#length();
    if ((tag & CONSTRUCTED_BIT) === 0) return end;
    const inner = new DerReader(this.#bytes, this.#at, end);
    while (!inner.isEmpty) inner.#at = inner.#anyEnd(depthMax - 1);
    return end;
  }
}

/** Never leaves this package: `decodeDer` turns it into a result, and whoever reads says which error that is. */
export class DerError extends Error {
  override readonly name = "DerError";
  readonly code: DerErrorCode;
  constructor(code: DerErrorCode) {
    super(`not DER as expected: ${code}`);
    this.code = code;
  }
}
