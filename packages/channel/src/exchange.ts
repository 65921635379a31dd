/**
 * The state machine of the key exchange (channel-v2 §4): who starts, what is answered, when keys switch, when it is tried again.
 *
 * Problem: two ends, a network that loses, delays, repeats and forges, and keys in use that none of it may disturb. What makes it hold:
 *
 * 1. Nothing changes before a message has passed every check; replays fail because each attempt has fresh keys and nonces on both sides.
 * 2. An answer to an init is kept apart (`PendingHandshakes`) until the final proves that the initiator is there now.
 * 3. The initiator switches when it sends the final and then waits for a record under the new key. Only a peer with the same keys
 *    can make one, so when none comes in time the initiator starts afresh: that repairs a lost final and a lost confirm alike.
 * 4. Whoever completes an exchange, in either role, gives up every other one under way. So the two ends cannot complete two exchanges
 *    crosswise and each be content with other keys: to accept the final of exchange y after its own completion of x, an end must have
 *    received the init of y after that, and for both ends to have done so each would have had to be first.
 *
 * Own decisions, where the specification is silent:
 * - A responder that sees no final starts afresh only if it has no keys in use. With keys in use the exchange was the initiator's wish, and
 *   it tries again by itself; otherwise anyone with one recorded init could make this node rekey for ever.
 * - The node that yields in a collision keeps its own attempt until one of the two completes. The init it yields to may be a replay.
 * - The node that goes first repeats its init, the same bytes, once per attempt: the peer may have restarted after it was sent.
 * - While an answered handshake is pending, an attempt of our own waits for it, but no longer than the oldest one's time-out. So the
 *   usual case has one exchange and replays cannot keep us from starting.
 */
import { FRAME_CHANNEL, type FrameType } from "@sealane/wire";
import { Backoff } from "./backoff.js";
import { type ChannelErrorCode, HandshakeError } from "./errors.js";
import type { ChannelLimits } from "./limits.js";
import type { ExchangeStep } from "./output.js";
import type { Party } from "./party.js";
import { PendingHandshakes } from "./pending-handshakes.js";
import { RateLimiter } from "./rate-limiter.js";
import type { ReceiveKey } from "./receive-key.js";
import type { Attempt, ChannelVersion, ReceivedMessage, SessionKeys } from "./version.js";

/** What the exchange needs of the channel it belongs to. */
export interface ExchangeOwner {
  /** Keys are in use. */
  readonly isOpen: boolean;
  /** Sends a handshake message (frame type 0). */
  transmit(payload: Uint8Array): void;
  note(step: ExchangeStep): void;
  refuse(code: ChannelErrorCode, frameType: FrameType): void;
  /** Puts new keys to use: the receive key beside the old ones, the send key at once. */
  switchKeys(keys: SessionKeys, nowMs: number): void;
}

interface RunningAttempt extends Attempt {
  readonly deadlineMs: number;
  initRepeated: boolean;
}

/** Keys in use of which the peer has not proven yet that it has them too. */
interface UnprovenKeys {
  readonly receive: ReceiveKey;
  readonly deadlineMs: number;
}

export class Exchange {
  readonly #version: ChannelVersion;
  readonly #party: Party;
  readonly #limits: ChannelLimits;
  readonly #owner: ExchangeOwner;
  readonly #pending: PendingHandshakes;
  readonly #backoff: Backoff;
  /** §4: before any signature is verified. Inits and answers apart, so that a flood of inits from anyone cannot starve our own attempts. */
  readonly #initLimiter: RateLimiter;
  readonly #answerLimiter: RateLimiter;
  #attempt: RunningAttempt | undefined;
  #unproven: UnprovenKeys | undefined;
  /** When an attempt of our own is due. Invariant: undefined while one runs. */
  #retryAtMs: number | undefined;
  #completed = 0;

