/** Real transports and raw sockets on loopback, for tests that look behind the Transport interface. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { concatBytes, encodeFrameHeader, type FrameType, formatAddress, type NodeId } from "@sealane/wire";
import { afterEach } from "vitest";
import type { TcpOptions } from "../src/tcp.js";
import { tcp } from "../src/tcp.js";
import { TestNode, type TransportFixture } from "../src/testing.js";

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn();
};

export function frameBytes(type: FrameType, sender: NodeId, payload: Uint8Array): Uint8Array {
  return concatBytes(encodeFrameHeader(type, sender, payload.length), payload);
}

/** Everything opened through it is closed after each test. */
export class TcpWorld {
  readonly #nodes: TestNode[] = [];
  readonly #sockets: Socket[] = [];
  readonly #servers: Server[] = [];

  constructor() {
    afterEach(async () => {
      for (const socket of this.#sockets.splice(0)) socket.destroy();
      await Promise.all(this.#nodes.splice(0).map((node) => node.transport.close()));
      await Promise.all(this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    });
  }

  async node(id: NodeId, overrides: Partial<TcpOptions> = {}): Promise<TestNode> {
    const fixture: TransportFixture = {
      open: async (options) => {
        const listen = { host: "127.0.0.1", port: 0 };
        const transport = await tcp({ ...options, listen, dialBackoff: { minMs: 1, maxMs: 20 }, ...overrides });
        return { transport, address: formatAddress(transport.address) };
      },
      progress: turn,
    };
    const node = await new TestNode(id).open(fixture);
    this.#nodes.push(node);
    return node;
  }

  /** A raw connection to a node. */
  async dial(node: TestNode): Promise<RawPeer> {
    const port = Number(node.address.slice(node.address.lastIndexOf(":") + 1));
    const socket = connect({ host: "127.0.0.1", port });
    const peer = this.#raw(socket);
    await new Promise((resolve) => socket.once("connect", resolve));
    return peer;
  }

  /** A raw listener. @returns its address and the connections it was given. */
  async listener(): Promise<{ address: string; accepted: RawPeer[] }> {
    const accepted: RawPeer[] = [];
    const server = createServer((socket) => accepted.push(this.#raw(socket)));
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bound = server.address();
    if (typeof bound !== "object" || bound === null) throw new TypeError("a listening server has an address");
    return { address: `127.0.0.1:${bound.port}`, accepted };
  }

  /** A free port with nobody listening. */
  async deadAddress(): Promise<string> {
    const { address } = await this.listener();
    const server = this.#servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    return address;
  }

  #raw(socket: Socket): RawPeer {
    this.#sockets.push(socket);
    return new RawPeer(socket);
  }
}

/** A socket that keeps what it is sent and whether it was closed. */
export class RawPeer {
  readonly socket: Socket;
  received = new Uint8Array(0);
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.received = Uint8Array.from([...this.received, ...chunk]);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
    });
  }

  frame(type: FrameType, sender: NodeId, payload: Uint8Array): void {
    this.socket.write(frameBytes(type, sender, payload));
  }
}
