/**
 * The end of one node-to-node channel: key exchange, record protection, queue and limits for one peer (channel-v2, channel-v1-wire). Sans-IO: frames, time and
 * (through the suite) random bytes come in; frames to send and notices come out of `pollOutput`. It knows no addresses and no timers, and
 * does not look into the headers it protects.
 *
 * Here the parts meet: `exchange.ts`, the state machine that makes new keys, `record-layer.ts`, the keys in use, and `sending.ts`, what goes
 * out under them or waits.
 */
import { type CryptoSuite, EndorsementCache, spkiHash } from "@sealane/crypto";
import {
  type ChannelState,
  FRAME_CHANNEL,
  type FRAME_CONSENSUS,
  FRAME_FORWARDED,
  type FrameType,
  type NodeId,
} from "@sealane/wire";
import { type ChannelErrorCode, HandshakeError, type RecordErrorCode } from "./errors.js";
import { Exchange, type ExchangeOwner } from "./exchange.js";
import { type ChannelLimits, resolveLimits } from "./limits.js";
import { type ChannelOutput, OutputQueue } from "./output.js";
import type { ChannelSelf, ChannelTrust, Party } from "./party.js";
import type { ReceiveKey } from "./receive-key.js";
import { RecordLayer } from "./record-layer.js";
import { Sending } from "./sending.js";
import type { ChannelVersion, ChannelVersionNumber, ReceivedMessage, SessionKeys } from "./version.js";
import { version1 } from "./version-1.js";
import { version2 } from "./version-2.js";

export interface ChannelOptions {
  readonly suite: CryptoSuite;
  /** The one version this channel speaks; it refuses any other. */
  readonly version: ChannelVersionNumber;
  readonly self: ChannelSelf;
  /** The other end. Not this node itself. */
  readonly peer: NodeId;
  readonly trust: ChannelTrust;
  readonly limits?: Partial<ChannelLimits>;
  /** Certificates already verified; share one among a node's channels. */
  readonly cache?: EndorsementCache;
}

/** A record that was opened. All three are views of the payload it came in, except `plaintext`, which is fresh. */
export interface OpenedRecord {
  /** Authenticated. */
  readonly header: Uint8Array;
  /** Frame type 2: what was sealed. Frame type 1: empty. */
  readonly plaintext: Uint8Array;
  /** Frame type 1: the ledger entries behind the trailer, NOT authenticated by the channel but by the digest in the header. Type 2: empty. */
  readonly rest: Uint8Array;
}

/** What a channel shows to people (channel-v2 §8), under one name for the documents of `wire`. */
export type ChannelStateName = ChannelState["state"];

const VERSIONS: Readonly<Record<ChannelVersionNumber, ChannelVersion>> = { 1: version1, 2: version2 };
const EMPTY = new Uint8Array(0);

/**
 * One end of a channel. After every call that takes a time, drain `pollOutput` until it says `wait` or `idle`, sending what it says to send
 * before anything sealed later. Times are milliseconds of one clock that does not step back; it need not be the time of day.
 *
 * No byte string from the peer makes a method throw. Bugs of the caller do: `RangeError`.
 *
 * @example
 * const channel = new Channel({ suite, version: 2, self, peer, trust });
 * channel.initiate(nowMs);
 * for (let output = channel.pollOutput(); output.type === "transmit" || output.type === "exchange"; output = channel.pollOutput()) {
 *   if (output.type === "transmit") transport.send(peer, output.frameType, output.parts);
 * }
 */
export class Channel {
  readonly peer: NodeId;
  readonly version: ChannelVersionNumber;
  readonly #version: ChannelVersion;
  readonly #party: Party;
  readonly #limits: ChannelLimits;
  readonly #exchange: Exchange;
  readonly #records: RecordLayer;
  readonly #sending: Sending;
  readonly #outputs = new OutputQueue();
  #lastError: ChannelErrorCode | undefined;
  #lastActivityMs: number | undefined;
  /** When time next changes anything; checked once per record, so that no old key outlives its time for want of a tick. */
  #nextTimerMs = Number.POSITIVE_INFINITY;

