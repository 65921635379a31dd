/**
 * One end of a channel, driven: the loop that feeds a `Channel` with frames and time, and sends what it says. The same file runs in a worker, in
 * the page and in Node; what differs is the suite, and how bytes leave. Each message of a `MessagePort` or WebSocket carries one frame as it would
 * stand on a TCP connection between nodes, so nothing about the protocol is special here.
 */
import { Channel, type ExchangeStep } from "@sealane/channel";
import type { CryptoSuite, KeyPair } from "@sealane/crypto";
import {
  type ChannelState,
  concatBytes,
  decodeForwardedHeader,
  encodeForwardedHeader,
  encodeFrameHeader,
  type ForwardedHeader,
  FRAME_CHANNEL,
  FRAME_FORWARDED,
  type FrameType,
  forwardedHeaderBytes,
  fromUtf8,
  hex,
  type NodeId,
  parseFrameHead,
  RECORD_TRAILER_BYTES,
  utf8,
  view,
  WireError,
} from "@sealane/wire";
import { type Endorsement, nodeIdOf } from "./identity.js";

/** A message of this example with its frame stays far below. */
export const FRAME_BYTES_MAX = 64 * 1024;
export const TEXT_CHARS_MAX = 500;
/** Far below the default of 2^23, so that one sees keys change while messages go on. */
const REKEY_AT_RECORDS = 12;

/** A ping is answered by a pong with its number and its text. */
export type MessageKind = "ping" | "pong";

/** What happened at one end, as plain data that can be posted or sent as JSON. */
export type EndEvent =
  | { readonly type: "state"; readonly state: ChannelState }
  /** A message of the key exchange, with its length where this end sent it. */
  | { readonly type: "exchange"; readonly step: ExchangeStep; readonly bytes: number | null }
  /** Sealed and sent; `ciphertext` in hex is all of the text that others see. */
  | {
      readonly type: "sealed";
      readonly kind: MessageKind;
      readonly number: number;
      readonly ciphertext: string;
    }
  | { readonly type: "opened"; readonly kind: MessageKind; readonly number: number; readonly text: string }
  | { readonly type: "refused"; readonly code: string };

export interface ChannelEndOptions {
  readonly suite: CryptoSuite;
  readonly keyPair: KeyPair;
  readonly endorsement: Endorsement;
  /** Takes one whole frame; fresh bytes, which may be transferred. */
  readonly send: (frame: Uint8Array<ArrayBuffer>) => void;
  readonly observe: (event: EndEvent) => void;
}

export class ChannelEnd {
  readonly id: NodeId;
  readonly #channel: Channel;
  readonly #send: ChannelEndOptions["send"];
  readonly #observe: ChannelEndOptions["observe"];
  #pings = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ suite, keyPair, endorsement, send, observe }: ChannelEndOptions) {
    const { certificate, serviceCertificate, peer } = endorsement;
    this.id = nodeIdOf(suite, keyPair);
    this.#send = send;
    this.#observe = observe;
    this.#channel = new Channel({
      suite,
      version: 2,
      self: { id: this.id, keyPair, certificate },
      peer,
      trust: { serviceCertificate, trusted: (id) => id === peer },
      limits: { rekeyAtRecords: REKEY_AT_RECORDS },
    });
    this.#drain();
  }

  initiate(): void {
    this.#channel.initiate(nowMs());
    this.#drain();
  }

  /** @param text - Cut at `TEXT_CHARS_MAX`. */
  ping(text: string): void {
    this.#pings += 1;
    this.#sendText({ type: "command", commandId: this.#pings, view: view(0) }, text.slice(0, TEXT_CHARS_MAX));
  }

  /** @param frame - Whatever came. Refused, it changes nothing. */
  receive(frame: Uint8Array): void {
    try {
      const head = parseFrameHead(frame, 0, frame.length, FRAME_BYTES_MAX);
      if (head?.frameEnd !== frame.length) throw new WireError("truncated", "a message is not one whole frame");
      const payload = frame.subarray(head.payloadOffset);
      if (head.type === FRAME_CHANNEL) this.#channel.handleFrame(payload, nowMs());
      else if (head.type === FRAME_FORWARDED) this.#open(payload);
      else throw new WireError("unknown-kind", "there is no consensus in this example");
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#observe({ type: "refused", code: error.code });
    }
    this.#drain();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#channel.close();
  }

  #open(payload: Uint8Array): void {
    const opened = this.#channel.open(FRAME_FORWARDED, forwardedHeaderBytes(payload), payload, nowMs());
    if (opened === undefined) return; // the reason comes out of pollOutput
    const header = decodeForwardedHeader(opened.header);
    const text = fromUtf8(opened.plaintext);
    this.#drain(); // a first record under new keys ends an exchange: say so before what it holds
    this.#observe({ type: "opened", kind: kindOf(header), number: header.commandId, text });
    if (header.type === "command") {
      this.#sendText({ type: "response", commandId: header.commandId, terminateSession: false }, text);
    }
  }

  #sendText(message: ForwardedHeader, text: string): void {
    const header = encodeForwardedHeader(message);
    const sealed = this.#channel.sealEncrypted(header, utf8(text), nowMs());
    this.#drain(); // what the channel had to send comes before what it sealed just now
    if (sealed === "refused") {
      this.#observe({ type: "refused", code: "queue-full" });
    } else if (sealed !== "queued") {
      this.#transmit(FRAME_FORWARDED, [header, sealed]);
      const ciphertext = hex(sealed.subarray(RECORD_TRAILER_BYTES));
      this.#observe({ type: "sealed", kind: kindOf(message), number: message.commandId, ciphertext });
    }
    this.#observeState();
  }

  /** The loop of every owner of a channel: do what it says until it waits. */
  #drain(): void {
    let bytes: number | null = null;
    for (;;) {
      const output = this.#channel.pollOutput();
      switch (output.type) {
        case "transmit":
          this.#transmit(output.frameType, output.parts);
          bytes = byteCount(output.parts);
          break;
        case "exchange":
          this.#observe({ type: "exchange", step: output.step, bytes: output.step.endsWith("-sent") ? bytes : null });
          break;
        case "rejected":
          this.#observe({ type: "refused", code: output.code });
          break;
        case "established":
          break; // the state says it
        case "wait":
          this.#wake(output.untilMs);
          this.#observeState();
          return;
        case "idle":
          clearTimeout(this.#timer);
          this.#observeState();
          return;
        default:
          output satisfies never;
      }
    }
  }

  #wake(atMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#channel.handleTick(nowMs());
        this.#drain();
      },
      Math.max(0, Math.ceil(atMs - nowMs())),
    );
  }

  #transmit(type: FrameType, parts: readonly Uint8Array[]): void {
    this.#send(Uint8Array.from(concatBytes(encodeFrameHeader(type, this.id, byteCount(parts)), ...parts)));
  }

  #observeState(): void {
    this.#observe({ type: "state", state: this.#channel.describe(nowMs()) });
  }
}

function kindOf({ type }: ForwardedHeader): MessageKind {
  return type === "command" ? "ping" : "pong";
}

function byteCount(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** Milliseconds of a clock that never steps back; the same name in browsers and in Node. */
function nowMs(): number {
  return performance.now();
}
