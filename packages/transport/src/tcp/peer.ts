/** Everything about one peer: its address, the connections to it, what waits for one, and the dialling. */
import {
  type Address,
  concatBytes,
  FRAME_HEADER_BYTES,
  type FrameType,
  formatAddress,
  type NodeId,
} from "@sealane/wire";
import type { AcceptState, CloseReason, DialState, LinkObserver, LinkState } from "../transport.js";
import { Backoff } from "./backoff.js";
import { Connection, type ConnectionOwner } from "./connection.js";
import { chooseConnection, PROBATION_FRAMES, PROBATION_TICKS } from "./route.js";

/**
 * Bytes that wait for a first connection. Little: what waits is a handshake and a few heartbeats, and whatever is older than one attempt to
 * dial is of no use to consensus.
 */
const WAITING_BYTES_MAX = 1024 * 1024;
/** A connection that lived this long shows that the address is good: the next pause is short again. */
const GOOD_CONNECTION_MS = 5000;

export interface PeerHost extends ConnectionOwner {
  readonly notify: LinkObserver;
  nextNumber(): number;
  /** A connection was made by dialling. Accepted ones the host knows already. */
  register(connection: Connection): void;
}

interface WaitingFrame {
  readonly type: FrameType;
  readonly payload: Uint8Array;
}

export class Peer {
  readonly id: NodeId;
  readonly #host: PeerHost;
  readonly #backoff: Backoff;
  #address: Address | undefined;
  #dialled: Connection | undefined;
  #connectedAtMs = 0;
  #dialTimer: NodeJS.Timeout | undefined;
  #accepted: Connection | undefined;
  /** Claim this id and have proven nothing; the one heard from last is at the end. Bounded by the lobby. */
  #claimed: Connection[] = [];
  #probationFrames = 0;
  #probationTicks = 0;
  #waiting: WaitingFrame[] = [];
  #waitingBytes = 0;
  #framesSent = 0;
  #framesReceived = 0;
  #bufferFull = 0;
  #noPath = 0;
  #tooLarge = 0;

  constructor(id: NodeId, host: PeerHost) {
    this.id = id;
    this.#host = host;
    this.#backoff = new Backoff(host.settings.dialBackoff, host.settings.random);
  }