  /** @throws {RangeError} when `self.id` is not the id of `self.keyPair`, when `peer` is this node, or for limits out of bounds. */
  constructor(options: ChannelOptions) {
    const { suite, version, self, peer, trust, limits, cache } = options;
    if (spkiHash(suite, self.keyPair.publicKey.spki) !== self.id) throw new RangeError("the id is not that of the key");
    if (peer === self.id) throw new RangeError("a node has no channel to itself");
    this.peer = peer;
    this.version = version;
    this.#version = VERSIONS[version];
    this.#limits = resolveLimits(limits, version);
    this.#party = { suite, self, peer, trust, cache: cache ?? new EndorsementCache() };
    this.#records = new RecordLayer(this.#version.records, this.#limits);
    const exchange = new Exchange(this.#version, this.#party, this.#limits, this.#exchangeOwner());
    this.#exchange = exchange;
    this.#sending = new Sending(this.#records, this.#limits.queuedForwardedMax, {
      get holdsRecords() {
        return exchange.holdsRecords;
      },
      transmit: (frameType, parts) => this.#outputs.push({ type: "transmit", frameType, parts }),
    });
  }

  /** §8. During a rekey this names the exchange; whether keys are in use is `isOpen`. */
  get state(): ChannelStateName {
    return this.#exchange.phase ?? (this.isOpen ? "ESTABLISHED" : "INACTIVE");
  }

  /** Keys are in use: what is sealed now goes out now. */
  get isOpen(): boolean {
    return this.#records.isOpen;
  }

  /** An exchange is under way; a channel may be open at the same time. */
  get isInExchange(): boolean {
    return this.#exchange.isRunning;
  }

  /** Records sealed under the send key in use; 0 without one. */
  get sent(): number {
    return this.#records.sent;
  }

  /** Records opened under the newest receive key; 0 without one. */
  get received(): number {
    return this.#records.received;
  }

  /** Records left before a new exchange starts; 0 without keys. */
  get recordsLeft(): number {
    return this.isOpen ? Math.max(0, this.#limits.rekeyAtRecords - this.#records.used) : 0;
  }

  /** Code of what was refused or missed last. */
  get lastError(): ChannelErrorCode | undefined {
    return this.#lastError;
  }

  /** Key exchanges completed. */
  get exchanges(): number {
    return this.#exchange.completed;
  }

  /**
   * When this end last sealed, or last got something authentic; undefined before. §6: the owner closes a channel that has been idle for 4
   * election time-outs. Forged frames and our own retries do not count, so they keep no channel alive.
   */
  get lastActivityMs(): number | undefined {
    return this.#lastActivityMs;
  }

  /** Age of the keys in use in milliseconds; undefined without keys. */
  keyAgeMs(nowMs: number): number | undefined {
    const { sinceMs } = this.#records;
    return sinceMs === undefined ? undefined : Math.max(0, nowMs - sinceMs);
  }

  /** §8, as the document that `wire` defines. */
  describe(nowMs: number): ChannelState {
    return {
      peer: this.peer,
      state: this.state,
      open: this.isOpen,
      version: this.version,
      keyAgeMs: this.keyAgeMs(nowMs) ?? null,
      sent: this.sent,
      received: this.received,
      recordsLeft: this.recordsLeft,
      lastError: this.lastError ?? null,
      exchanges: this.exchanges,
    };
  }

  /** Starts an exchange if the channel is not open and none is under way. */
  initiate(nowMs: number): void {
    this.#advanceAndRelease(nowMs);
    this.#lastActivityMs = nowMs;
    if (!this.isOpen) this.#request(nowMs);
  }

  /**
   * Takes the payload of a frame of type 0.
   * @param payload - Borrowed for the call.
   * @returns Whether it proves that the peer is there now. False for everything refused, and for an init, which may be a replay.
   */
  handleFrame(payload: Uint8Array, nowMs: number): boolean {
    this.#advanceAndRelease(nowMs);
    try {
      const message = this.#version.read(this.#party, payload);
      const isProof =
        message.kind === "confirm"
          ? this.#handleConfirm(message, payload, nowMs)
          : this.#exchange.handle(message, nowMs);
      if (isProof) this.#lastActivityMs = nowMs;
      return isProof;
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error;
      this.#refuse(error.code, FRAME_CHANNEL);
      return false;
    } finally {
      this.#arm();
    }
  }

  /** Lets time pass. Call it when `wait` says, or at any other time. */
  handleTick(nowMs: number): void {
    this.#advanceAndRelease(nowMs);
  }

  /**
   * Seals a consensus header (frame type 1). Costs one AEAD call.
   * @param header - Goes in clear. Borrowed; copied only if it has to be queued.
   * @returns The trailer to put behind the header, fresh: keyId (4) ‖ counter (8) ‖ tag (16); in version 1 tag (16) ‖ IV (8). Undefined when
   *   there are no keys yet, or in version 1 while they change: the header waits, in place of an older one, and comes out of `pollOutput`.
   */
  seal(header: Uint8Array, nowMs: number): Uint8Array | undefined {
    this.#beforeSealing(nowMs);
    const trailer = this.#sending.seal(header);
    this.#requestIfDue(nowMs);
    return trailer;
  }

  /**
   * Seals a forwarded request or response (frame type 2).
   * @param header - Goes in clear. @param plaintext - Encrypted. Both are borrowed; copied only if they have to be queued.
   * @returns Trailer ‖ ciphertext to put behind the header, fresh. Without keys, or in version 1 while they change: "queued", and it comes out of
   *   `pollOutput` later; or "refused" when ten wait already: tell whoever asked.
   */
  sealEncrypted(header: Uint8Array, plaintext: Uint8Array, nowMs: number): Uint8Array | "queued" | "refused" {
    this.#beforeSealing(nowMs);
    const sealed = this.#sending.sealEncrypted(header, plaintext);
    this.#requestIfDue(nowMs);
    return sealed;
  }

  /**
   * Opens the payload of a frame of type 1 or 2.
   * @param headerBytes - Length of the header at the start of the payload, from its first field. May be more than there is.
   * @param payload - Borrowed; the result holds views of it.
   * @returns Undefined when it is refused; the reason comes out of `pollOutput`.
   * @throws {RangeError} when `headerBytes` is no length.
   */
  open(
    frameType: typeof FRAME_CONSENSUS | typeof FRAME_FORWARDED,
    headerBytes: number,
    payload: Uint8Array,
    nowMs: number,
  ): OpenedRecord | undefined {
    if (!Number.isSafeInteger(headerBytes) || headerBytes < 0) throw new RangeError("headerBytes must be a length");
    this.#advanceAndRelease(nowMs);
    const opened = this.#records.open(frameType, headerBytes, payload);
    if (typeof opened === "string") {
      this.#refuseRecord(opened, frameType, nowMs);
      return undefined;
    }
    this.#acceptProof(opened.key, nowMs);
    // A version that counts what it receives too may have reached a limit with this record.
    if (!this.#version.records.namesItsKey) this.#requestIfDue(nowMs);
    const restAt = headerBytes + this.#version.records.trailerBytes;
    const hasRest = frameType !== FRAME_FORWARDED && payload.length > restAt;
    return { header: opened.header, plaintext: opened.plaintext, rest: hasRest ? payload.subarray(restAt) : EMPTY };
  }

  /** The next thing to do or to know, in order. */
  pollOutput(): ChannelOutput {
    const output = this.#outputs.shift();
    if (output !== undefined) return output;
    return Number.isFinite(this.#nextTimerMs) ? { type: "wait", untilMs: this.#nextTimerMs } : { type: "idle" };
  }

  /** Wipes keys, attempts and queue, and drops outputs not yet polled. The channel is INACTIVE and can be used again. */
  close(): void {
    this.#exchange.reset();
    this.#records.clear();
    this.#sending.clear();
    this.#outputs.clear();
    this.#arm();
  }

  #exchangeOwner(): ExchangeOwner {
    const isOpen = (): boolean => this.isOpen;
    return {
      get isOpen() {
        return isOpen();
      },
      transmit: (payload) => this.#outputs.push({ type: "transmit", frameType: FRAME_CHANNEL, parts: [payload] }),
      note: (step) => this.#outputs.push({ type: "exchange", step }),
      refuse: (code, frameType) => this.#refuse(code, frameType),
      switchKeys: (keys, nowMs) => this.#switchKeys(keys, nowMs),
    };
  }

  /** What waited goes out at once, ahead of anything sealed later. */
  #switchKeys(keys: SessionKeys, nowMs: number): void {
    const rekeyed = this.isOpen;
    this.#records.switchKeys(keys, nowMs);
    this.#outputs.push({ type: "established", rekeyed });
    this.#sending.flush();
  }

  #handleConfirm(
    { handshakeId, headerBytes }: Extract<ReceivedMessage, { kind: "confirm" }>,
    payload: Uint8Array,
    nowMs: number,
  ): boolean {
    const opened = this.#records.open(FRAME_CHANNEL, headerBytes, payload, handshakeId);
    if (typeof opened === "string") {
      this.#refuseRecord(opened, FRAME_CHANNEL, nowMs);
      return false;
    }
    this.#outputs.push({ type: "exchange", step: "confirm-received" });
    this.#acceptProof(opened.key, nowMs);
    return true;
  }

  #acceptProof(key: ReceiveKey, nowMs: number): void {
    this.#lastActivityMs = nowMs;
    if (this.#exchange.handleProof(key)) this.#arm();
  }

  #refuseRecord(code: RecordErrorCode, frameType: FrameType, nowMs: number): void {
    this.#refuse(code, frameType);
    // A peer that seals for us has keys we do not have: we may have restarted, and it cannot know. A forger gets an attempt of ours
    // out of this, which the back-off bounds. With keys in use nothing unproven starts anything.
    if (!this.isOpen && (code === "no-keys" || code === "unknown-key")) this.#request(nowMs);
    if (code !== "bad-tag") return;
    this.#exchange.handleDoubt(nowMs);
    this.#requestIfDue(nowMs);
    this.#arm();
  }

  #beforeSealing(nowMs: number): void {
    this.#advance(nowMs);
    this.#lastActivityMs = nowMs;
  }

  /** After a record, which may have been the one that reaches a limit (§6), or found no keys at all. */
  #requestIfDue(nowMs: number): void {
    if (!this.isOpen || this.#records.isRekeyDue(nowMs)) this.#request(nowMs);
  }

  #advance(nowMs: number): void {
    if (nowMs < this.#nextTimerMs) return;
    this.#records.expire(nowMs);
    this.#exchange.advance(nowMs);
    if (this.#records.isRekeyDue(nowMs)) this.#exchange.request(nowMs);
    this.#arm();
  }

  /** As `#advance`, for calls that seal nothing themselves: what was held back may go out. */
  #advanceAndRelease(nowMs: number): void {
    this.#advance(nowMs);
    this.#sending.release();
  }

  #request(nowMs: number): void {
    this.#exchange.request(nowMs);
    this.#arm();
  }

  #arm(): void {
    // While an exchange runs its own timers lead to the next step; an age limit in the past would only make the owner spin.
    const rekeyAtMs = this.#exchange.isRunning ? Number.POSITIVE_INFINITY : this.#records.rekeyAtMs;
    this.#nextTimerMs = Math.min(this.#records.nextExpiryMs, this.#exchange.nextTimerMs, rekeyAtMs);
  }

  #refuse(code: ChannelErrorCode, frameType: FrameType): void {
    this.#lastError = code;
    this.#outputs.push({ type: "rejected", code, frameType });
  }
}
