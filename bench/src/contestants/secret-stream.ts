/** `@hyperswarm/secret-stream`: Noise XX over Ed25519 keys, then libsodium's secretstream (XChaCha20-Poly1305), a message per batch. */
import { createServer, connect as dial, type Socket } from "node:net";
import SecretStream from "@hyperswarm/secret-stream";
import {
  type Contestant,
  CREDIT,
  type Endpoint,
  type Handlers,
  HOST,
  type Link,
  type Shaker,
  SOCKET_BUFFER_BYTES,
} from "./contestant.js";
import { Coalescer, ItemReader } from "./items.js";
import { Gathering, listening, portOf } from "./sockets.js";

export const secretStream: Contestant = {
  open: (_self, role) => (role === "source" ? openSource() : Promise.resolve(openSink())),
  openShaker: (_self, role) => (role === "source" ? openAnswerer() : Promise.resolve(openDialler())),
};

async function openSource(): Promise<Endpoint> {
  const keyPair = SecretStream.keyPair();
  const sockets = new Gathering<Socket>();
  const server = createServer({ noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }, (socket) => sockets.put(socket));
  await listening(server, HOST);
  const open: SecretStream[] = [];
  return {
    port: portOf(server),
    async connect(peers, handlers) {
      const accepted = await sockets.first(peers.length);
      open.push(...accepted.map((socket) => new SecretStream(false, socket, { keyPair })));
      return Promise.all(open.map((stream, peer) => secured(stream, handlers(peer))));
    },
    async close() {
      for (const stream of open) stream.destroy();
      server.close();
    },
  };
}

function openSink(): Endpoint {
  let stream: SecretStream | undefined;
  return {
    port: 0,
    async connect([peer], handlers) {
      stream = new SecretStream(true, dialled(peer?.port ?? 0), { keyPair: SecretStream.keyPair() });
      return [await secured(stream, handlers(0))];
    },
    async close() {
      stream?.destroy();
    },
  };
}

async function secured(stream: SecretStream, handlers: Handlers): Promise<Link> {
  const reader = new ItemReader(handlers);
  stream.on("data", (message) => reader.push(message));
  stream.on("error", () => stream.destroy());
  await stream.opened;
  const coalescer = new Coalescer((batch) => void stream.write(batch));
  return {
    sendBatch: (batch) => void stream.write(batch),
    submit: (item) => coalescer.add(item),
    sendPrivate: (items) => void stream.write(items),
    sendCredit: () => void stream.write(CREDIT),
  };
}

async function openAnswerer(): Promise<Shaker> {
  const keyPair = SecretStream.keyPair();
  const server = createServer({ noDelay: true }, (socket) => {
    const stream = new SecretStream(false, socket, { keyPair });
    stream.on("data", () => undefined);
    stream.on("error", () => stream.destroy());
    stream.opened.then(
      () => stream.write(CREDIT),
      () => stream.destroy(),
    );
  });
  await listening(server, HOST);
  return {
    port: portOf(server),
    shake: () => Promise.reject(new Error("this side answers")),
    close: async () => void server.close(),
  };
}

function openDialler(): Shaker {
  const keyPair = SecretStream.keyPair();
  return {
    port: 0,
    shake: ({ port }) =>
      new Promise((resolve, reject) => {
        const stream = new SecretStream(true, dialled(port), { keyPair });
        stream.on("error", reject);
        stream.on("data", () => {
          stream.destroy();
          resolve();
        });
      }),
    close: async () => undefined,
  };
}

function dialled(port: number): Socket {
  const options = { host: HOST, port, noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES };
  return dial(options);
}
