/**
 * Frames between nodes over plain TCP (channel-v1-wire §2, channel-v2 §1). It listens, keeps a connection dialled to every peer whose address
 * is known, and lets frames flow over whichever connection of a pair is the better one (`route.ts`). Nothing here is trusted: an id on
 * a frame is a claim until the frame handler says "authentic".
 */
import { createServer, type Server, type Socket } from "node:net";
import { type Address, type FrameHead, type FrameType, type NodeId, parseAddress } from "@sealane/wire";
import { TransportError } from "../errors.js";
import type { CloseReason, FrameRefusal, LinkEvent, LinkState, Transport } from "../transport.js";
import { Connection, SOCKET_BUFFER_BYTES, TCP_KEEPALIVE_MS } from "./connection.js";
import { listen } from "./listen.js";
import { Lobby } from "./lobby.js";
import { Peer, type PeerHost } from "./peer.js";
import { type TcpOptions, type TcpSettings, tcpSettings } from "./settings.js";

/**
 * Listens and resolves when it does.
 * @throws {TransportError} `address-in-use`, `address-denied`, `bad-address` or `listen-failed`, as a rejection.
 * @throws {RangeError} when a bound is not positive, as a rejection.
 * @example
 * const transport = await tcp({ self, listen: { host: "127.0.0.1", port: 0 }, onFrame: () => "unproven" });
 * transport.setPeer(peer, "127.0.0.1:7001");
 * transport.send(peer, FRAME_CONSENSUS, [payload]);
 */
export async function tcp(options: TcpOptions): Promise<TcpTransport> {
  const settings = tcpSettings(options);
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEPALIVE_MS,
    highWaterMark: SOCKET_BUFFER_BYTES,
  });
  const address = await listen(server, options.listen);
  return new TcpTransport(server, address, settings, options.onLink ?? (() => undefined));
}

/** Made by `tcp`. */
export class TcpTransport implements Transport {
  /** Where it listens, with the port that was really taken. */
  readonly address: Address;
  readonly #server: Server;
  readonly #settings: TcpSettings;
  readonly #onLink: (event: LinkEvent) => void;
  readonly #peers = new Map<NodeId, Peer>();
  /** All whose socket still exists, closed ones too. */
  readonly #connections = new Set<Connection>();
  readonly #lobby: Lobby<Connection>;
  readonly #host: PeerHost;
  readonly #tick: NodeJS.Timeout;
  readonly #toFlush = new Set<Connection>();
  #lastNumber = 0;
  #closing: Promise<void> | undefined;
  #whenGone: (() => void) | undefined;

