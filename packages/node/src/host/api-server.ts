/**
 * The HTTPS server of a node: TLS ends here, requests go to the core as bytes. Node's own server is all it needs: there is one handler, and a
 * framework's request and response objects would cost more CPU than the rest of a write.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { TLSSocket } from "node:tls";
import { utf8 } from "@sealane/wire";
import type { Answer } from "../core/answer.js";
import { RequestError } from "../core/errors.js";
import type { ClientRequest } from "../core/types.js";
import { NodeError } from "./errors.js";
import type { FileAnswer } from "./snapshot-endpoint.js";

/** Room for a record of 1 MiB and the JSON around it. */
const BODY_BYTES_MAX = 1_048_576 + 4_096;
const CONNECTIONS_MAX = 1_024;
/** A request must have arrived in full after this many ms. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;
/** A client that takes nothing of an answer for this many ms is cut off, where the answer is more than the system buffers anyway. */
const SEND_TIMEOUT_MS = 30_000;
const LONG_ANSWER_BYTES = 64 * 1024;
/** What a path may hold: what is printable in ASCII, without the space. */
const Target = /^\/[!-~]{0,4095}$/;
const HEALTHY = utf8('{"status":"ok"}');

/** What was asked, as far as anything here looks at it. */
export interface ApiRequest extends Omit<ClientRequest, "id"> {
  /** The header of that name. */
  readonly range?: string | undefined;
}

/** @param gone - Aborted when the client goes away before it is answered; given for requests that only read. */
export type ApiHandler = (request: ApiRequest, gone?: AbortSignal) => Promise<Answer | FileAnswer>;

export interface TlsIdentity {
  /** PEM. */
  readonly certificate: string;
  /** PEM; never leaves this process. */
  readonly privateKey: string;
}

export class ApiServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws NodeError `address-in-use`, `bad-address`. */
  static async listen(
    address: { readonly host: string; readonly port: number },
    identity: TlsIdentity,
    handler: ApiHandler,
    sendTimeoutMs = SEND_TIMEOUT_MS,
  ): Promise<ApiServer> {
    const server = createServer(
      {
        ...secureContext(identity),
        // A joiner shows a certificate of its own making; what it is worth is decided by the core, not by TLS.
        requestCert: true,
        rejectUnauthorized: false,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      (incoming, response) => void serve(incoming, response, handler, sendTimeoutMs),
    );
    server.maxConnections = CONNECTIONS_MAX;
    await listening(server, address);
    return new ApiServer(server);
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  }

  /** Takes on another certificate; connections that are open keep theirs. */
  setIdentity(identity: TlsIdentity): void {
    this.#server.setSecureContext(secureContext(identity));
  }

  /** Stops listening, lets requests under way finish, and cuts what is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }
}

/** Answers one request, whatever happens. A client that goes away takes its answer with it. */
async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  handler: ApiHandler,
  sendTimeoutMs: number,
): Promise<void> {
  try {
    const gone = incoming.method === "GET" ? goneSignal(response) : undefined;
    const given = await answer(incoming, handler, gone);
    if ("pieces" in given) await sendFile(response, given);
    else send(response, given, sendTimeoutMs);
  } catch (error) {
    send(response, refusal(error instanceof RequestError ? error : FAILED), sendTimeoutMs);
    // What is left of a body that was refused is dropped as it comes, within the time a request may take: if the connection were cut
    // instead, the client would lose the answer.
    incoming.resume();
  }
}

const FAILED = new RequestError("internal", "This node failed on the request.");

/** Aborted when the connection ends before the answer is out. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableEnded) gone.abort();
  });
  return gone.signal;
}

async function answer(
  incoming: IncomingMessage,
  handler: ApiHandler,
  gone: AbortSignal | undefined,
): Promise<Answer | FileAnswer> {
  const { method = "", url = "" } = incoming;
  if (!Target.test(url)) throw new RequestError("malformed", "The address is too long, or holds other than ASCII.");
  if (method === "GET" && url === "/health") return { status: 200, body: HEALTHY };
  const body = await readBody(incoming);
  const certificate = incoming.socket instanceof TLSSocket ? incoming.socket.getPeerX509Certificate() : undefined;
  const caller = certificate === undefined ? {} : { callerCertificate: new Uint8Array(certificate.raw) };
  return handler({ method, path: url, body, range: incoming.headers.range, ...caller }, gone);
}

/** By events: an iterator over the stream costs a request several times as much. @throws RequestError `too-large`. */
function readBody(incoming: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const refuse = (): void => reject(new RequestError("too-large", "A request's body holds at most 1 MiB."));
    if (Number(incoming.headers["content-length"] ?? 0) > BODY_BYTES_MAX) {
      refuse();
      return;
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    incoming.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
      else refuse();
    });
    incoming.on("end", () => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
    });
    incoming.on("error", reject); // also when the client goes away in the middle
  });
}

/** A file that cannot be read to its end, or a client that takes too long, ends the connection: the length that was promised tells. */
async function sendFile(response: ServerResponse, { status, headers, bytes, pieces, timeoutMs, done }: FileAnswer) {
  try {
    response.writeHead(status, { ...headers, "content-length": bytes });
    await pipeline(Readable.from(pieces), response, { signal: AbortSignal.timeout(timeoutMs) });
  } catch {
    response.destroy();
  } finally {
    done();
  }
}

function send(
  response: ServerResponse,
  { status, body, contentType, location, headers }: Answer,
  sendTimeoutMs: number,
): void {
  if (response.headersSent || response.destroyed) return;
  // One that reads nothing of a long answer must not hold it in memory for ever.
  if (body.length > LONG_ANSWER_BYTES) response.setTimeout(sendTimeoutMs, () => response.destroy());
  response.writeHead(status, {
    ...headers,
    "content-type": contentType ?? "application/json",
    "content-length": body.length,
    ...(location === undefined ? {} : { location }),
  });
  response.end(body);
}

export function refusal(error: RequestError): Answer {
  return { status: error.status, body: utf8(JSON.stringify(error.answer)) };
}

function secureContext({ certificate, privateKey }: TlsIdentity) {
  return { key: privateKey, cert: certificate, minVersion: "TLSv1.3" } as const;
}

function listening(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const taken = "code" in cause && cause.code === "EADDRINUSE";
      const message = taken
        ? `Port ${port} of ${host} is taken.`
        : `Cannot listen on ${host}:${port}: ${cause.message}.`;
      reject(new NodeError(taken ? "address-in-use" : "bad-address", message, { cause }));
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      server.on("error", () => {}); // after listening only single connections fail, and those end by themselves
      resolve();
    });
  });
}
