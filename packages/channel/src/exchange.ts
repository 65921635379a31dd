/**
 * The state machine of the key exchange (channel-v2 §4, channel-v1-wire §5): who starts, what is answered, when keys switch, when it is tried
 * again.
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
 *
 * Version 1 runs on the same machine, which is far stricter than the one of channel-v1-wire §5 and yet a peer that follows that one can
 * talk to it: it only ever sees messages that §5 lets it expect. What its messages do not allow is in `ExchangeRules`; in short:
 * - A responder of §5 sends under the new key right behind its response. This one sends nothing until the final (3. and 18. of §12): it waits
 *   for no one when it has no keys, and with keys in use it holds records back for a moment, then goes on under the old key. An
 *   initiator of §5 has no use for the old key once it has seen a response, so a genuine exchange loses nothing.
 * - There is no confirm. Keys count as proven until a record fails under them; then a genuine one has to come within the time-out.
 * - Retries come by the clock, from every state that waits (8. of §12.1), and each has a new ephemeral key and salt.
 */
import { FRAME_CHANNEL, type FrameType } from "@sealane/wire";
import { AnsweredInits } from "./answered-inits.js";
import { Backoff } from "./backoff.js";
import { type ChannelErrorCode, HandshakeError } from "./errors.js";
import type { ChannelLimits } from "./limits.js";
import type { ExchangeStep } from "./output.js";
import type { Party } from "./party.js";
import { PendingHandshakes } from "./pending-handshakes.js";
import { RateLimiter } from "./rate-limiter.js";
import type { ReceiveKey } from "./receive-key.js";
import type { Attempt, ChannelVersion, PendingHandshake, ReceivedMessage, SessionKeys } from "./version.js";

