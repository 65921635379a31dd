/** The keys in use and their limits: seals, opens, and says when new keys are wanted (channel-v2 §4 to §6). Knows nothing of exchanges. */
import type { FrameType } from "@sealane/wire";
import type { RecordErrorCode } from "./errors.js";
import type { ChannelLimits } from "./limits.js";
import type { ReceiveKey } from "./receive-key.js";
import { ReceiveKeys } from "./receive-keys.js";
import type { RecordFormat } from "./record-format.js";
import type { SendKey } from "./send-key.js";
import type { SessionKeys } from "./version.js";

/** The part of the limits that concerns keys in use. */
export type KeyLimits = Pick<
  ChannelLimits,
  "rekeyAtRecords" | "rekeyAtAgeMs" | "recordsMax" | "failedOpensMax" | "oldReceiveKeyMs"
>;

/** A record that was opened. */
export interface OpenedLayer {
  /** A view of the payload. */
  readonly header: Uint8Array;
  /** Fresh, or empty. */
  readonly plaintext: Uint8Array;
  readonly key: ReceiveKey;
}

export class RecordLayer {
  readonly #format: RecordFormat;
  readonly #limits: KeyLimits;
  readonly #receiveKeys: ReceiveKeys;
  // Invariant: while defined, fewer than limits.recordsMax records are used, and the newest receive key came with it.
  #send: SendKey | undefined;
  #sinceMs = 0;

  constructor(format: RecordFormat, limits: KeyLimits) {
    this.#format = format;
    this.#limits = limits;
    this.#receiveKeys = new ReceiveKeys(limits.oldReceiveKeyMs);
  }

  /** A send key is in use. */
  get isOpen(): boolean {
    return this.#send !== undefined;
  }

  /** Records sealed under the send key in use; 0 without one. */
  get sent(): number {
    return this.#send?.sent ?? 0;
  }

  /** Records opened under the newest receive key; 0 without one. */
  get received(): number {
    return this.#receiveKeys.newest?.received ?? 0;
  }

  /** What counts towards the limits of the keys in use; 0 without a send key. */
  get used(): number {
    if (this.#send === undefined) return 0;
    return this.#format.recordsUsed(this.#send.sent, this.#receiveKeys.newest?.lastCounter ?? 0);
  }

  /** When the keys in use came; undefined without a send key. */
  get sinceMs(): number | undefined {
    return this.#send === undefined ? undefined : this.#sinceMs;
  }

  /** When the next old receive key has to go; `Infinity` when there is none. */
  get nextExpiryMs(): number {
    return this.#receiveKeys.nextExpiryMs;
  }

  /** When the keys in use are too old; `Infinity` without a send key. */
  get rekeyAtMs(): number {
    return this.#send === undefined ? Number.POSITIVE_INFINITY : this.#sinceMs + this.#limits.rekeyAtAgeMs;
  }

  /**
   * §6: the keys in use are near one of their limits. Failed opens count from half-way on, so that a flood of forgeries ends in new keys
   * and not in a closed channel.
   */
  isRekeyDue(nowMs: number): boolean {
    if (this.#send === undefined) return false;
    if (this.used >= this.#limits.rekeyAtRecords || this.rekeyAtMs <= nowMs) return true;
    return (this.#receiveKeys.newest?.failedOpens ?? 0) >= this.#limits.failedOpensMax / 2;
  }

  /** §4, table: the new receive key is accepted beside the old one, the new send key is used from now on. Takes both over. */
  switchKeys({ send, receive }: SessionKeys, nowMs: number): void {
    this.#dropSendKey();
    this.#send = send;
    this.#sinceMs = nowMs;
    this.#receiveKeys.install(receive, nowMs);
    // Records that do not name their key are never tried under several: what is still under way under the old one is lost.
    if (!this.#format.namesItsKey) this.#receiveKeys.dropOlderThan(receive);
  }

  /** Seals a header alone. @returns The trailer, fresh; undefined without a send key. The record that reaches a limit still goes out. */
  sealHeader(frameType: FrameType, header: Uint8Array): Uint8Array | undefined {
    const trailer = this.#send?.sealHeader(frameType, header);
    this.#stopAtLimit();
    return trailer;
  }

  /** Seals a header and a plaintext. @returns Trailer ‖ ciphertext, fresh; undefined without a send key. */
  seal(frameType: FrameType, header: Uint8Array, plaintext: Uint8Array): Uint8Array | undefined {
    const sealed = this.#send?.seal(frameType, header, plaintext);
    this.#stopAtLimit();
    return sealed;
  }

  /**
   * Opens one record. A refused one changes nothing, except that a failed tag is counted and may end its key.
   * @param headerBytes - Where the trailer starts, if the payload is that long.
   * @param handshakeId - For a confirm: the exchange whose key must have sealed it.
   */
  open(
    frameType: FrameType,
    headerBytes: number,
    payload: Uint8Array,
    handshakeId?: string,
  ): OpenedLayer | RecordErrorCode {
    if (payload.length < headerBytes + this.#format.trailerBytes) return "truncated-record";
    if (this.#receiveKeys.size === 0) return "no-keys";
    const key = this.#receiveKeys.find(this.#format.readKeyId(payload, headerBytes));
    // §5: an unknown keyId is refused without trial decryption. A confirm has to name its own key's exchange as well.
    if (key === undefined || (handshakeId ?? key.handshakeId) !== key.handshakeId) return "unknown-key";
    const header = payload.subarray(0, headerBytes);
    const plaintext = key.open(frameType, header, payload);
    if (typeof plaintext === "string") {
      if (plaintext === "bad-tag" && key.failedOpens >= this.#limits.failedOpensMax) this.#giveUp(key);
      return plaintext;
    }
    // §4, table: the first record under a new key ends the old ones.
    this.#receiveKeys.dropOlderThan(key);
    this.#stopAtLimit();
    return { header, plaintext, key };
  }

  /** Drops the old receive keys whose time is over. */
  expire(nowMs: number): void {
    this.#receiveKeys.expire(nowMs);
  }

  /** Wipes every key. */
  clear(): void {
    this.#dropSendKey();
    this.#receiveKeys.clear();
  }

  #stopAtLimit(): void {
    if (this.#send === undefined || this.used < this.#limits.recordsMax) return;
    // channel-v1-wire §6, 2 drops the receive key as well, and with it whatever is under way. What the peer may still seal is for its own limit
    // to say, so here, as in version 2, it can be read until new keys come.
    this.#dropSendKey();
  }

  /** §6, 2^20 failed opens. Without the newest receive key the peer cannot be heard: both directions are used up then. */
  #giveUp(key: ReceiveKey): void {
    if (key === this.#receiveKeys.newest) this.#dropSendKey();
    this.#receiveKeys.drop(key);
  }

  #dropSendKey(): void {
    this.#send?.wipe();
    this.#send = undefined;
  }
}
