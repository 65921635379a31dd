/** One receive key: opens records in order and counts what fails (channel-v2 §5 and §6). */
import { AEAD_TAG_BYTES, type AeadKey, type CryptoSuite } from "@sealane/crypto";
import { FRAME_FORWARDED, type FrameType } from "@sealane/wire";
import type { RecordErrorCode } from "./errors.js";
import { RECORDS_MAX } from "./limits.js";
import { AadBuffer, type RecordFormat } from "./record-format.js";
import type { DirectionSecrets } from "./send-key.js";

const EMPTY = new Uint8Array(0);

/**
 * Opens the records of one key. The replay window is a single number: links keep order, so any counter at or below the last accepted one
 * is a replay, while a gap is only what was lost with a connection.
 */
export class ReceiveKey {
  /** The exchange this key comes from, 8 bytes as hex. */
  readonly handshakeId: string;
  /** As `RecordFormat.readKeyId` reads it. Public. */
  readonly keyId: number;
  readonly #suite: CryptoSuite;
  readonly #format: RecordFormat;
  readonly #aead: AeadKey;
  readonly #iv: Uint8Array;
  readonly #aad: AadBuffer;
  readonly #nonce: Uint8Array;
  readonly #tag = new Uint8Array(AEAD_TAG_BYTES);
  // Invariant: the highest counter whose tag has verified; 0 before the first record. Never lowered.
  #lastCounter = 0;
  #received = 0;
  #failedOpens = 0;

  /** @param secrets - Taken over: its key is wiped here. */
  constructor(suite: CryptoSuite, format: RecordFormat, secrets: DirectionSecrets, handshakeId: string) {
    this.handshakeId = handshakeId;
    this.keyId = format.readKeyId(secrets.keyId, 0);
    this.#suite = suite;
    this.#format = format;
    this.#aead = suite.aead(secrets.key);
    suite.wipe(secrets.key);
    this.#iv = secrets.iv;
    this.#aad = new AadBuffer(format);
    this.#nonce = new Uint8Array(format.nonceBytes);
  }

  /** The highest counter accepted; 0 before the first record. */
  get lastCounter(): number {
    return this.#lastCounter;
  }

  /** Records opened so far. */
  get received(): number {
    return this.#received;
  }

  /** Records whose tag did not verify so far. */
  get failedOpens(): number {
    return this.#failedOpens;
  }

  /**
   * Opens one record whose trailer is complete and names this key.
   * @param payload - Borrowed. @param header - The view of its start; the trailer follows.
   * @returns The plaintext (empty unless the frame is a forwarded one), or why it was refused. Only `bad-tag` changes anything: one count.
   */
  open(frameType: FrameType, header: Uint8Array, payload: Uint8Array): Uint8Array | RecordErrorCode {
    const headerBytes = header.length;
    const counter = this.#format.readCounter(payload, headerBytes);
    if (counter <= this.#lastCounter) return "replayed-counter";
    // An honest sender stops before; and beyond 2^32 the nonce would not be the counter's own.
    if (counter > RECORDS_MAX) return "counter-too-high";
    this.#format.writeNonce(this.#nonce, this.#iv, counter);
    this.#format.readTag(this.#tag, payload, headerBytes);
    const aad = this.#aad.of(frameType, header);
    // §5: type 1 has an empty plaintext; what follows the trailer are ledger entries, bound by a digest in the header.
    const ciphertext =
      frameType === FRAME_FORWARDED ? payload.subarray(headerBytes + this.#format.trailerBytes) : EMPTY;
    const plaintext = this.#aead.open(this.#nonce, aad, ciphertext, this.#tag);
    if (plaintext === undefined) {
      this.#failedOpens += 1;
      return "bad-tag";
    }
    this.#lastCounter = counter;
    this.#received += 1;
    return plaintext;
  }

  /** Ends the key's life. Any later use throws. */
  wipe(): void {
    this.#suite.wipe(this.#aead);
    this.#suite.wipe(this.#iv);
  }
}
