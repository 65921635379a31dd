/**
 * Holds a message back until what it depends on is durable (consensus spec §3.1; our `durable` mode).
 *
 * The owner makes things durable in order: one `persist` token covers every log change and hard state before it. So it is
 * enough to know, for each message, the token of what it depends on:
 *   - every message speaks for the sender's view, so it waits for the last hard state (view and vote);
 *   - an ACK also says that entries are held, so it waits for the token that covers its seqno;
 *   - append-entries wait for no entries: the primary's own copy counts only once it is durable (`durableSeqno`).
 * In `ephemeral` mode everything passes and everything counts as durable at once.
 */
import type { ConsensusMessage, NodeId, Seqno } from "@sealane/wire";
import { seqno } from "@sealane/wire";
import { assert } from "./assert.js";
import type { Durability } from "./interface.js";

/** Messages that wait for one disk. A peer that floods a slow disk loses the oldest, as on a lossy network. */
export const HELD_MESSAGES_MAX = 4096;

export interface Outgoing {
  readonly to: NodeId;
  readonly message: ConsensusMessage;
}

export class DurabilityGate {
  readonly #durable: boolean;
  /** Tokens given out and not yet acknowledged, each with the last seqno it makes durable. Both ascend. */
  #pending: { readonly token: number; readonly lastSeqno: Seqno }[] = [];
  #held: (Outgoing & { readonly needs: number })[] = [];
  #lastToken = 0;
  #durableToken = 0;
  /** The token that covers the present hard state. */
  #hardStateToken = 0;
  #durableSeqno: Seqno;
  /** Changed since the last token was given out. */
  #logChanged = false;
  #hardStateChanged = false;

  constructor(durability: Durability, durableSeqno: Seqno) {
    this.#durable = durability === "durable";
    this.#durableSeqno = durableSeqno;
  }

  /** Entries up to here are durable; never above the log's end. In `ephemeral` mode: all of them. */
  durableSeqno(lastSeqno: Seqno): Seqno {
    return this.#durable ? this.#durableSeqno : lastSeqno;
  }

  /** Whether the present view and vote are durable. */
  get hardStateDurable(): boolean {
    return !this.#durable || this.#hardStateToken <= this.#durableToken;
  }

  appended(): void {
    this.#logChanged = true;
  }

  /** What is cut off is not durable any more, and a token on its way no longer makes it so. */
  rolledBack(to: Seqno): void {
    this.#logChanged = true;
    this.#durableSeqno = least(this.#durableSeqno, to);
    this.#pending = this.#pending.map(({ token, lastSeqno }) => ({ token, lastSeqno: least(lastSeqno, to) }));
  }

  hardStateSet(): void {
    this.#hardStateChanged = true;
    this.#hardStateToken = this.#lastToken + 1;
  }

  /** The owner has made a snapshot up to `at` durable by itself. */
  startAt(at: Seqno): void {
    this.#durableSeqno = at;
  }

  /** @param holds - for an ACK: the seqno up to which the message says that entries are held. */
  send(to: NodeId, message: ConsensusMessage, holds: Seqno = seqno(0)): void {
    this.#held.push({ to, message, needs: Math.max(this.#hardStateToken, this.#tokenCovering(holds)) });
  }

  /** Ends an input: a token for what changed in it, if anything did. */
  nextToken(lastSeqno: Seqno): { readonly token: number; readonly hardState: boolean } | undefined {
    if (!this.#logChanged && !this.#hardStateChanged) return undefined;
    const request = { token: ++this.#lastToken, hardState: this.#hardStateChanged };
    if (this.#durable) this.#pending.push({ token: request.token, lastSeqno });
    this.#logChanged = false;
    this.#hardStateChanged = false;
    return request;
  }

  /** @throws {Error} for a token that was never given out. An old one is ignored. */
  persisted(token: number): void {
    assert(token <= this.#lastToken, "only tokens that were given out are acknowledged");
    this.#durableToken = Math.max(this.#durableToken, token);
    for (;;) {
      const [oldest] = this.#pending;
      if (oldest === undefined || oldest.token > token) return;
      this.#durableSeqno = oldest.lastSeqno;
      this.#pending.shift();
    }
  }

  /** The messages that may leave now, in the order in which they were sent. */
  release(): readonly Outgoing[] {
    if (this.#held.length === 0) return [];
    const free = (needs: number) => !this.#durable || needs <= this.#durableToken;
    const released = this.#held.filter(({ needs }) => free(needs));
    this.#held = this.#held.filter(({ needs }) => !free(needs)).slice(-HELD_MESSAGES_MAX);
    return released;
  }

  #tokenCovering(holds: Seqno): number {
    if (!this.#durable || holds <= this.#durableSeqno) return 0;
    return this.#pending.find(({ lastSeqno }) => lastSeqno >= holds)?.token ?? this.#lastToken + 1;
  }
}

function least(a: Seqno, b: Seqno): Seqno {
  return a < b ? a : b;
}