  /** Takes over a listening server. Use `tcp`. */
  constructor(server: Server, address: Address, settings: TcpSettings, onLink: (event: LinkEvent) => void) {
    this.address = address;
    this.#server = server;
    this.#settings = settings;
    this.#onLink = onLink;
    this.#lobby = new Lobby(settings.unprovenConnections);
    this.#host = this.#makeHost();
    this.#tick = setInterval(() => this.#handleTick(), settings.tickMs);
    server.on("connection", (socket) => this.#handleAccepted(socket));
    server.on("error", (cause) => this.#notify({ type: "accept-failed", cause }));
  }

  send(to: NodeId, type: FrameType, parts: readonly Uint8Array[]): boolean {
    if (this.#closing !== undefined) return false;
    return this.#peers.get(to)?.send(type, parts) ?? false;
  }

  setPeer(id: NodeId, address: string | undefined): void {
    const parsed = address === undefined ? undefined : parsePeerAddress(address);
    if (this.#closing !== undefined || id === this.#settings.self) return;
    if (parsed !== undefined) {
      this.#peer(id).setAddress(parsed);
      return;
    }
    this.#peers.get(id)?.remove("removed");
    this.#forgetIfIdle(id);
  }

  peers(): readonly LinkState[] {
    return [...this.#peers.values()].map((peer) => peer.state);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#tick);
    const serverClosed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const peer of [...this.#peers.values()]) peer.remove("closing");
    for (const connection of [...this.#connections]) connection.close("closing");
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenGone = resolve;
      });
    }
    await serverClosed;
  }

  /** What peers and connections may ask of the transport; not public, so not methods of it. */
  #makeHost(): PeerHost {
    return {
      settings: this.#settings,
      notify: (event) => this.#notify(event),
      nextNumber: () => ++this.#lastNumber,
      register: (connection) => this.#connections.add(connection),
      requestFlush: (connection) => this.#requestFlush(connection),
      handleConnected: (connection) => this.#handleConnected(connection),
      handleSender: (connection, sender) => this.#handleSender(connection, sender),
      handleFrame: (connection, head, payload) => this.#handleFrame(connection, head, payload),
      handleConfirmed: (connection) => this.#handleConfirmed(connection),
      handleRefused: (connection, code, message) => this.#handleRefused(connection, code, message),
      handleClosed: (connection, reason, cause) => this.#handleClosed(connection, reason, cause),
      handleGone: (connection) => this.#handleGone(connection),
    };
  }

  #handleAccepted(socket: Socket): void {
    const connection = Connection.accept(++this.#lastNumber, socket, this.#host);
    this.#connections.add(connection);
    if (this.#closing !== undefined) {
      connection.destroy("closing");
      return;
    }
    const remote = `${connection.remoteHost}:${socket.remotePort ?? 0}`;
    this.#notify({ type: "accepted", connection: connection.number, remote });
    this.#lobby.admit(connection)?.destroy("crowded-out");
  }

  #handleConnected(connection: Connection): void {
    const { peer: id, number } = connection;
    const peer = id === undefined ? undefined : this.#peers.get(id);
    if (id === undefined || peer === undefined) return; // removed while the socket connected
    peer.handleConnected();
    this.#notify({ type: "connected", peer: id, connection: number });
    // A first frame names us to the peer; the link frame does when there is none.
    if (!peer.sendWaiting()) connection.sendLinkFrame();
  }

  /** Binds a connection to the id of its first frame, and holds it to that. @returns whether to go on reading. */
  #handleSender(connection: Connection, sender: NodeId): boolean {
    if (connection.peer === sender) return true;
    if (connection.peer !== undefined || sender === this.#settings.self) {
      connection.destroy("sender-mismatch");
      return false;
    }
    connection.peer = sender;
    const peer = this.#peer(sender);
    peer.addClaimed(connection);
    this.#notify({ type: "claimed", peer: sender, connection: connection.number });
    this.#lobby.claimed(connection)?.destroy("crowded-out");
    peer.sendWaiting();
    return !connection.closed;
  }

  #handleFrame(connection: Connection, { sender, type }: FrameHead, payload: Uint8Array): void {
    const peer = this.#peer(sender);
    peer.handleReceived(connection);
    let verdict: "authentic" | "unproven";
    try {
      verdict = this.#settings.onFrame({ from: sender, type, payload });
    } catch (error) {
      connection.destroy("handler-failed", error);
      return;
    }
    if (verdict !== "authentic" || connection.authentic || connection.closed) return;
    this.#lobby.leave(connection);
    connection.setAuthentic();
    peer.handleAuthentic(connection);
    const { number, dialled } = connection;
    this.#notify({ type: "authenticated", peer: sender, connection: number, dialled });
  }

  #handleConfirmed({ peer, number, dialled }: Connection): void {
    if (peer !== undefined) this.#notify({ type: "confirmed", peer, connection: number, dialled });
  }

  #handleRefused({ peer, number }: Connection, code: FrameRefusal, message: string): void {
    this.#notify({ type: "frame-refused", peer, connection: number, code, message });
  }

  #handleClosed(connection: Connection, reason: CloseReason, cause: unknown): void {
    const { peer, number, dialled } = connection;
    this.#lobby.leave(connection);
    this.#toFlush.delete(connection);
    if (peer !== undefined) {
      this.#peers.get(peer)?.handleClosed(connection);
      this.#forgetIfIdle(peer);
    }
    this.#notify({
      type: "closed",
      peer,
      connection: number,
      dialled,
      reason,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #handleGone(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#whenGone?.();
  }

  #handleTick(): void {
    for (const peer of this.#peers.values()) peer.handleTick();
    for (const connection of this.#connections) connection.handleTick();
  }

  /** One flush per turn of the event loop, after everything this turn had to say. */
  #requestFlush(connection: Connection): void {
    if (this.#toFlush.size === 0) setImmediate(() => this.#flush());
    this.#toFlush.add(connection);
  }

  #flush(): void {
    const connections = [...this.#toFlush];
    this.#toFlush.clear();
    for (const connection of connections) connection.flush();
  }

  #peer(id: NodeId): Peer {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      peer = new Peer(id, this.#host);
      this.#peers.set(id, peer);
    }
    return peer;
  }

  /** Ids that were only ever claimed leave nothing behind, so the table is bounded by connections and addresses. */
  #forgetIfIdle(id: NodeId): void {
    if (this.#peers.get(id)?.idle) this.#peers.delete(id);
  }

  /** An observer that throws must not leave a connection half handled: the error goes where uncaught errors go. */
  #notify(event: LinkEvent): void {
    try {
      this.#onLink(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function parsePeerAddress(address: string): Address {
  try {
    return parseAddress(address);
  } catch (cause) {
    throw new TransportError("bad-address", `the peer address ${JSON.stringify(address)} is not "host:port"`, {
      cause,
    });
  }
}
