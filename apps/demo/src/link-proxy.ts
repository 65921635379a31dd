/**
 * A TCP proxy in front of one node's node-to-node port. Other nodes dial the published address, which is this proxy; so the demo
 * can cut the link between two nodes, record what an eavesdropper would see, and, in tests, change bytes on the way.
 *
 * It understands no more than an eavesdropper must: the first 84 bytes of a connection name the node that dialled
 * (channel-v1-wire.md §2). It checks nothing and is no part of what protects the nodes.
 */
import { createServer, type Server, Socket } from "node:net";
import { type Capture, FrameSplitter } from "./capture.js";
import { DemoError, systemCode } from "./errors.js";
import { LOOPBACK } from "./ports.js";

/** u32 size ‖ u64 type ‖ u64 id length ‖ 64 characters of id. */
const FRAME_HEAD_BYTES = 84;
const SENDER_OFFSET = 20;
/** A dialler that has not said who it is by then is let go. */
const HELLO_TIMEOUT_MS = 10_000;
/** Two live connections for each of the other nodes and generous room for ones that are just being replaced. */
const CONNECTIONS_MAX = 128;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** One frame on its way; `frame` starts with its size field. */
export interface PassingFrame {
  readonly dialler: string;
  readonly direction: "to-listener" | "to-dialler";
  readonly frame: Uint8Array;
}

export interface LinkProxyOptions {
  /** The index of the node behind the proxy: names it in the capture. */
  readonly listener: number;
  /** 0 takes any free port. */
  readonly port: number;
  readonly targetPort: number;
  /** Whether this dialler (64 hex digits, as it says itself) may pass now. Asked once per connection. */
  readonly admits?: (dialler: string) => boolean;
  readonly capture?: Capture;
  /** For tests: gives the bytes to pass on instead of a frame; undefined passes it as it is. */
  readonly mutate?: (passing: PassingFrame) => Uint8Array | undefined;
}

interface Connection {
  readonly dialler: string;
  readonly sockets: readonly [Socket, Socket];
}

export class LinkProxy {
  readonly #options: LinkProxyOptions;
  readonly #server: Server;
  readonly #unnamed = new Set<Socket>();
  readonly #connections = new Set<Connection>();

  private constructor(options: LinkProxyOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    server.on("connection", (socket) => this.#greet(socket));
  }

  /** @throws {DemoError} when the port is taken. */
  static open(options: LinkProxyOptions): Promise<LinkProxy> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true });
      server.maxConnections = CONNECTIONS_MAX;
      const proxy = new LinkProxy(options, server);
      server.once("error", (error) => {
        const why = systemCode(error) === "EADDRINUSE" ? "is taken" : `cannot be opened (${error.message})`;
        reject(new DemoError(`port ${options.port} on ${LOOPBACK} ${why}`, { cause: error }));
      });
      server.listen({ host: LOOPBACK, port: options.port }, () => resolve(proxy));
    });
  }

  /** `host:port` to publish. */
  get address(): string {
    const address = this.#server.address();
    const port = address === null || typeof address === "string" ? this.#options.port : address.port;
    return `${LOOPBACK}:${port}`;
  }

  /** Named connections that pass bytes now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Breaks the connections this node dialled. New ones are up to `admits`. */
  drop(dialler: string): void {
    for (const connection of this.#connections) {
      if (connection.dialler !== dialler) continue;
      for (const socket of connection.sockets) socket.destroy();
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#unnamed) socket.destroy();
    for (const { sockets } of this.#connections) for (const socket of sockets) socket.destroy();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Reads until the dialler has named itself; at most one TCP segment more than the 84 bytes is held meanwhile. */
  #greet(dialling: Socket): void {
    this.#unnamed.add(dialling);
    let head: Buffer = Buffer.alloc(0);
    const leave = () => {
      this.#unnamed.delete(dialling);
      dialling.removeListener("data", onData).removeListener("close", leave).removeListener("timeout", onTimeout);
      dialling.setTimeout(0);
    };
    const onTimeout = () => dialling.destroy();
    const onData = (chunk: Buffer) => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < FRAME_HEAD_BYTES) return;
      leave();
      dialling.pause();
      const dialler = head.toString("latin1", SENDER_OFFSET, FRAME_HEAD_BYTES);
      if (this.#options.admits !== undefined && !this.#options.admits(dialler)) {
        dialling.destroy();
        return;
      }
      this.#join(dialler, dialling, head);
    };
    dialling.on("error", () => dialling.destroy());
    dialling.on("data", onData).on("close", leave).setTimeout(HELLO_TIMEOUT_MS).on("timeout", onTimeout);
  }

  #join(dialler: string, dialling: Socket, head: Uint8Array): void {
    const target = new Socket();
    const connection: Connection = { dialler, sockets: [dialling, target] };
    this.#connections.add(connection);
    // Either end gone means both are: half-open connections are nothing a node relies on.
    const end = () => {
      this.#connections.delete(connection);
      dialling.destroy();
      target.destroy();
    };
    for (const socket of connection.sockets) socket.on("close", end).on("error", end);
    const forward = this.#pump(dialler, "to-listener", dialling, target);
    this.#pump(dialler, "to-dialler", target, dialling);
    target.setNoDelay(true);
    target.connect({ host: LOOPBACK, port: this.#options.targetPort }, () => {
      forward(head);
      dialling.resume();
    });
  }

  /** Carries bytes one way, as fast as the receiving side takes them. */
  #pump(
    dialler: string,
    direction: PassingFrame["direction"],
    source: Socket,
    sink: Socket,
  ): (chunk: Uint8Array) => void {
    const { capture, listener, mutate } = this.#options;
    const record = capture?.stream({ dialler, listener, direction });
    const splitter = mutate === undefined ? undefined : new FrameSplitter(FRAME_BYTES_MAX);
    const write = (bytes: Uint8Array) => {
      record?.(bytes);
      if (!sink.write(bytes)) source.pause();
    };
    const forward = (chunk: Uint8Array) => {
      if (splitter === undefined || mutate === undefined) {
        write(chunk);
        return;
      }
      for (const frame of splitter.push(chunk)) write(mutate({ dialler, direction, frame }) ?? frame);
    };
    source.on("data", forward);
    sink.on("drain", () => source.resume());
    return forward;
  }
}
