/**
 * One channel over one TCP connection: moves frames between the two, sends what is to be sent, counts what is accepted. It ends when all is
 * done, or with the reason why it cannot be.
 *
 * Nothing is sent while an exchange runs. A channel would queue or replace it, or reach a limit with it; here every message counts.
 */
import type { Socket } from "node:net";
import { Channel, type ChannelErrorCode, type ChannelOptions } from "@sealane/channel";
import {
  concatBytes,
  encodeFrameHeader,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  type FrameType,
  WireError,
} from "@sealane/wire";
import { errorCode } from "../cli-error.js";
import { FrameStream } from "./frame-stream.js";
import { consensusHeader, forwardedCommand, headerBytesOf } from "./traffic.js";

export interface Counts {
  readonly consensus: number;
  readonly forwarded: number;
}

export interface Plan {
  readonly send: Counts;
  readonly expect: Counts;
  readonly echo: boolean;
  /** Whether this end starts the exchange at once; else it gives the other end a moment to. */
  readonly initiates: boolean;
}

export interface SessionFacts {
  readonly accepted: Counts;
  readonly sent: Counts;
  readonly exchanges: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly lastError: ChannelErrorCode | "wrong-frame" | undefined;
}

/** Why a session ended. `done` is the only good one. */
export type SessionEnd = "done" | "closed-by-peer" | "connection-lost" | "not-the-framing";

/** How long a listener with something to send waits for the other end's init. */
const INITIATE_AFTER_MS = 200;
/** How long an end that is done stays for the other one, which may still be renewing keys; and how long it waits for its close after that. */
const QUIET_MS = 300;
const CLOSE_MS_MAX = 2_000;
/** How long what was written may take to go out at the end. */
const FLUSH_MS_MAX = 1_000;
/** Messages sent in one turn of the event loop. */
const BATCH = 32;

export class Session {
  /** Resolves once; never rejects. */
  readonly ended: Promise<SessionEnd>;
  readonly #socket: Socket;
  readonly #channel: Channel;
  readonly #options: ChannelOptions;
  readonly #plan: Plan;
  readonly #frames = new FrameStream();
  readonly #accepted = { consensus: 0, forwarded: 0 };
  readonly #sent = { consensus: 0, forwarded: 0 };
  readonly #refused = new Map<string, number>();
  /** Accepted messages to send back. Bounded by the reading that waits for it. */
  #echoes: { readonly frameType: FrameType; readonly header: Uint8Array; readonly plaintext: Uint8Array }[] = [];
  #lastError: SessionFacts["lastError"];
  #end: (end: SessionEnd) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #lastFrameMs: number;
  readonly #startMs: number;
  #halfClosed = false;
  #peerClosed = false;
  #over = false;

