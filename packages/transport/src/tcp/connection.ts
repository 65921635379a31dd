/**
 * One TCP connection: a socket, its reader and its writer, and what is known about who is at the other end. It decides nothing about
 * peers; it reports to its owner.
 *
 * Reading: sockets we dialled use `onread` with our own segment; Node 20 has no such option for accepted ones, they use 'data' events.
 * Every socket has an 'error' listener from the moment it exists until it is gone, so no error of the network is ever unhandled.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import { type Address, FRAME_CHANNEL, type FrameHead, type FrameType, type NodeId, WireError } from "@sealane/wire";
import type { CloseReason, FrameRefusal } from "../transport.js";
import { ChunkReader, type FrameSink, SegmentReader } from "./frame-reader.js";
import { FrameWriter } from "./frame-writer.js";
import { decodeLinkFrame, encodeLinkFrame, LINK_PAYLOAD_BYTES } from "./link-frame.js";
import { allocate, plainView } from "./memory.js";
import type { TcpSettings } from "./settings.js";

/** Both ways: what Node holds before it calls itself behind (performance §4). */
export const SOCKET_BUFFER_BYTES = 1024 * 1024;
/** The operating system's own probes, for connections whose other end does not know link frames. */
export const TCP_KEEPALIVE_MS = 10_000;
/** Periods of `keepaliveMs` without a byte from a peer that sends link frames, after which it is gone. */
const SILENT_TICKS_MAX = 5;
/** Periods in which an accepted connection that has proven nothing must complete a frame. */
const UNPROVEN_SILENT_TICKS_MAX = 10;

export interface ConnectionOwner {
  readonly settings: TcpSettings;
  /** The dialled socket is connected. */
  handleConnected(connection: Connection): void;
  /** Every frame, link frames too, claims a sender. `false`: the connection was closed for it. */
  handleSender(connection: Connection, sender: NodeId): boolean;
  /** A frame for the frame handler. */
  handleFrame(connection: Connection, head: FrameHead, payload: Uint8Array): void;
  /** The peer takes large frames here from now on. */
  handleConfirmed(connection: Connection): void;
  handleRefused(connection: Connection, code: FrameRefusal, message: string): void;
  /** The connection takes no more part: not in routing, not in delivery. Called once. */
  handleClosed(connection: Connection, reason: CloseReason, cause: unknown): void;
  /** Its socket is gone too. Called once, after `handleClosed`. */
  handleGone(connection: Connection): void;
  requestFlush(connection: Connection): void;
}

export class Connection implements FrameSink {
  readonly number: number;
  readonly dialled: boolean;
  readonly remoteHost: string;
  /** Who is there: known for a dialled connection, claimed by the first frame of an accepted one. Never changes after that. */
  peer: NodeId | undefined;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #writer: FrameWriter;
  #connected: boolean;
  #authentic = false;
  #confirmed = false;
  #closed = false;
  #cause: unknown;
  #dialTimer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #peerSendsLinkFrames = false;
  #wroteSinceTick = false;
  #frameSinceTick = false;
  #bytesReadAtTick = 0;
  #silentTicks = 0;
  #framelessTicks = 0;