/** How long records wait for a final at most: a round trip on any network this runs on. */
const HOLD_MS_MAX = 500;
/** After records waited in vain, how long none wait again: replayed inits are not to stop a channel, so 500 ms a minute is all they get. */
const HOLD_PAUSE_MS = 60_000;

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
  /** `Infinity` while nothing has to come, see `ExchangeRules`. */
  deadlineMs: number;
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
  readonly #answered: AnsweredInits;
  #attempt: RunningAttempt | undefined;
  #unproven: UnprovenKeys | undefined;
  /** When an attempt of our own is due. Invariant: undefined while one runs. */
  #retryAtMs: number | undefined;
  /** Until when records wait for a final. Invariant: defined only with keys in use and a handshake pending, or already due. */
  #heldUntilMs: number | undefined;
  #holdAgainAtMs = Number.NEGATIVE_INFINITY;
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
    this.#answered = new AnsweredInits(version.rules.answeredInitsKept);
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
    return this.phase !== undefined || this.#waitsForProof;
  }

  /** Records are to wait, though keys are in use: a final is due. */
  get holdsRecords(): boolean {
    return this.#heldUntilMs !== undefined;
  }

  /** The earliest time at which `advance` has something to do. */
  get nextTimerMs(): number {
    return Math.min(
      this.#attempt?.deadlineMs ?? Number.POSITIVE_INFINITY,
      this.#unproven?.deadlineMs ?? Number.POSITIVE_INFINITY,
      this.#retryAtMs ?? Number.POSITIVE_INFINITY,
      this.#heldUntilMs ?? Number.POSITIVE_INFINITY,
      this.#pending.nextExpiryMs,
    );
  }

  /** New keys are wanted: starts an attempt unless one runs, is due after its pause, or has just switched keys. */
  request(nowMs: number): void {
    if (this.#attempt !== undefined || this.#retryAtMs !== undefined || this.#waitsForProof) return;
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
    if (this.#heldUntilMs !== undefined && this.#heldUntilMs <= nowMs) {
      this.#heldUntilMs = undefined;
      this.#holdAgainAtMs = nowMs + HOLD_PAUSE_MS;
    }
    if (this.#pending.expire(nowMs) > 0 && (!this.#owner.isOpen || this.#version.rules.retriesRenewal)) {
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

  /** A record failed under the newest key. If nothing has proven that key yet, a genuine record has to come in time now. */
  handleDoubt(nowMs: number): void {
    if (this.#unproven === undefined || this.#waitsForProof) return;
    this.#unproven.deadlineMs = nowMs + this.#limits.handshakeTimeoutMs;
  }

  /** Forgets everything under way. The allowance stays: closing a channel is no way to have more signatures verified. */
  reset(): void {
    this.#endAll();
    this.#answered.clear();
    this.#backoff.reset();
  }

  get #waitsForProof(): boolean {
    return this.#unproven !== undefined && Number.isFinite(this.#unproven.deadlineMs);
  }

  #handleInit(message: Extract<ReceivedMessage, { kind: "init" }>, nowMs: number): void {
    if (this.#pending.has(message.handshakeId) || this.#answered.has(message.handshakeId))
      throw new HandshakeError("replayed-init");
    if (!this.#initLimiter.take(nowMs)) throw new HandshakeError("rate-limited");
    const init = message.verify();
    // Both initiate: the node with the higher id stays initiator, the other answers. Hex digits compare as the bytes do.
    if (this.#attempt !== undefined && this.#party.self.id > this.#party.peer) {
      if (this.#version.rules.repeatsInit) this.#repeatInit(this.#attempt);
      throw new HandshakeError("collision");
    }
    const { response, pending } = init.answer();
    this.#pending.add(pending, nowMs);
    this.#answered.add(message.handshakeId);
    this.#hold(nowMs);
    this.#owner.note("init-received");
    this.#owner.transmit(response);
    this.#owner.note("response-sent");
  }

  #handleResponse(message: Extract<ReceivedMessage, { kind: "response" }>, nowMs: number): void {
    const attempt = this.#attempt;
    if (attempt === undefined) throw new HandshakeError("no-attempt");
    if (message.handshakeId !== undefined && message.handshakeId !== attempt.handshakeId)
      throw new HandshakeError("unknown-handshake");
    if (!this.#answerLimiter.take(nowMs)) throw new HandshakeError("rate-limited");
    const { final, keys } = message.complete(attempt);
    this.#owner.note("response-received");
    this.#endAll();
    const isDue = this.#version.rules.unproven === "at-once";
    const deadlineMs = isDue ? nowMs + this.#limits.handshakeTimeoutMs : Number.POSITIVE_INFINITY;
    this.#unproven = { receive: keys.receive, deadlineMs };
    // §4: the new send key is used once final is out, so final goes first.
    this.#owner.transmit(final);
    this.#owner.note("final-sent");
    this.#complete(keys, nowMs);
  }

  #handleFinal(message: Extract<ReceivedMessage, { kind: "final" }>, nowMs: number): void {
    const candidates = this.#candidates(message.handshakeId);
    if (candidates.length === 0) throw new HandshakeError("unknown-handshake");
    if (!this.#answerLimiter.take(nowMs)) throw new HandshakeError("rate-limited");
    const pending = firstVerified(message, candidates);
    this.#owner.note("final-received");
    this.#pending.remove(pending);
    this.#endAll();
    this.#backoff.reset();
    if (this.#version.confirm === undefined) {
      this.#unproven = { receive: pending.keys.receive, deadlineMs: Number.POSITIVE_INFINITY };
    } else {
      // Confirm is the first record under the new send key, ahead of whatever was queued.
      this.#owner.transmit(this.#version.confirm(pending));
      this.#owner.note("confirm-sent");
    }
    this.#complete(pending.keys, nowMs);
  }

  #candidates(handshakeId: string | undefined): readonly PendingHandshake[] {
    if (handshakeId === undefined) return this.#pending.newestFirst;
    const named = this.#pending.find(handshakeId);
    return named === undefined ? [] : [named];
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
    this.#heldUntilMs = undefined;
    this.#holdAgainAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Lets records wait for the final of what was just answered, unless they do already or did so in vain a short time ago. */
  #hold(nowMs: number): void {
    const { rules } = this.#version;
    if (!rules.holdsRecords || !this.#owner.isOpen || this.holdsRecords || nowMs < this.#holdAgainAtMs) return;
    this.#heldUntilMs = nowMs + Math.min(HOLD_MS_MAX, this.#limits.handshakeTimeoutMs);
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
    if (this.#attempt !== undefined || this.#retryAtMs !== undefined || this.#waitsForProof) return;
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

/** The handshake a final belongs to. @throws {HandshakeError} when its signature fits none. At most as many tries as handshakes are kept. */
function firstVerified(
  message: Extract<ReceivedMessage, { kind: "final" }>,
  [first, ...others]: readonly PendingHandshake[],
): PendingHandshake {
  if (first === undefined) throw new HandshakeError("bad-signature");
  try {
    message.verify(first);
    return first;
  } catch (error) {
    if (others.length === 0 || !(error instanceof HandshakeError)) throw error;
    return firstVerified(message, others);
  }
}
