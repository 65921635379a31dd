/**
 * TLS 1.3 with certificates on both sides, all of it on P-384 and AES-256-GCM, as our channel is. Two forms: the best, one write per
 * batch; and the simple one most programs have, a write for every item.
 */
import {
  createSecureContext,
  createServer,
  connect as dial,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import {
  type Contestant,
  CREDIT,
  type Endpoint,
  HOST,
  type Link,
  type Shaker,
  SOCKET_BUFFER_BYTES,
} from "./contestant.js";
import type { Identity } from "./identity.js";
import { ItemReader } from "./items.js";
import { Gathering, listening, portOf, streamLink } from "./sockets.js";

interface TlsForm {
  readonly link: (socket: TLSSocket) => Link;
  readonly socketBufferBytes?: number;
  /** Groups of the key exchange. */
  readonly ecdhCurve: string;
  /** Handshakes after the first go on from a ticket: no certificates, no signatures. */
  readonly resumes: boolean;
}

const BEST: TlsForm = {
  link: streamLink,
  socketBufferBytes: SOCKET_BUFFER_BYTES,
  ecdhCurve: "P-384",
  resumes: false,
};

export const tlsBest: Contestant = contestant(BEST);
export const tlsSimple: Contestant = contestant({ link: simpleLink, ecdhCurve: "P-384", resumes: false });
export const tlsX25519: Contestant = contestant({ ...BEST, ecdhCurve: "X25519" });
export const tlsResumed: Contestant = contestant({ ...BEST, resumes: true });

function contestant(form: TlsForm): Contestant {
  return {
    open: (self, role) => (role === "source" ? openSource(self, form) : Promise.resolve(openSink(self, form))),
    openShaker: (self, role) =>
      role === "source" ? openAnswerer(self, form) : Promise.resolve(openDialler(self, form)),
  };
}

async function openSource(self: Identity, form: TlsForm): Promise<Endpoint> {
  const sockets = new Gathering<TLSSocket>();
  const server = createServer({ ...serverOptions(self, form), ...buffer(form) }, (socket) => sockets.put(socket));
  await listening(server, HOST);
  const open: TLSSocket[] = [];
  return {
    port: portOf(server),
    async connect(peers, handlers) {
      open.push(...(await sockets.first(peers.length)));
      return open.map((socket, peer) => {
        const reader = new ItemReader(handlers(peer));
        socket.on("data", (chunk: Uint8Array) => reader.push(chunk));
        socket.on("error", () => socket.destroy());
        return form.link(socket);
      });
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

function openSink(self: Identity, form: TlsForm): Endpoint {
  let socket: TLSSocket | undefined;
  return {
    port: 0,
    connect([peer], handlers) {
      const reader = new ItemReader(handlers(0));
      const options = { ...diallerOptions(self, form), ...buffer(form), host: HOST, port: peer?.port ?? 0 };
      return new Promise((resolve, reject) => {
        const dialled = dial(options, () => resolve([form.link(dialled)]));
        dialled.setNoDelay(true);
        dialled.on("data", (chunk: Uint8Array) => reader.push(chunk));
        dialled.on("error", reject);
        socket = dialled;
      });
    },
    async close() {
      socket?.destroy();
    },
  };
}

/** The server speaks first, once it has checked the client: so the client knows that both sides are done. */
async function openAnswerer(self: Identity, form: TlsForm): Promise<Shaker> {
  const server = createServer(serverOptions(self, form), (socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", () => undefined);
    socket.write(CREDIT);
  });
  await listening(server, HOST);
  return {
    port: portOf(server),
    shake: () => Promise.reject(new Error("this side answers")),
    close: async () => void server.close(),
  };
}

function openDialler(self: Identity, form: TlsForm): Shaker {
  const secureContext = createSecureContext(contextOptions(self, form));
  let session: Uint8Array | undefined;
  return {
    port: 0,
    shake: ({ port }) =>
      new Promise((resolve, reject) => {
        const resumed = form.resumes && session !== undefined ? { session: Buffer.from(session) } : {};
        const socket = dial({ secureContext, host: HOST, port, ...resumed });
        socket.on("session", (ticket: Uint8Array) => {
          session = ticket;
        });
        socket.on("error", reject);
        socket.on("data", () => {
          socket.destroy();
          resolve();
        });
      }),
    close: async () => undefined,
  };
}

function simpleLink(socket: TLSSocket): Link {
  const writeEach = (items: Uint8Array): void => {
    const view = new DataView(items.buffer, items.byteOffset, items.length);
    for (let at = 0; at < items.length; ) {
      const end = at + 4 + view.getUint32(at, true);
      socket.write(items.subarray(at, end));
      at = end;
    }
  };
  return {
    sendBatch: writeEach,
    submit: (item) => void socket.write(item),
    sendPrivate: (items) => void socket.write(items),
    sendCredit: () => void socket.write(CREDIT),
  };
}

function contextOptions(
  { certificate, privateKey, serviceCertificate }: Identity,
  form: TlsForm,
): SecureContextOptions {
  return {
    cert: certificate,
    key: privateKey,
    ca: serviceCertificate,
    minVersion: "TLSv1.3",
    ciphers: "TLS_AES_256_GCM_SHA384",
    sigalgs: "ecdsa_secp384r1_sha384",
    ecdhCurve: form.ecdhCurve,
  };
}

function serverOptions(self: Identity, form: TlsForm) {
  return { ...contextOptions(self, form), requestCert: true, rejectUnauthorized: true, noDelay: true } as const;
}

function diallerOptions(self: Identity, form: TlsForm) {
  return { ...contextOptions(self, form), rejectUnauthorized: true } as const;
}

function buffer({ socketBufferBytes }: TlsForm): { readonly highWaterMark?: number } {
  return socketBufferBytes === undefined ? {} : { highWaterMark: socketBufferBytes };
}
