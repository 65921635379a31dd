/** Cuts the log into append-entries for one peer (consensus spec §7.2–§7.4) and remembers what was sent. */
import { type AppendEntries, type Seqno, seqno, type View } from "@sealane/wire";
import type { BatchSize } from "./batch-size.js";
import type { Log } from "./log.js";
import type { PeerProgress } from "./peers.js";

export interface SenderLimits {
  /** Whether a message also ends at §7.3's adaptive number of entries, which aims at 20,000 bytes; otherwise bytes alone decide. */
  readonly adaptive: boolean;
  /** Bytes of entries in one message, unless a single entry is larger. */
  readonly messageBytesMax: number;
  /** Bytes of entries sent to one peer and not acknowledged; `Infinity`: no bound. One message may go beyond it. */
  readonly inFlightBytesMax: number;
}

export class AppendSender {
  readonly #log: Log;
  readonly #batch: BatchSize;
  readonly #limits: SenderLimits;

  constructor(log: Log, batch: BatchSize, limits: SenderLimits) {
    this.#log = log;
    this.#batch = batch;
    this.#limits = limits;
  }

  /**
   * §7.2 `send_append_entries`: everything from `start` on, at least one message. With `start` above the last entry that is
   * a heartbeat; so it is when the peer has its full share of bytes in flight already.
   */
  burst(peer: PeerProgress, start: Seqno, view: View): readonly AppendEntries[] {
    const { lastSeqno } = this.#log;
    const messages: AppendEntries[] = [];
    let from = start;
    do {
      const end = this.mayFill(peer) ? this.#end(from) : seqno(from - 1);
      messages.push(this.#range(from, end, view));
      peer.sentSeqno = end; // §7.2: before any reply
      from = seqno(end + 1);
    } while (from <= lastSeqno && this.mayFill(peer));
    return messages;
  }

  /** Whether there is a bound on bytes in flight, so that acknowledgements must pull the rest of a backlog. */
  get bounded(): boolean {
    return this.#limits.inFlightBytesMax !== Number.POSITIVE_INFINITY;
  }

  /** Whether the peer's share of bytes in flight is not used up. After a NACK the share counts from what is known to match. */
  mayFill(peer: PeerProgress): boolean {
    return !this.bounded || this.#log.sizes.between(peer.matchSeqno, peer.sentSeqno) < this.#limits.inFlightBytesMax;
  }

  /** §7.2, §7.4: the end of the message that starts with `start`. Entries of one view only: the receiver relies on it. */
  #end(start: Seqno): Seqno {
    const { history, lastSeqno, sizes } = this.#log;
    const endOfView = history.endOfView(history.viewAt(start));
    const available = endOfView === 0 ? lastSeqno : endOfView;
    const entries = this.#limits.adaptive ? this.#batch.entries : Number.POSITIVE_INFINITY;
    const end = seqno(Math.min(start + entries - 1, available));
    return end <= start ? end : sizes.fitting(start, end, this.#limits.messageBytesMax);
  }

  #range(start: Seqno, end: Seqno, view: View): AppendEntries {
    const prevSeqno = seqno(start - 1);
    return {
      type: "append-entries",
      seqno: end,
      prevSeqno,
      view,
      prevView: this.#log.viewOf(prevSeqno),
      commitSeqno: this.#log.commitSeqno,
      viewOfSeqno: this.#log.viewOf(end),
    };
  }
}
