/** The bytes of a protected record, apart from its keys: what the versions of the channel protocol do differently (channel-v2 §5). */
import type { FrameType } from "@sealane/wire";

/** Layout and nonce of one version's records. Stateless: counters and limits are `SendKey`'s and `ReceiveKey`'s. */
export interface RecordFormat {
  /** Bytes between a record's header and its ciphertext or ledger entries. */
  readonly trailerBytes: number;
  /** Bytes of the nonce given to AES-GCM, and of the iv each key comes with. */
  readonly nonceBytes: number;
  /** Bytes of the additional data in front of the header. */
  readonly aadPrefixBytes: number;
  /** Whether a record says which key it is under. If not, only the newest receive key is ever tried. */
  readonly namesItsKey: boolean;
  /** Whether a record may have neither header nor plaintext. */
  readonly sealsNothing: boolean;
  /** What counts towards the limits of a key. @param lastReceived - The highest counter accepted under the newest receive key. */
  recordsUsed(sent: number, lastReceived: number): number;
  /** Writes what stands in front of the header in the additional data. */
  writeAadPrefix(aad: Uint8Array, frameType: FrameType): void;
  /** Writes the nonce of a counter. `nonce` is as long as `iv`. */
  writeNonce(nonce: Uint8Array, iv: Uint8Array, counter: number): void;
  /** Writes `trailerBytes` at the start of `target`. */
  writeTrailer(target: Uint8Array, keyId: Uint8Array, counter: number, tag: Uint8Array): void;
  /** The key id as an opaque number, from a trailer at `offset` whose bytes are all there. */
  readKeyId(payload: Uint8Array, offset: number): number;
  /** The counter; an approximation when it is above 2^53, which is far beyond any limit. */
  readCounter(payload: Uint8Array, offset: number): number;
  /** Copies the tag into `target`, 16 bytes: memory that is used again is cheaper than a view for every record. */
  readTag(target: Uint8Array, payload: Uint8Array, offset: number): void;
}

/**
 * The additional data of one record, put together in memory that is used again for the next one: a key seals tens of thousands of
 * headers a second, nearly all of one or two lengths.
 */
export class AadBuffer {
  readonly #format: RecordFormat;
  #view: Uint8Array = new Uint8Array(0);

  constructor(format: RecordFormat) {
    this.#format = format;
  }

  /** Additional data for one AEAD call. Ours: valid until the next call, and nobody else may keep it. */
  of(frameType: FrameType, header: Uint8Array): Uint8Array {
    const length = this.#format.aadPrefixBytes + header.length;
    if (this.#view.length !== length) {
      const memory = this.#view.buffer.byteLength < length ? new ArrayBuffer(Math.max(256, length)) : this.#view.buffer;
      this.#view = new Uint8Array(memory, 0, length);
    }
    this.#format.writeAadPrefix(this.#view, frameType);
    this.#view.set(header, this.#format.aadPrefixBytes);
    return this.#view;
  }
}

/** Copies a few bytes: below some thirty a loop is faster than `set`, and needs no view of the source. */
export function copyFew(target: Uint8Array, at: number, source: Uint8Array, from: number, count: number): void {
  for (let n = 0; n < count; n++) target[at + n] = source[from + n] ?? 0;
}
