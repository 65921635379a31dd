/**
 * `@chainsafe/libp2p-noise`: Noise XX over Ed25519 identities, ChaCha20-Poly1305 messages of up to 64 KiB. It is given a message stream straight
 * over a socket, without the muxer and the negotiation that libp2p puts around it.
 */
import { createServer, connect as dial, type Socket } from "node:net";
import { noise } from "@chainsafe/libp2p-noise";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { defaultLogger } from "@libp2p/logger";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { AbstractMessageStream, type SendResult } from "@libp2p/utils";
import {
  type Contestant,
  CREDIT,
  type Endpoint,
  type Handlers,
  HOST,
  type Link,
  type Role,
  type Shaker,
  SOCKET_BUFFER_BYTES,
} from "./contestant.js";
import { Coalescer, ItemReader } from "./items.js";
import { Gathering, listening, portOf } from "./sockets.js";

type Bytes = Parameters<AbstractMessageStream["onData"]>[0];

/** The part of a secured connection that is used here. */
interface Secured {
  send(bytes: Uint8Array): boolean;
  addEventListener(type: "message", listener: (event: { readonly data: Bytes }) => void): void;
}

type Secure = (socket: Socket, role: Role) => Promise<Secured>;

const logger = defaultLogger();

export const libp2pNoise: Contestant = {
  async open(_self, role) {
    const secure = await makeSecure();
    return role === "source" ? openSource(secure) : openSink(secure);
  },
  async openShaker(_self, role) {
    const secure = await makeSecure();
    return role === "source" ? openAnswerer(secure) : openDialler(secure);
  },
};

/** The library needs what Node has from version 22 on. */
function fillInWithResolvers(): void {
  if ("withResolvers" in Promise) return;
  Object.defineProperty(Promise, "withResolvers", {
    value: () => {
      let [resolve, reject]: [unknown, unknown] = [undefined, undefined];
      const promise = new Promise((onResolve, onReject) => {
        [resolve, reject] = [onResolve, onReject];
      });
      return { promise, resolve, reject };
    },
  });
}

async function makeSecure(): Promise<Secure> {
  fillInWithResolvers();
  const privateKey = await generateKeyPair("Ed25519");
  const upgrader = { getStreamMuxers: () => new Map() };
  const components = { privateKey, peerId: peerIdFromPrivateKey(privateKey), logger, upgrader };
  // The upgrader is asked for its muxers alone, and there are none.
  const encrypter = noise()(components as unknown as Parameters<ReturnType<typeof noise>>[0]);
  return async (socket, role) => {
    const stream = new SocketStream(socket, role);
    const options = { skipStreamMuxerNegotiation: true };
    const { connection } = await (role === "source"
      ? encrypter.secureInbound(stream, options)
      : encrypter.secureOutbound(stream, options));
    return connection;
  };
}

/** A message stream straight over a socket: vectored writes, data handed on as it comes. */
class SocketStream extends AbstractMessageStream {
  readonly #socket: Socket;

  constructor(socket: Socket, role: Role) {
    super({ log: logger.forComponent("bench"), direction: role === "source" ? "inbound" : "outbound" });
    this.#socket = socket;
    socket.on("data", (chunk) => this.onData(chunk));
    socket.on("drain", () => this.safeDispatchEvent("drain"));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.onTransportClosed());
  }

  override sendData(list: Exclude<Bytes, Uint8Array>): SendResult {
    const sentBytes = list.byteLength;
    this.#socket.cork();
    for (const chunk of list) this.#socket.write(chunk);
    this.#socket.uncork();
    return { sentBytes, canSendMore: !this.#socket.writableNeedDrain };
  }

  override sendReset(): void {
    this.#socket.destroy();
  }

  override sendPause(): void {
    this.#socket.pause();
  }

  override sendResume(): void {
    this.#socket.resume();
  }

  override async close(): Promise<void> {
    this.#socket.end();
  }
}

async function openSource(secure: Secure): Promise<Endpoint> {
  const sockets = new Gathering<Socket>();
  const options = { noDelay: true, pauseOnConnect: true, highWaterMark: SOCKET_BUFFER_BYTES };
  const server = createServer(options, (socket) => sockets.put(socket));
  await listening(server, HOST);
  let open: readonly Socket[] = [];
  return {
    port: portOf(server),
    async connect(peers, handlers) {
      open = await sockets.first(peers.length);
      return Promise.all(
        open.map(async (socket, peer) => {
          socket.resume();
          return linkOver(await secure(socket, "source"), handlers(peer));
        }),
      );
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

function openSink(secure: Secure): Endpoint {
  let socket: Socket | undefined;
  return {
    port: 0,
    async connect([peer], handlers) {
      socket = dialled(peer?.port ?? 0);
      return [linkOver(await secure(socket, "sink"), handlers(0))];
    },
    async close() {
      socket?.destroy();
    },
  };
}

function linkOver(secured: Secured, handlers: Handlers): Link {
  const reader = new ItemReader(handlers);
  secured.addEventListener("message", ({ data }) => {
    if (data instanceof Uint8Array) reader.push(data);
    else for (const chunk of data) reader.push(chunk);
  });
  const coalescer = new Coalescer((batch) => void secured.send(batch));
  return {
    sendBatch: (batch) => void secured.send(batch),
    submit: (item) => coalescer.add(item),
    sendPrivate: (items) => void secured.send(items),
    sendCredit: () => void secured.send(CREDIT),
  };
}

async function openAnswerer(secure: Secure): Promise<Shaker> {
  const server = createServer({ noDelay: true }, (socket) => {
    secure(socket, "source").then(
      (secured) => secured.send(CREDIT),
      () => socket.destroy(),
    );
  });
  await listening(server, HOST);
  return {
    port: portOf(server),
    shake: () => Promise.reject(new Error("this side answers")),
    close: async () => void server.close(),
  };
}

function openDialler(secure: Secure): Shaker {
  return {
    port: 0,
    async shake({ port }) {
      const socket = dialled(port);
      const secured = await secure(socket, "sink");
      await new Promise<void>((resolve) => secured.addEventListener("message", () => resolve()));
      socket.destroy();
    },
    close: async () => undefined,
  };
}

function dialled(port: number): Socket {
  const options = { host: HOST, port, noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES };
  return dial(options);
}