  constructor(version: ChannelVersion, party: Party, limits: ChannelLimits, owner: ExchangeOwner) {
    this.#version = version;
    this.#party = party;
    this.#limits = limits;
    this.#owner = owner;
    this.#pending = new PendingHandshakes(limits.pendingHandshakesMax, limits.handshakeTimeoutMs);
    this.#backoff = new Backoff(limits.backoffMsMin, limits.backoffMsMax);
    this.#initLimiter = new RateLimiter(limits.attemptsPerSecond, limits.attemptsBurst);
    this.#answerLimiter = new RateLimiter(limits.attemptsPerSecond, limits.attemptsBurst);
  }

  /** Exchanges completed by this end. */
  get completed(): number {
    return this.#completed;
  }

  /** §8. An attempt that is to be repeated after its pause still counts as ours. Undefined: no exchange is under way. */
  get phase(): "INITIATED" | "WAITING_FOR_FINAL" | undefined {
    if (this.#pending.size > 0) return "WAITING_FOR_FINAL";
    return this.#attempt !== undefined || this.#retryAtMs !== undefined ? "INITIATED" : undefined;
  }

  /** Something is under way, be it only that the peer has to prove the new keys. */
  get isRunning(): boolean {
    return this.phase !== undefined || this.#unproven !== undefined;
  }

  /** The earliest time at which `advance` has something to do. */
  get nextTimerMs(): number {
    return Math.min(
      this.#attempt?.deadlineMs ?? Number.POSITIVE_INFINITY,
      this.#unproven?.deadlineMs ?? Number.POSITIVE_INFINITY,
      this.#retryAtMs ?? Number.POSITIVE_INFINITY,
      this.#pending.nextExpiryMs,
    );
  }

  /** New keys are wanted: starts an attempt unless one runs, is due after its pause, or has just switched keys. */
  request(nowMs: number): void {
    if (this.#attempt !== undefined || this.#retryAtMs !== undefined || this.#unproven !== undefined) return;
    if (this.#pending.size > 0) this.#retryLater(nowMs);
    else this.#start(nowMs);
  }

  /** Lets time pass: gives up what did not come, starts what is due (§4). */
  advance(nowMs: number): void {
    if (this.#attempt !== undefined && this.#attempt.deadlineMs <= nowMs) {
      this.#dropAttempt();
      this.#owner.refuse("response-timeout", FRAME_CHANNEL);
      this.#retryLater(nowMs);
    }
    if (this.#unproven !== undefined && this.#unproven.deadlineMs <= nowMs) {
      this.#unproven = undefined;
      this.#owner.refuse("record-timeout", FRAME_CHANNEL);
      this.#retryLater(nowMs);
    }
    if (this.#pending.expire(nowMs) > 0 && !this.#owner.isOpen) {
      this.#owner.refuse("final-timeout", FRAME_CHANNEL);
      this.#retryLater(nowMs);
    }
    if (this.#retryAtMs !== undefined && this.#retryAtMs <= nowMs) this.#start(nowMs);
  }

  /**
   * Takes an init, response or final. A refused one has changed nothing but the allowance.
   * @returns Whether it proves that the peer is there now. An init does not: it may be a replay.
   * @throws {HandshakeError} when it is refused.
   */
  handle(message: Exclude<ReceivedMessage, { readonly kind: "confirm" }>, nowMs: number): boolean {
    switch (message.kind) {
      case "init":
        this.#handleInit(message, nowMs);
        return false;
      case "response":
        this.#handleResponse(message, nowMs);
        return true;
      case "final":
        this.#handleFinal(message, nowMs);
        return true;
    }
  }

  /** A record was opened: the peer has the keys this receive key belongs to. True when that was still to be proven. */
  handleProof(key: ReceiveKey): boolean {
    if (this.#unproven?.receive !== key) return false;
    this.#unproven = undefined;
    this.#backoff.reset();
    return true;
  }

  /** Forgets everything under way. The allowance stays: closing a channel is no way to have more signatures verified. */
  reset(): void {
    this.#dropAttempt();
    this.#pending.clear();
    this.#unproven = undefined;
    this.#retryAtMs = undefined;
    this.#backoff.reset();
  }

  #handleInit(message: Extract<ReceivedMessage, { kind: "init" }>, nowMs: number): void {
    if (this.#pending.has(message.handshakeId)) throw new HandshakeError("replayed-init");
    if (!this.#initLimiter.take(nowMs)) throw new HandshakeError("rate-limited");
    const init = message.verify();
    // Both initiate: the node with the higher id stays initiator, the other answers. Hex digits compare as the bytes do.
    if (this.#attempt !== undefined && this.#party.self.id > this.#party.peer) {
      this.#repeatInit(this.#attempt);
      throw new HandshakeError("collision");
    }
    const { response, pending } = init.answer();
    this.#pending.add(pending, nowMs);
    this.#owner.note("init-received");
    this.#owner.transmit(response);
    this.#owner.note("response-sent");
  }

  #handleResponse(message: Extract<ReceivedMessage, { kind: "response" }>, nowMs: number): void {
    const attempt = this.#attempt;
    if (attempt === undefined) throw new HandshakeError("no-attempt");
    if (message.handshakeId !== attempt.handshakeId) throw new HandshakeError("unknown-handshake");
    if (!this.#answerLimiter.take(nowMs)) throw new HandshakeError("rate-limited");
    const { final, keys } = message.complete(attempt);
    this.#owner.note("response-received");
    this.#endAll();
    this.#unproven = { receive: keys.receive, deadlineMs: nowMs + this.#limits.handshakeTimeoutMs };
    // §4: the new send key is used once final is out, so final goes first.
    this.#owner.transmit(final);
    this.#owner.note("final-sent");
    this.#complete(keys, nowMs);
  }

  #handleFinal(message: Extract<ReceivedMessage, { kind: "final" }>, nowMs: number): void {
    const pending = this.#pending.find(message.handshakeId);
    if (pending === undefined) throw new HandshakeError("unknown-handshake");
    if (!this.#answerLimiter.take(nowMs)) throw new HandshakeError("rate-limited");
    message.verify(pending);
    this.#owner.note("final-received");
    this.#pending.remove(pending);
    this.#endAll();
    this.#backoff.reset();
    // Confirm is the first record under the new send key, ahead of whatever was queued.
    this.#owner.transmit(this.#version.confirm(pending));
    this.#owner.note("confirm-sent");
    this.#complete(pending.keys, nowMs);
  }

  #complete(keys: SessionKeys, nowMs: number): void {
    this.#completed += 1;
    this.#owner.switchKeys(keys, nowMs);
  }

  /** One exchange is complete: no other may still complete (4. above). */
  #endAll(): void {
    this.#dropAttempt();
    this.#pending.clear();
    this.#unproven = undefined;
    this.#retryAtMs = undefined;
  }

  #start(nowMs: number): void {
    this.#retryAtMs = undefined;
    const attempt = this.#version.start(this.#party);
    this.#attempt = { ...attempt, deadlineMs: nowMs + this.#limits.handshakeTimeoutMs, initRepeated: false };
    this.#owner.transmit(attempt.init);
    this.#owner.note("init-sent");
  }

  /** §4: afresh with exponential back-off and jitter; and not before a pending handshake has had its chance. */
  #retryLater(nowMs: number): void {
    if (this.#attempt !== undefined || this.#retryAtMs !== undefined || this.#unproven !== undefined) return;
    const fromMs = this.#pending.size > 0 ? this.#pending.nextExpiryMs : nowMs;
    this.#retryAtMs = fromMs + this.#backoff.next(this.#party.suite.randomBytes(4));
  }

  /** At most once per attempt, so that replayed inits get no more out of us than one frame. */
  #repeatInit(attempt: RunningAttempt): void {
    if (attempt.initRepeated) return;
    attempt.initRepeated = true;
    this.#owner.transmit(attempt.init);
    this.#owner.note("init-sent");
  }

  #dropAttempt(): void {
    if (this.#attempt !== undefined) this.#party.suite.wipe(this.#attempt.ephemeral.privateKey);
    this.#attempt = undefined;
  }
}
