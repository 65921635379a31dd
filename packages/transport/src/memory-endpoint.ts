/** One node on the in-memory network: what it knows of its peers, its bounds, and its events. */
import { FRAME_HEADER_BYTES, type FrameType, type NodeId } from "@sealane/wire";
import { BUFFER_BYTES_MAX, FRAME_BYTES_MAX, UNPROVEN_FRAME_BYTES_MAX } from "./limits.js";
import type { DirectedLink } from "./memory-link.js";
import type { CloseReason, FrameHandler, LinkObserver, LinkState, Transport } from "./transport.js";

export interface InMemoryTransportOptions {
  readonly self: NodeId;
  readonly onFrame: FrameHandler;
  readonly onLink?: LinkObserver;
  readonly frameBytesMax?: number;
  readonly unprovenFrameBytesMax?: number;
  readonly bufferBytesMax?: number;
}

/** What an endpoint needs of its network. */
export interface EndpointNetwork {
  link(from: NodeId, to: NodeId): DirectedLink;
  /** Whether the two could hold a connection at all: both exist and one knows the other's address. Cuts do not count. */
  hasPath(from: NodeId, to: NodeId): boolean;
  reachableFrom(self: NodeId): NodeId[];
  schedule(link: DirectedLink, type: FrameType, parts: readonly Uint8Array[], payloadBytes: number): void;
  endPair(by: NodeId, other: NodeId, reason: CloseReason): void;
  remove(self: NodeId): void;
}

/** One node on the network. Made by `InMemoryNetwork.transport`. */
export class MemoryEndpoint implements Transport {
  readonly onFrame: FrameHandler;
  readonly frameBytesMax: number;
  readonly unprovenFrameBytesMax: number;
  readonly #network: EndpointNetwork;
  readonly #self: NodeId;
  readonly #onLink: LinkObserver;
  readonly #bufferBytesMax: number;
  /** `undefined` as a value: removed by setPeer. */
  readonly #addresses = new Map<NodeId, string | undefined>();
  readonly #connections = new Map<NodeId, number>();
  #lastConnection = 0;
  #closed = false;

  constructor(network: EndpointNetwork, options: InMemoryTransportOptions) {
    this.#network = network;
    this.#self = options.self;
    this.onFrame = options.onFrame;
    this.#onLink = options.onLink ?? (() => undefined);
    this.frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
    this.unprovenFrameBytesMax = options.unprovenFrameBytesMax ?? UNPROVEN_FRAME_BYTES_MAX;
    this.#bufferBytesMax = options.bufferBytesMax ?? BUFFER_BYTES_MAX;
  }

  send(to: NodeId, type: FrameType, parts: readonly Uint8Array[]): boolean {
    if (this.#closed) return false;
    if (!this.#network.hasPath(this.#self, to)) {
      if (this.#addresses.has(to)) this.#network.link(this.#self, to).noPath++;
      return false;
    }
    const link = this.#network.link(this.#self, to);
    this.connectionTo(to);
    const payloadBytes = parts.reduce((sum, part) => sum + part.length, 0);
    const frameBytes = FRAME_HEADER_BYTES + payloadBytes;
    if (frameBytes > (link.session.authentic ? this.frameBytesMax : this.unprovenFrameBytesMax)) {
      link.tooLarge++;
      return false;
    }
    if (link.bufferedBytes > 0 && link.bufferedBytes + payloadBytes > this.#bufferBytesMax) {
      link.bufferFull++;
      return false;
    }
    this.#network.schedule(link, type, parts, payloadBytes);
    return true;
  }

  setPeer(peer: NodeId, address: string | undefined): void {
    if (this.#closed || peer === this.#self) return;
    const moved = this.#addresses.has(peer) && this.#addresses.get(peer) !== address;
    this.#addresses.set(peer, address);
    if (address === undefined || moved) this.#network.endPair(this.#self, peer, "removed");
    if (address !== undefined && this.#network.hasPath(this.#self, peer)) this.connectionTo(peer);
  }

  peers(): readonly LinkState[] {
    if (this.#closed) return [];
    const known = [...this.#addresses].flatMap(([id, address]) => (address === undefined ? [] : [id]));
    return [...new Set([...known, ...this.#network.reachableFrom(this.#self)])].map((peer) => this.#linkState(peer));
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#network.remove(this.#self);
    }
    return Promise.resolve();
  }

  // What follows is for the network.

  knows(peer: NodeId, byDefault: boolean): boolean {
    return this.#addresses.has(peer) ? this.#addresses.get(peer) !== undefined : byDefault;
  }

  notifyAuthenticated(peer: NodeId): void {
    this.#onLink({ type: "authenticated", peer, connection: this.connectionTo(peer), dialled: false });
  }

  notifyConfirmed(peer: NodeId): void {
    this.#onLink({ type: "confirmed", peer, connection: this.connectionTo(peer), dialled: true });
  }

  notifyRefused(peer: NodeId, frameBytes: number): void {
    const message = `a frame of ${frameBytes} bytes is over the bound`;
    this.#onLink({ type: "frame-refused", peer, connection: this.connectionTo(peer), code: "too-large", message });
  }

  notifyClosed(peer: NodeId, reason: CloseReason): void {
    const connection = this.#connections.get(peer);
    if (connection === undefined) return;
    this.#connections.delete(peer);
    this.#onLink({ type: "closed", peer, connection, dialled: true, reason });
  }

  /** The number of the connection to a peer; a new one, with its event, after the last was closed. */
  connectionTo(peer: NodeId, type: "connected" | "claimed" = "connected"): number {
    const current = this.#connections.get(peer);
    if (current !== undefined) return current;
    const connection = ++this.#lastConnection;
    this.#connections.set(peer, connection);
    this.#onLink({ type, peer, connection });
    return connection;
  }

  #linkState(peer: NodeId): LinkState {
    const path = this.#network.hasPath(this.#self, peer);
    const outgoing = this.#network.link(this.#self, peer);
    const incoming = this.#network.link(peer, this.#self);
    const { bufferedBytes, framesSent, bufferFull, noPath, tooLarge } = outgoing;
    return {
      peer,
      address: this.#addresses.get(peer),
      dialled: path ? (incoming.session.authentic ? "authentic" : "connected") : "waiting",
      accepted: "none",
      sendsOn: path ? "dialled" : "none",
      carriesLarge: outgoing.session.authentic,
      bufferedBytes,
      framesSent,
      framesReceived: incoming.framesReceived,
      dropped: { bufferFull, noPath, tooLarge },
    };
  }
}
