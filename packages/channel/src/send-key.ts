/** One send key: counts what it sealed, so that no nonce is ever used twice (channel-v2 §5). */
import type { AeadKey, CryptoSuite } from "@sealane/crypto";
import type { FrameType } from "@sealane/wire";
import { RECORDS_MAX } from "./limits.js";
import { AadBuffer, type RecordFormat } from "./record-format.js";

/** What the key schedule gives for one direction. Owned by whoever holds it, and wiped by the key made of it. */
export interface DirectionSecrets {
  /** 32 bytes, AES-256. */
  readonly key: Uint8Array;
  /** As long as the format's nonce. */
  readonly iv: Uint8Array;
  /** 4 bytes, public. */
  readonly keyId: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/**
 * Seals records. A key is derived once, made into one `SendKey`, and its counter only grows; that is the whole reason why no (key, nonce)
 * pair repeats, whatever is replayed, lost or restarted around it.
 */
export class SendKey {
  readonly #suite: CryptoSuite;
  readonly #format: RecordFormat;
  readonly #aead: AeadKey;
  readonly #iv: Uint8Array;
  readonly #keyId: Uint8Array;
  readonly #aad: AadBuffer;
  readonly #nonce: Uint8Array;
  // Invariant: the counter of the last nonce handed to the AEAD; 0 before the first. Never lowered.
  #sent = 0;

  /** @param secrets - Taken over: its key is wiped here. */
  constructor(suite: CryptoSuite, format: RecordFormat, secrets: DirectionSecrets) {
    this.#suite = suite;
    this.#format = format;
    this.#aead = suite.aead(secrets.key);
    suite.wipe(secrets.key);
    this.#iv = secrets.iv;
    this.#keyId = secrets.keyId;
    this.#aad = new AadBuffer(format);
    this.#nonce = new Uint8Array(format.nonceBytes);
  }

  /** Records sealed so far; the last one carried this counter. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * Seals a header alone. @returns The trailer, freshly allocated: the caller may queue it.
   * @throws {RangeError} in version 1 when the header is empty; the counter is used up all the same (channel-v1-wire §8.1).
   */
  sealHeader(frameType: FrameType, header: Uint8Array): Uint8Array {
    const trailer = new Uint8Array(this.#format.trailerBytes);
    const nonce = this.#nextNonce();
    if (header.length === 0) this.#checkEmpty();
    const { tag } = this.#aead.seal(nonce, this.#aad.of(frameType, header), EMPTY);
    this.#format.writeTrailer(trailer, this.#keyId, this.#sent, tag);
    return trailer;
  }

  /**
   * Seals a header and a plaintext. @returns Trailer ‖ ciphertext, freshly allocated.
   * @throws {RangeError} in version 1 when both are empty; the counter is used up all the same (channel-v1-wire §8.1).
   */
  seal(frameType: FrameType, header: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const nonce = this.#nextNonce();
    if (header.length + plaintext.length === 0) this.#checkEmpty();
    const { ciphertext, tag } = this.#aead.seal(nonce, this.#aad.of(frameType, header), plaintext);
    const sealed = new Uint8Array(this.#format.trailerBytes + ciphertext.length);
    this.#format.writeTrailer(sealed, this.#keyId, this.#sent, tag);
    sealed.set(ciphertext, this.#format.trailerBytes);
    return sealed;
  }

  /** Ends the key's life. Any later use throws. */
  wipe(): void {
    this.#suite.wipe(this.#aead);
    this.#suite.wipe(this.#iv);
  }

  #checkEmpty(): void {
    if (!this.#format.sealsNothing) throw new RangeError("a record of version 1 has a header or a plaintext");
  }

  /** Counts before the nonce is used: should the AEAD throw, that nonce is spent and not used again. */
  #nextNonce(): Uint8Array {
    // The owner stops at its limit; this is the last line against its bugs, and what makes 32-bit counters enough.
    if (this.#sent >= RECORDS_MAX) throw new RangeError("the send key is used up");
    this.#sent += 1;
    this.#format.writeNonce(this.#nonce, this.#iv, this.#sent);
    return this.#nonce;
  }
}
