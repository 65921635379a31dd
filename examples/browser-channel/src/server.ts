/**
 * The Node process of the example, on the loopback address: serves the page, endorses the key of whoever opens it, and is the other end of
 * its channel over a WebSocket. Other web sites in the same browser are kept out: requests must name this server in `Host`, and those
 * that come from a page must come from ours (`Origin`).
 */
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { extname, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type ServerType, serve } from "@hono/node-server";
import { CryptoError, type CryptoSuite, createServiceIdentity } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { base64, fromBase64, type NodeId, WireError } from "@sealane/wire";
import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { CHANNEL_PATH, ENDORSEMENTS_PATH, type EndorsementAnswer, textField } from "./bridge-messages.js";
import { ChannelEnd, FRAME_BYTES_MAX } from "./channel-end.js";
import { aroundNow, endorseNode, nodeIdOf } from "./identity.js";

const LOOPBACK = "127.0.0.1";
const PAGE_DIR = fileURLToPath(new URL("../dist/page/", import.meta.url));
const BODY_BYTES_MAX = 4 * 1024;
const PAGES_MAX = 16;
/** A page that has left stays known until this many have come after it. */
const ENDORSED_MAX = 64;
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

export interface BridgeServer {
  readonly url: string;
  close(): Promise<void>;
}

/** @param port - 0 for any. @throws when the port is taken or the page has not been built. */
export async function serveBridge(port: number, suite: CryptoSuite = nativeSuite): Promise<BridgeServer> {
  await readFile(`${PAGE_DIR}index.html`);
  const bridge = new Bridge(suite);
  return new Promise((resolve, reject) => {
    let app = new Hono();
    const server = serve({ fetch: (request) => app.fetch(request), hostname: LOOPBACK, port }, (info) => {
      const hosts = new Set([`${LOOPBACK}:${info.port}`, `localhost:${info.port}`]);
      app = pageApp(bridge, hosts);
      acceptChannels(server, bridge, hosts);
      resolve({
        url: `http://${LOOPBACK}:${info.port}/`,
        close: () => {
          bridge.close();
          return closeServer(server);
        },
      });
    });
    server.once("error", reject);
  });
}

/** The service, this process as its one node, and the pages it has endorsed. */
class Bridge {
  readonly #suite: CryptoSuite;
  readonly #service;
  readonly #keyPair;
  readonly #certificate: Uint8Array;
  readonly #endorsed = new Set<NodeId>();
  readonly #sockets = new Set<WebSocket>();

  constructor(suite: CryptoSuite) {
    this.#suite = suite;
    this.#service = createServiceIdentity(suite, { name: "Example service", ...aroundNow() });
    this.#keyPair = suite.generateKeyPair("P-384");
    this.#certificate = endorseNode(suite, this.#service, this.#keyPair.publicKey.spki);
  }

  /** @throws {CryptoError | WireError} when it is no public key. */
  endorse(publicKey: string): EndorsementAnswer {
    const spki = fromBase64(publicKey);
    const certificate = endorseNode(this.#suite, this.#service, spki);
    this.#endorsed.add(nodeIdOf(this.#suite, { publicKey: this.#suite.importPublicKey(spki) }));
    for (const oldest of this.#endorsed) {
      if (this.#endorsed.size <= ENDORSED_MAX) break;
      this.#endorsed.delete(oldest);
    }
    return {
      certificate: base64(certificate),
      serviceCertificate: base64(this.#service.certificate),
      peer: nodeIdOf(this.#suite, this.#keyPair),
    };
  }

  /** The endorsed node of that id, while there is room for one more page. */
  admit(id: string): NodeId | undefined {
    return this.#sockets.size < PAGES_MAX ? [...this.#endorsed].find((each) => each === id) : undefined;
  }

  attach(socket: WebSocket, peer: NodeId): void {
    this.#sockets.add(socket);
    const end = new ChannelEnd({
      suite: this.#suite,
      keyPair: this.#keyPair,
      endorsement: { certificate: this.#certificate, serviceCertificate: this.#service.certificate, peer },
      send: (frame) => socket.send(frame),
      observe: (event) => socket.send(JSON.stringify(event)),
    });
    socket.on("message", (data, isBinary) => {
      if (isBinary) end.receive(bytesOf(data));
      else pingAsTold(end, socket, bytesOf(data));
    });
    socket.on("error", () => socket.terminate());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      end.close();
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }
}

function pingAsTold(end: ChannelEnd, socket: WebSocket, data: Uint8Array): void {
  try {
    end.ping(textField(JSON.parse(new TextDecoder().decode(data)), "ping"));
  } catch {
    socket.close(1008, "not a command");
  }
}

function pageApp(bridge: Bridge, hosts: ReadonlySet<string>): Hono {
  const app = new Hono();
  app.use(guard(hosts));
  app.use(ENDORSEMENTS_PATH, bodyLimit({ maxSize: BODY_BYTES_MAX }));
  app.post(ENDORSEMENTS_PATH, async (c) => {
    try {
      return c.json(bridge.endorse(textField(await c.req.json(), "publicKey")));
    } catch (error) {
      const code = error instanceof CryptoError || error instanceof WireError ? error.code : "malformed";
      return c.json({ error: `This is no public key: ${code}.` }, 400);
    }
  });
  app.get("/*", async (c) => {
    const path = c.req.path === "/" ? "index.html" : c.req.path.slice(1);
    const file = normalize(PAGE_DIR + path);
    const type = CONTENT_TYPES[extname(file)];
    const content = file.startsWith(PAGE_DIR) && type !== undefined ? await readFile(file).catch(() => null) : null;
    if (content === null || type === undefined) return c.text("There is nothing here.", 404);
    return c.body(Uint8Array.from(content), 200, { "content-type": type });
  });
  return app;
}

function guard(hosts: ReadonlySet<string>): MiddlewareHandler {
  return async (c, next) => {
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
    if (!isOurs(hosts, c.req.header("host"), c.req.header("origin"))) return c.text("Not for you.", 403);
    await next();
    return undefined;
  };
}

function isOurs(hosts: ReadonlySet<string>, host: string | undefined, origin: string | undefined): boolean {
  return host !== undefined && hosts.has(host) && (origin === undefined || origin === `http://${host}`);
}

function acceptChannels(server: ServerType, bridge: Bridge, hosts: ReadonlySet<string>): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX });
  server.on("upgrade", (request: IncomingMessage, socket, head) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const peer = url.pathname === CHANNEL_PATH ? bridge.admit(url.searchParams.get("node") ?? "") : undefined;
    if (peer === undefined || !isOurs(hosts, request.headers.host, request.headers.origin)) {
      socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => bridge.attach(accepted, peer));
  });
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Uint8Array.from(Buffer.concat(data));
  return new Uint8Array(data);
}

function closeServer(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
}
