/** Plain TCP in its best form: one write per batch by reference, `onread` with memory of its own where Node has it, which is where one dials. */
import { createServer, type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import { type Contestant, type Endpoint, type Handlers, HOST, type Shaker, SOCKET_BUFFER_BYTES } from "./contestant.js";
import { ItemReader } from "./items.js";
import { Gathering, listening, portOf, streamLink } from "./sockets.js";

export const rawTcp: Contestant = {
  open: (_self, role) => (role === "source" ? openSource() : Promise.resolve(openSink())),
  openShaker: () => Promise.reject(new Error("plain TCP has no handshake to measure")) as Promise<Shaker>, // never asked for
};

async function openSource(): Promise<Endpoint> {
  const sockets = new Gathering<Socket>();
  const server = createServer({ noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }, (socket) => sockets.put(socket));
  await listening(server, HOST);
  const open: Socket[] = [];
  return {
    port: portOf(server),
    async connect(peers, handlers) {
      open.push(...(await sockets.first(peers.length)));
      return open.map((socket, peer) => {
        const reader = new ItemReader(handlers(peer));
        socket.on("data", (chunk) => reader.push(chunk));
        socket.on("error", () => socket.destroy());
        return streamLink(socket);
      });
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

function openSink(): Endpoint {
  let socket: Socket | undefined;
  return {
    port: 0,
    async connect([peer], handlers) {
      socket = await dial(peer?.port ?? 0, handlers(0));
      return [streamLink(socket)];
    },
    async close() {
      socket?.destroy();
    },
  };
}

function dial(port: number, handlers: Handlers): Promise<Socket> {
  const reader = new ItemReader(handlers);
  const memory = new Uint8Array(SOCKET_BUFFER_BYTES);
  // The constructor takes both, though the types of node:net do not say so.
  const options: SocketConstructorOpts & { readonly highWaterMark: number; readonly onread: OnReadOpts } = {
    highWaterMark: SOCKET_BUFFER_BYTES,
    onread: {
      buffer: memory,
      callback: (bytes) => {
        reader.push(memory.subarray(0, bytes));
        return true;
      },
    },
  };
  return new Promise((resolve, reject) => {
    const socket = new Socket(options);
    socket.once("error", reject);
    socket.connect({ host: HOST, port, noDelay: true }, () => resolve(socket));
  });
}