  /** @param socket - Connected, with `allowHalfOpen`. Taken over. */
  constructor(socket: Socket, options: ChannelOptions, plan: Plan) {
    this.#socket = socket;
    this.#options = options;
    this.#plan = plan;
    this.#channel = new Channel(options);
    this.#startMs = nowMs();
    this.#lastFrameMs = this.#startMs;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.on("drain", () => this.#work());
    socket.on("end", () => {
      this.#peerClosed = true;
      this.#work();
    });
    socket.on("error", (error) =>
      this.#finish(this.#isDone || errorCode(error) === undefined ? this.#verdict : "connection-lost"),
    );
    socket.on("close", () => this.#finish(this.#verdict));
    if (plan.initiates) this.#channel.initiate(nowMs());
    this.#work();
  }

  get isEstablished(): boolean {
    return this.#channel.exchanges > 0;
  }

  get facts(): SessionFacts {
    return {
      accepted: { ...this.#accepted },
      sent: { ...this.#sent },
      exchanges: this.#channel.exchanges,
      refused: Object.fromEntries(this.#refused),
      lastError: this.#lastError,
    };
  }

  /** Everything that was expected has been accepted, and everything has been sent. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Ends it at once. */
  abort(): void {
    this.#finish(this.#verdict);
  }

  get #isDone(): boolean {
    const { send, expect } = this.#plan;
    return (
      this.isEstablished &&
      this.#echoes.length === 0 &&
      this.#sent.consensus >= send.consensus &&
      this.#sent.forwarded >= send.forwarded &&
      this.#accepted.consensus >= expect.consensus &&
      this.#accepted.forwarded >= expect.forwarded
    );
  }

  get #verdict(): SessionEnd {
    return this.#isDone ? "done" : "closed-by-peer";
  }

  #receive(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#lastFrameMs = nowMs();
    this.#frames.push(chunk);
    try {
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        if (frame.sender !== this.#options.peer) this.#refuse("wrong-sender");
        else this.#handle(frame.type, frame.payload);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#finish("not-the-framing");
    }
    this.#work();
  }

  #handle(frameType: FrameType, payload: Uint8Array): void {
    if (frameType === FRAME_CHANNEL) {
      if (this.#channel.handleFrame(payload, nowMs())) this.#frames.isProven = true;
      this.#drain();
      return;
    }
    const headerBytes = headerBytesOf(this.#options.version, frameType, payload);
    const opened = headerBytes === undefined ? undefined : this.#channel.open(frameType, headerBytes, payload, nowMs());
    this.#drain();
    if (headerBytes === undefined) this.#refuse("wrong-frame");
    if (opened === undefined) return;
    this.#frames.isProven = true;
    this.#accepted[frameType === FRAME_CONSENSUS ? "consensus" : "forwarded"] += 1;
    if (this.#plan.echo) this.#echoes.push({ frameType, header: opened.header.slice(), plaintext: opened.plaintext });
  }

  /** One turn: outputs, messages to send, and what time asks for. */
  #work(): void {
    if (this.#over) return;
    clearTimeout(this.#timer);
    const wakeMs = Math.min(this.#drain(), this.#sendSome(), this.#endSome());
    if (this.#over || !Number.isFinite(wakeMs)) return;
    this.#timer = setTimeout(
      () => {
        this.#channel.handleTick(nowMs());
        this.#work();
      },
      Math.max(0, wakeMs - nowMs()),
    );
  }

  /** @returns When to look again. */
  #sendSome(): number {
    const { send, initiates } = this.#plan;
    const hasMore = (): boolean =>
      this.#echoes.length > 0 || this.#sent.consensus < send.consensus || this.#sent.forwarded < send.forwarded;
    if (!hasMore() || this.#halfClosed) return Number.POSITIVE_INFINITY;
    if (!initiates && !this.#channel.isOpen && !this.#channel.isInExchange) {
      const atMs = this.#startMs + INITIATE_AFTER_MS;
      if (nowMs() < atMs) return atMs;
      this.#channel.initiate(nowMs());
      return this.#drain();
    }
    for (let count = 0; count < BATCH; count++) {
      if (!hasMore() || !this.#channel.isOpen || this.#channel.isInExchange || this.#socket.writableNeedDrain) {
        return this.#drain();
      }
      this.#sendOne();
    }
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#work();
    });
    return this.#drain();
  }

  #sendOne(): void {
    const { version } = this.#options;
    const echo = this.#echoes.shift();
    if (echo !== undefined) {
      this.#seal(echo.frameType, echo.header, echo.plaintext);
    } else if (
      this.#sent.consensus < this.#plan.send.consensus &&
      (this.#sent.consensus <= this.#sent.forwarded || this.#sent.forwarded >= this.#plan.send.forwarded)
    ) {
      this.#sent.consensus += 1;
      this.#seal(FRAME_CONSENSUS, consensusHeader(version, this.#sent.consensus), new Uint8Array(0));
    } else {
      this.#sent.forwarded += 1;
      const { header, plaintext } = forwardedCommand(version, this.#sent.forwarded);
      this.#seal(FRAME_FORWARDED, header, plaintext);
    }
  }

  /** The channel is open and no exchange runs, so the record goes out at once; and ahead of an init that it may have led to. */
  #seal(frameType: FrameType, header: Uint8Array, plaintext: Uint8Array): void {
    const sealed =
      frameType === FRAME_CONSENSUS
        ? this.#channel.seal(header, nowMs())
        : this.#channel.sealEncrypted(header, plaintext, nowMs());
    if (sealed !== undefined && typeof sealed !== "string") this.#write(frameType, [header, sealed]);
    this.#drain();
  }

  /** When everything is done: stays while the other end is busy, then closes our half, then waits for its half. @returns When to look again. */
  #endSome(): number {
    if (this.#peerClosed && !this.#canGoOn) this.#finish(this.#verdict);
    if (this.#over || !this.#isDone || this.#halfClosed) return Number.POSITIVE_INFINITY;
    if (this.#plan.echo && !this.#peerClosed) return Number.POSITIVE_INFINITY; // the other side says when it is enough
    const quietAtMs = this.#lastFrameMs + QUIET_MS;
    if (!this.#peerClosed && (this.#channel.isInExchange || nowMs() < quietAtMs))
      return Math.max(quietAtMs, nowMs()) + 1;
    this.#halfClosed = true;
    this.#socket.end();
    setTimeout(() => this.#finish("done"), CLOSE_MS_MAX).unref();
    return Number.POSITIVE_INFINITY;
  }

  /** Whether anything can be done on a connection on which nothing comes any more: with keys, what is left to send goes out. */
  get #canGoOn(): boolean {
    const { expect } = this.#plan;
    const hasAll = this.#accepted.consensus >= expect.consensus && this.#accepted.forwarded >= expect.forwarded;
    return hasAll && !this.#isDone && this.#channel.isOpen && !this.#channel.isInExchange;
  }

  #drain(): number {
    for (;;) {
      const output = this.#channel.pollOutput();
      switch (output.type) {
        case "transmit":
          this.#write(output.frameType, output.parts);
          break;
        case "rejected":
          this.#refuse(output.code);
          break;
        case "wait":
          return output.untilMs;
        case "idle":
          return Number.POSITIVE_INFINITY;
      }
    }
  }

  #write(frameType: FrameType, parts: readonly Uint8Array[]): void {
    if (this.#halfClosed || this.#over || this.#socket.writableEnded) return;
    const payload = concatBytes(...parts);
    this.#socket.write(concatBytes(encodeFrameHeader(frameType, this.#options.self.id, payload.length), payload));
  }

  #refuse(code: ChannelErrorCode | "wrong-frame"): void {
    this.#lastError = code;
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }

  /** Lets what was written go out, then tells the owner. */
  #finish(end: SessionEnd): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#channel.close();
    const tell = (): void => this.#end(end);
    setTimeout(tell, FLUSH_MS_MAX).unref();
    if (this.#socket.destroyed) tell();
    else this.#socket.end(tell);
  }
}

/** Of a clock that does not step back. */
function nowMs(): number {
  return Math.floor(performance.now());
}
