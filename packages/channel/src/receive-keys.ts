/** The receive keys in use: the newest, and for a short while the ones before it (channel-v2 §4, the table of key switches). */
import type { ReceiveKey } from "./receive-key.js";

/**
 * Most keys held at once. One old key is the normal case; two more cover finals lost in a row, each with a time-out between them, so a
 * fourth is never needed and an attacker gains nothing by replays: only a finished exchange adds a key.
 */
const KEYS_MAX = 4;

interface HeldKey {
  readonly key: ReceiveKey;
  /** Set when a newer key came: dropped at this time at the latest. */
  expiresMs: number;
}

/**
 * Which keys a record may be opened with. An old key goes as soon as a record under a newer one proves that the peer has switched, and in
 * any case a fixed time after the switch.
 */
export class ReceiveKeys {
  readonly #oldKeyMs: number;
  // Invariant: newest first; a key expires no later than any newer one, so none but the first can lack an end; length <= KEYS_MAX.
  #held: HeldKey[] = [];

  /** @param oldKeyMs - How long a key is kept beside a newer one, in milliseconds. */
  constructor(oldKeyMs: number) {
    this.#oldKeyMs = oldKeyMs;
  }

  get newest(): ReceiveKey | undefined {
    return this.#held[0]?.key;
  }

  get size(): number {
    return this.#held.length;
  }

  /** When the next old key has to go; `Infinity` when there is none. */
  get nextExpiryMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#held.map((held) => held.expiresMs));
  }

  /** The key of this id. §5: an unknown id is refused by the caller; no key is tried. */
  find(keyId: number): ReceiveKey | undefined {
    for (const held of this.#held) if (held.key.keyId === keyId) return held.key;
    return undefined;
  }

  /** Accepts a new key beside the old ones. */
  install(key: ReceiveKey, nowMs: number): void {
    for (const held of this.#held) held.expiresMs = Math.min(held.expiresMs, nowMs + this.#oldKeyMs);
    this.#held.unshift({ key, expiresMs: Number.POSITIVE_INFINITY });
    this.#dropFrom(KEYS_MAX);
  }

  /** A record under `key`, which is held, was opened: the peer will not send under an older one again. */
  dropOlderThan(key: ReceiveKey): void {
    if (this.#held.at(-1)?.key === key) return; // the usual case: there is nothing older
    this.#dropFrom(this.#held.findIndex((held) => held.key === key) + 1);
  }

  /** Drops one key: its limit of failed opens is reached. */
  drop(key: ReceiveKey): void {
    this.#held = this.#held.filter((held) => held.key !== key);
    key.wipe();
  }

  /** Drops the old keys whose time is over. */
  expire(nowMs: number): void {
    const first = this.#held.findIndex((held) => held.expiresMs <= nowMs);
    if (first >= 0) this.#dropFrom(first);
  }

  clear(): void {
    this.#dropFrom(0);
  }

  #dropFrom(index: number): void {
    for (const held of this.#held.splice(index)) held.key.wipe();
  }
}
