/** What goes out: sealed at once while keys are in use, kept and sealed later while they are not, or while they change (channel-v2 §6). */
import { FRAME_CONSENSUS, FRAME_FORWARDED, type FrameType } from "@sealane/wire";
import type { RecordLayer } from "./record-layer.js";
import { SendQueue } from "./send-queue.js";

/** What sending needs of the channel it belongs to. */
export interface SendingOwner {
  /** A final is due, and records are to wait for it though keys are in use. */
  readonly holdsRecords: boolean;
  /** Sends a record that had to wait. */
  transmit(frameType: FrameType, parts: readonly Uint8Array[]): void;
}

/** Keeps the order: what waits goes out ahead of anything sealed after it. */
export class Sending {
  readonly #records: RecordLayer;
  readonly #owner: SendingOwner;
  readonly #queue: SendQueue;

  constructor(records: RecordLayer, queuedForwardedMax: number, owner: SendingOwner) {
    this.#records = records;
    this.#owner = owner;
    this.#queue = new SendQueue(queuedForwardedMax);
  }

  /** Seals a consensus header. @returns The trailer, fresh; undefined when the header waits instead, in place of an older one. */
  seal(header: Uint8Array): Uint8Array | undefined {
    const trailer = this.#isHeld ? undefined : this.#records.sealHeader(FRAME_CONSENSUS, header);
    if (trailer === undefined) this.#queue.putConsensus(header);
    this.release();
    return trailer;
  }

  /** Seals a forwarded record. @returns Trailer ‖ ciphertext, fresh; or that it waits, or that too many wait. */
  sealEncrypted(header: Uint8Array, plaintext: Uint8Array): Uint8Array | "queued" | "refused" {
    const sealed = this.#isHeld ? undefined : this.#records.seal(FRAME_FORWARDED, header, plaintext);
    const isQueued = sealed === undefined && this.#queue.putForwarded(header, plaintext);
    this.release();
    return sealed ?? (isQueued ? "queued" : "refused");
  }

  /** Lets out what was held back, once nothing holds it any more. */
  release(): void {
    if (this.#records.isOpen && !this.#owner.holdsRecords && !this.#queue.isEmpty) this.flush();
  }

  /** What waited goes out at once. */
  flush(): void {
    const consensus = this.#queue.takeConsensus();
    const trailer = consensus && this.#records.sealHeader(FRAME_CONSENSUS, consensus);
    if (consensus !== undefined && trailer !== undefined) this.#owner.transmit(FRAME_CONSENSUS, [consensus, trailer]);
    // A limit below eleven records ends the keys before the queue: the rest waits for the next ones.
    while (this.#records.isOpen) {
      const forwarded = this.#queue.takeForwarded();
      if (forwarded === undefined) return;
      const sealed = this.#records.seal(FRAME_FORWARDED, forwarded.header, forwarded.plaintext);
      if (sealed === undefined) return;
      this.#owner.transmit(FRAME_FORWARDED, [forwarded.header, sealed]);
    }
  }

  clear(): void {
    this.#queue.clear();
  }

  /**
   * Records have to go through the queue: a final is due, or something waits that was put there before. Then what is sealed now must not
   * overtake it.
   */
  get #isHeld(): boolean {
    return this.#owner.holdsRecords || (this.#records.isOpen && !this.#queue.isEmpty);
  }
}