  /** Nothing is left that would be worth remembering. */
  get idle(): boolean {
    const connections = [this.#dialled, this.#accepted, ...this.#claimed];
    return this.#address === undefined && connections.every((connection) => connection === undefined);
  }

  get state(): LinkState {
    const next = this.#choose(false);
    return {
      peer: this.id,
      address: this.#address === undefined ? undefined : formatAddress(this.#address),
      dialled: this.#dialState(),
      accepted: this.#acceptState(),
      sendsOn: next === undefined ? "none" : next.dialled ? "dialled" : "accepted",
      carriesLarge: this.#choose(true) !== undefined,
      bufferedBytes: this.#bufferedBytes(),
      framesSent: this.#framesSent,
      framesReceived: this.#framesReceived,
      dropped: { bufferFull: this.#bufferFull, noPath: this.#noPath, tooLarge: this.#tooLarge },
    };
  }

  send(type: FrameType, parts: readonly Uint8Array[]): boolean {
    let payloadBytes = 0;
    for (const part of parts) payloadBytes += part.length;
    const frameBytes = FRAME_HEADER_BYTES + payloadBytes;
    const { frameBytesMax, unprovenFrameBytesMax, bufferBytesMax } = this.#host.settings;
    const large = frameBytes > unprovenFrameBytesMax;
    const connection = frameBytes > frameBytesMax ? undefined : this.#choose(large);
    if (connection === undefined) return large ? this.#refuseLarge() : this.#wait(type, parts, frameBytes);
    const buffered = this.#bufferedBytes();
    if (buffered > 0 && buffered + frameBytes > bufferBytesMax) {
      this.#bufferFull++;
      return false;
    }
    this.#sendOn(connection, type, parts, payloadBytes);
    return true;
  }

  setAddress(address: Address): void {
    const current = this.#address;
    if (current !== undefined && current.host === address.host && current.port === address.port) return;
    this.#address = address;
    this.#stopDialling("removed");
    this.#backoff.reset();
    this.#dial();
  }

  /** Forgets the address and closes what there is. */
  remove(reason: CloseReason): void {
    this.#address = undefined;
    this.#stopDialling(reason);
    this.#dropWaiting();
    for (const connection of [this.#accepted, ...this.#claimed]) connection?.close(reason);
  }

  /** An accepted connection has named this peer. */
  addClaimed(connection: Connection): void {
    this.#claimed.push(connection);
  }

  /** A frame for the handler arrived. */
  handleReceived(connection: Connection): void {
    this.#framesReceived++;
    if (this.#claimed.length > 1 && this.#claimed.at(-1) !== connection && this.#claimed.includes(connection)) {
      this.#claimed = [...this.#claimed.filter((other) => other !== connection), connection];
    }
  }

  handleConnected(): void {
    this.#connectedAtMs = performance.now();
    this.#startProbation();
  }

  /** The first authentic frame of a connection. An older one that the peer dialled has served its time. */
  handleAuthentic(connection: Connection): void {
    this.#backoff.reset();
    if (connection.dialled) return;
    this.#claimed = this.#claimed.filter((other) => other !== connection);
    const replaced = this.#accepted;
    this.#accepted = connection;
    this.#startProbation();
    replaced?.close("replaced");
    if (this.#dialTimer !== undefined) this.#dial(); // the peer is there: do not sit out the pause
  }

  handleTick(): void {
    if (this.#onProbation()) this.#probationTicks++;
  }

  /** One of this peer's connections ended. Ours is dialled again after a pause. */
  handleClosed(connection: Connection): void {
    if (this.#accepted === connection) this.#accepted = undefined;
    this.#claimed = this.#claimed.filter((other) => other !== connection);
    if (this.#dialled !== connection) return;
    this.#dialled = undefined;
    if (this.#connectedAtMs === 0) this.#dropWaiting();
    else if (performance.now() - this.#connectedAtMs >= GOOD_CONNECTION_MS) this.#backoff.reset();
    if (this.#address === undefined) return;
    this.#dialTimer = setTimeout(() => this.#dial(), this.#backoff.nextMs());
  }

  /** Sends what waited for a connection. @returns whether there was anything. */
  sendWaiting(): boolean {
    const connection = this.#choose(false);
    if (connection === undefined || this.#waiting.length === 0) return false;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { type, payload } of waiting) this.#sendOn(connection, type, [payload], payload.length);
    return true;
  }

  #dial(): void {
    clearTimeout(this.#dialTimer);
    this.#dialTimer = undefined;
    const address = this.#address;
    if (address === undefined || this.#dialled !== undefined) return;
    const number = this.#host.nextNumber();
    this.#host.notify({ type: "dialling", peer: this.id, connection: number, address: formatAddress(address) });
    this.#connectedAtMs = 0;
    this.#dialled = Connection.dial(number, this.id, address, this.#host);
    this.#host.register(this.#dialled);
  }

  #stopDialling(reason: CloseReason): void {
    clearTimeout(this.#dialTimer);
    this.#dialTimer = undefined;
    const dialled = this.#dialled;
    this.#dialled = undefined; // first, so that its end does not start another attempt
    dialled?.close(reason);
  }

  #choose(large: boolean): Connection | undefined {
    const dialled = this.#dialled?.connected ? this.#dialled : undefined;
    const probationOver = this.#probationFrames >= PROBATION_FRAMES || this.#probationTicks >= PROBATION_TICKS;
    return chooseConnection({ accepted: this.#accepted, dialled, claimed: this.#claimed.at(-1), probationOver }, large);
  }

  #sendOn(connection: Connection, type: FrameType, parts: readonly Uint8Array[], payloadBytes: number): void {
    connection.send(type, parts, payloadBytes);
    this.#framesSent++;
    if (this.#onProbation()) this.#probationFrames++;
  }

  #wait(type: FrameType, parts: readonly Uint8Array[], frameBytes: number): boolean {
    if (this.#address === undefined) {
      this.#noPath++;
      return false;
    }
    const bound = Math.min(this.#host.settings.bufferBytesMax, WAITING_BYTES_MAX);
    if (this.#waitingBytes > 0 && this.#waitingBytes + frameBytes > bound) {
      this.#bufferFull++;
      return false;
    }
    // A copy in one piece: the caller may use its small parts again.
    this.#waiting.push({ type, payload: concatBytes(...parts) });
    this.#waitingBytes += frameBytes;
    return true;
  }

  #refuseLarge(): false {
    this.#tooLarge++;
    return false;
  }

  #dropWaiting(): void {
    this.#noPath += this.#waiting.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** A connection of ours is to be confirmed while a proven one of the peer's could be used instead. */
  #onProbation(): boolean {
    return this.#accepted !== undefined && this.#dialled?.connected === true && !this.#dialled.confirmed;
  }

  #startProbation(): void {
    this.#probationFrames = 0;
    this.#probationTicks = 0;
  }

  #bufferedBytes(): number {
    let bytes = this.#waitingBytes + (this.#dialled?.bufferedBytes ?? 0) + (this.#accepted?.bufferedBytes ?? 0);
    for (const connection of this.#claimed) bytes += connection.bufferedBytes;
    return bytes;
  }

  #dialState(): DialState {
    if (this.#dialled === undefined) return this.#dialTimer === undefined ? "none" : "waiting";
    if (!this.#dialled.connected) return "dialling";
    return this.#dialled.authentic ? "authentic" : "connected";
  }

  #acceptState(): AcceptState {
    if (this.#accepted !== undefined) return "authentic";
    return this.#claimed.length > 0 ? "claimed" : "none";
  }
}
