/** The handshakes a responder has answered and not yet seen finished (channel-v2 §4: at most 4 per peer, each for the time-out). */
import type { PendingHandshake } from "./version.js";

interface HeldHandshake {
  readonly handshake: PendingHandshake;
  readonly expiresMs: number;
}

/**
 * Kept apart from the keys in use, so an init, were it replayed a thousand times, costs a slot here and nothing else. When all slots are
 * taken the oldest gives way: a peer that restarts in a hurry must not wait for slots that replays have filled.
 */
export class PendingHandshakes {
  readonly #countMax: number;
  readonly #timeoutMs: number;
  // Invariant: oldest first, one for each handshake id, length <= countMax.
  #held: HeldHandshake[] = [];

  constructor(countMax: number, timeoutMs: number) {
    this.#countMax = countMax;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#held.length;
  }

  /** When the oldest is given up; `Infinity` when there is none. */
  get nextExpiryMs(): number {
    return this.#held[0]?.expiresMs ?? Number.POSITIVE_INFINITY;
  }

  has(handshakeId: string): boolean {
    return this.find(handshakeId) !== undefined;
  }

  find(handshakeId: string): PendingHandshake | undefined {
    return this.#held.find(({ handshake }) => handshake.handshakeId === handshakeId)?.handshake;
  }

  /** All of them, newest first: for a final that names no handshake. */
  get newestFirst(): readonly PendingHandshake[] {
    return this.#held.map(({ handshake }) => handshake).reverse();
  }

  /** Adds one that is not held yet, and takes over its keys. */
  add(handshake: PendingHandshake, nowMs: number): void {
    this.#held.push({ handshake, expiresMs: nowMs + this.#timeoutMs });
    if (this.#held.length > this.#countMax) wipe(this.#held.splice(0, 1));
  }

  /** Takes one out: its keys are the caller's from here on. */
  remove(handshake: PendingHandshake): void {
    this.#held = this.#held.filter((held) => held.handshake !== handshake);
  }

  /** Gives up those whose time is over. @returns How many. */
  expire(nowMs: number): number {
    const expired = this.#held.filter(({ expiresMs }) => expiresMs <= nowMs);
    this.#held = this.#held.filter(({ expiresMs }) => expiresMs > nowMs);
    wipe(expired);
    return expired.length;
  }

  clear(): void {
    wipe(this.#held.splice(0));
  }
}

/** The transcript is public; the keys are not. */
function wipe(held: readonly HeldHandshake[]): void {
  for (const { handshake } of held) {
    handshake.keys.send.wipe();
    handshake.keys.receive.wipe();
  }
}
