/** The HTTPS server of a node: TLS ends here, requests go to the core as bytes. */
import { createServer, type Server } from "node:https";
import { TLSSocket } from "node:tls";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { ErrorAnswer } from "@sealane/wire";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { RequestError } from "../core/errors.js";
import type { ClientRequest } from "../core/types.js";
import { NodeError } from "./errors.js";

/** Room for a record of 1 MiB and the JSON around it. */
const BODY_BYTES_MAX = 1_048_576 + 4_096;
const CONNECTIONS_MAX = 1_024;
/** A request must have arrived in full after this many ms. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;
/** What a path may hold: what is printable in ASCII, without the space. */
const Target = /^\/[!-~]{0,4095}$/;

export interface ApiAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  readonly location?: string;
}

export type ApiHandler = (request: Omit<ClientRequest, "id">) => Promise<ApiAnswer>;

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
  ): Promise<ApiServer> {
    const server = createServer(
      {
        key: identity.privateKey,
        cert: identity.certificate,
        minVersion: "TLSv1.3",
        // A joiner shows a certificate of its own making; what it is worth is decided by the core, not by TLS.
        requestCert: true,
        rejectUnauthorized: false,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      getRequestListener(routes(handler).fetch),
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
    this.#server.setSecureContext({ key: identity.privateKey, cert: identity.certificate, minVersion: "TLSv1.3" });
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

function routes(handler: ApiHandler): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: (context) => context.json(refusal("too-large", "A request's body holds at most 1 MiB."), 413),
    }),
  );
  app.get("/health", (context) => context.json({ status: "ok" }));
  app.all("*", async (context) => {
    const { incoming } = context.env;
    const target = incoming.url ?? "";
    if (!Target.test(target))
      return context.json(refusal("malformed", "The address is too long or holds other than ASCII."), 400);
    const certificate = incoming.socket instanceof TLSSocket ? incoming.socket.getPeerX509Certificate() : undefined;
    const answer = await handler({
      method: context.req.method,
      path: target,
      body: new Uint8Array(await context.req.arrayBuffer()),
      ...(certificate === undefined ? {} : { callerCertificate: new Uint8Array(certificate.raw) }),
    });
    const headers = new Headers({ "content-type": "application/json" });
    if (answer.location !== undefined) headers.set("location", answer.location);
    return new Response(answer.body as Uint8Array<ArrayBuffer>, { status: answer.status, headers }); // the core allocates it itself
  });
  app.onError((_error, context) => context.json(refusal("internal", "This node failed on the request."), 500));
  return app;
}

function refusal(code: "too-large" | "malformed" | "internal", message: string): ErrorAnswer {
  return new RequestError(code, message).answer;
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