  static dial(number: number, peer: NodeId, { host, port }: Address, owner: ConnectionOwner): Connection {
    // A socket's constructor takes both and passes the mark on to its stream, though the types of node:net do not say so.
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts; readonly highWaterMark: number } = {
      highWaterMark: SOCKET_BUFFER_BYTES,
      onread: {
        buffer: () => reader.nextBuffer(),
        callback: (bytes) => connection.#read(() => reader.received(bytes)),
      },
    };
    const socket = new Socket(options);
    const connection = new Connection(socket, number, peer, true, owner);
    const reader = new SegmentReader(connection, allocate);
    // Only now, because the buffer is asked for at once.
    socket.connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS });
    return connection;
  }

  static accept(number: number, socket: Socket, owner: ConnectionOwner): Connection {
    const connection = new Connection(socket, number, undefined, false, owner);
    const reader = new ChunkReader(connection, allocate);
    socket.on("data", (chunk: Buffer) => connection.#read(() => reader.push(plainView(chunk))));
    return connection;
  }

  private constructor(
    socket: Socket,
    number: number,
    peer: NodeId | undefined,
    dialled: boolean,
    owner: ConnectionOwner,
  ) {
    this.#socket = socket;
    this.number = number;
    this.peer = peer;
    this.dialled = dialled;
    this.remoteHost = socket.remoteAddress ?? "";
    this.#connected = !dialled;
    this.#owner = owner;
    this.#writer = new FrameWriter(socket, owner.settings.self, () => owner.requestFlush(this));
    socket.on("error", (error) => {
      this.#cause = error;
    });
    socket.on("drain", () => this.#writer.flush());
    socket.on("end", () => this.close("ended"));
    socket.on("close", () => this.#handleGone());
    if (dialled) {
      socket.on("connect", () => this.#handleConnected());
      this.#dialTimer = setTimeout(() => this.destroy("dial-timeout"), owner.settings.dialTimeoutMs);
    }
  }

  /** Able to carry frames. */
  get connected(): boolean {
    return this.#connected && !this.#closed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A frame that came over this connection was authentic. */
  get authentic(): boolean {
    return this.#authentic;
  }

  /** The peer says so of our frames, and takes large ones here. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  get frameBytesMax(): number {
    const { frameBytesMax, unprovenFrameBytesMax } = this.#owner.settings;
    return this.#authentic ? frameBytesMax : unprovenFrameBytesMax;
  }

  send(type: FrameType, parts: readonly Uint8Array[], payloadBytes: number): void {
    this.#wroteSinceTick = true;
    this.#writer.add(type, parts, payloadBytes);
  }

  /** Names this side, and says whether the peer's frames are confirmed. */
  sendLinkFrame(): void {
    if (!this.#owner.settings.linkFrames || !this.connected) return;
    this.send(FRAME_CHANNEL, [encodeLinkFrame({ confirms: this.#authentic })], LINK_PAYLOAD_BYTES);
  }

  flush(): void {
    if (this.connected) this.#writer.flush();
  }

  /** From now on large frames are taken, and the peer is told so. */
  setAuthentic(): void {
    this.#authentic = true;
    this.sendLinkFrame();
  }

  /** One period of `keepaliveMs` has passed. Counting periods, not time, keeps a process that was itself stopped from blaming its peers. */
  handleTick(): void {
    if (!this.connected) return;
    const { bytesRead } = this.#socket;
    this.#silentTicks = bytesRead === this.#bytesReadAtTick ? this.#silentTicks + 1 : 0;
    this.#framelessTicks = this.#frameSinceTick ? 0 : this.#framelessTicks + 1;
    const wrote = this.#wroteSinceTick;
    this.#bytesReadAtTick = bytesRead;
    this.#frameSinceTick = false;
    this.#wroteSinceTick = false;
    const unproven = !this.dialled && !this.#authentic;
    if (
      (this.#peerSendsLinkFrames && this.#silentTicks >= SILENT_TICKS_MAX) ||
      (unproven && this.#framelessTicks >= UNPROVEN_SILENT_TICKS_MAX)
    ) {
      this.destroy("silent");
      return;
    }
    // The side that accepted keeps to itself until it knows that the other end understands.
    if (!wrote && (this.dialled || this.#peerSendsLinkFrames)) this.sendLinkFrame();
  }

  /** Ends the connection after what is queued. Frames that still come in are dropped. */
  close(reason: CloseReason, cause?: unknown): void {
    if (this.#closed) return;
    if (!this.#connected) {
      this.destroy(reason, cause);
      return;
    }
    this.#writer.flushAll();
    this.#finish(reason, cause);
    this.#socket.end();
    this.#deadline = setTimeout(() => this.#socket.destroy(), this.#owner.settings.closeTimeoutMs);
  }

  /** Ends the connection now. */
  destroy(reason: CloseReason, cause?: unknown): void {
    this.#finish(reason, cause);
    this.#socket.destroy();
  }

  /** For the reader. */
  handleFrame(head: FrameHead, payload: Uint8Array): boolean {
    this.#frameSinceTick = true;
    if (!this.#owner.handleSender(this, head.sender)) return false;
    const link = decodeLinkFrame(head.type, payload);
    if (link === undefined) this.#owner.handleFrame(this, head, payload);
    else this.#handleLinkFrame(link.confirms);
    return !this.#closed;
  }

  #handleLinkFrame(confirms: boolean): void {
    this.#peerSendsLinkFrames = true;
    if (!confirms || this.#confirmed) return;
    this.#confirmed = true;
    this.#owner.handleConfirmed(this);
  }

  #handleConnected(): void {
    clearTimeout(this.#dialTimer);
    if (this.#closed) return;
    this.#connected = true;
    this.#owner.handleConnected(this);
  }

  /** Runs a reader. @returns true, so that `onread` goes on reading. */
  #read(read: () => void): boolean {
    if (this.#closed) return true; // only what is needed to see the peer's end of stream
    try {
      read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error; // a bug of ours: handlers are guarded by the owner
      this.#owner.handleRefused(this, refusalOf(error), error.message);
      this.destroy("frame-refused");
    }
    return true;
  }

  #handleGone(): void {
    const failed = this.#cause !== undefined;
    if (!this.#closed && !this.#connected) this.#finish("dial-failed", this.#cause);
    this.#finish(failed ? "failed" : "ended", this.#cause);
    clearTimeout(this.#deadline);
    this.#owner.handleGone(this);
  }

  #finish(reason: CloseReason, cause: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#dialTimer);
    this.#owner.handleClosed(this, reason, cause);
  }
}

function refusalOf({ code }: WireError): FrameRefusal {
  return code === "too-large" || code === "truncated" || code === "unknown-kind" ? code : "malformed";
}
