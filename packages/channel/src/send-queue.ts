/** What waits for keys (channel-v2 §6: one consensus record, the newest; ten forwarded requests, further ones refused). */

/** A forwarded request or response that waits to be sealed. Header and plaintext are copies of our own. */
export interface QueuedForwarded {
  readonly header: Uint8Array;
  readonly plaintext: Uint8Array;
}

/**
 * Holds copies, since a queued record outlives the call that brought it. Consensus headers supersede one another, so keeping the newest
 * loses nothing a lossy network might not lose; a client waits behind each forwarded request, so the caller must hear of a refusal.
 */
export class SendQueue {
  readonly #forwardedMax: number;
  #consensus: Uint8Array | undefined;
  // Invariant: length <= forwardedMax.
  #forwarded: QueuedForwarded[] = [];

  constructor(forwardedMax: number) {
    this.#forwardedMax = forwardedMax;
  }

  get isEmpty(): boolean {
    return this.#consensus === undefined && this.#forwarded.length === 0;
  }

  /** Replaces the consensus header that waits. */
  putConsensus(header: Uint8Array): void {
    this.#consensus = header.slice();
  }

  /** False when the queue is full: nothing was taken. */
  putForwarded(header: Uint8Array, plaintext: Uint8Array): boolean {
    if (this.#forwarded.length >= this.#forwardedMax) return false;
    this.#forwarded.push({ header: header.slice(), plaintext: plaintext.slice() });
    return true;
  }

  /** Takes the consensus header out. */
  takeConsensus(): Uint8Array | undefined {
    const header = this.#consensus;
    this.#consensus = undefined;
    return header;
  }

  /** Takes the forwarded record out that came first. */
  takeForwarded(): QueuedForwarded | undefined {
    return this.#forwarded.shift();
  }

  clear(): void {
    this.#consensus = undefined;
    this.#forwarded = [];
  }
}
