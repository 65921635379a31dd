/** What a channel asks its owner to do or lets it know, in the order in which it happened (house style §1). */
import type { FrameType } from "@sealane/wire";
import type { ChannelErrorCode } from "./errors.js";

/** The steps of an exchange as they happen, for people and traces. The word after the dash says whether this end sent or received. */
export type ExchangeStep =
  | "init-sent"
  | "init-received"
  | "response-sent"
  | "response-received"
  | "final-sent"
  | "final-received"
  | "confirm-sent"
  | "confirm-received";

export type ChannelOutput =
  /**
   * Send a frame to the peer whose payload is the parts one after another. Send it before anything sealed later: the peer has to see a final
   * before records under its keys. A consensus record that was queued comes as [header, trailer]; append its entries, if any.
   */
  | { readonly type: "transmit"; readonly frameType: FrameType; readonly parts: readonly Uint8Array[] }
  /** New keys are in use in both directions. `rekeyed`: there were keys in use before. */
  | { readonly type: "established"; readonly rekeyed: boolean }
  /** Something from the peer was refused, or did not come in time. Log and count it; there is nothing to do and nobody to tell. */
  | { readonly type: "rejected"; readonly code: ChannelErrorCode; readonly frameType: FrameType }
  /** A genuine message of the key exchange was sent or received. */
  | { readonly type: "exchange"; readonly step: ExchangeStep }
  /** Nothing more now. Call `handleTick` at this time, or earlier. */
  | { readonly type: "wait"; readonly untilMs: number }
  /** Nothing more now, and no timer runs. */
  | { readonly type: "idle" };

/** An output that waits to be polled. */
export type PendingOutput = Exclude<ChannelOutput, { readonly type: "wait" | "idle" }>;

/**
 * Notices (everything but frames) kept for an owner that does not poll. Frames need no bound of their own: the rate limiter, the back-off and
 * the send queue bound what can be made between two polls.
 */
const NOTICES_MAX = 256;

/** First in, first out. A flood of refusals cannot make it grow: notices beyond the bound are dropped, frames never are. */
export class OutputQueue {
  #outputs: PendingOutput[] = [];
  // Invariant: how many of #outputs are no frames; <= NOTICES_MAX.
  #notices = 0;

  push(output: PendingOutput): void {
    if (output.type !== "transmit") {
      if (this.#notices >= NOTICES_MAX) return;
      this.#notices += 1;
    }
    this.#outputs.push(output);
  }

  shift(): PendingOutput | undefined {
    const output = this.#outputs.shift();
    if (output !== undefined && output.type !== "transmit") this.#notices -= 1;
    return output;
  }

  clear(): void {
    this.#outputs = [];
    this.#notices = 0;
  }
}
