/**
 * The page and its buttons, on the loopback address only. Whoever can open a socket there may press every button, as with any
 * local development server; what is kept out is other web sites in the same browser: a request must name this server in `Host`
 * (no DNS rebinding), and one that changes something must come from this page (`Origin`) and carry JSON.
 */
import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type ServerType, serve } from "@hono/node-server";
import { type Seqno, seqno } from "@sealane/wire";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { streamSSE } from "hono/streaming";
import { DemoError, sentence, systemCode } from "./errors.js";
import type { ActionError, ClusterView, NodeAction, WriteView } from "./feed.js";
import type { Backlog } from "./hub.js";
import type { LedgerPageView, OpenedEntryView, ReceiptView } from "./ledger-feed.js";
import { PAGE_ENTRIES_MAX } from "./ledger-feed.js";
import { LOOPBACK } from "./ports.js";

/** Built by vite; the same place whether this file runs built or from its source. */
const PAGE_DIR = fileURLToPath(new URL("../dist/page/", import.meta.url));
const BODY_BYTES_MAX = 64 * 1024;
/** A comment line that keeps the stream alive when nothing happens. */
const PING_EVERY_MS = 15_000;
const RECORD_KEY = /^[A-Za-z0-9._~-]{1,256}$/;
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  map: "application/json",
};
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** What the buttons do. Each rejects with one sentence for the person who pressed. */
export interface DemoControl {
  view(): ClusterView;
  /** undefined: too many pages are open. */
  openFeed(): Backlog | undefined;
  closeFeed(backlog: Backlog): void;
  /** undefined: too many writes are under way. */
  write(via: number, key: string, value: unknown): WriteView | undefined;
  act(node: number, action: NodeAction): Promise<void>;
  setLink(a: number, b: number, cut: boolean): void;
  ledgerPage(node: number, from: number, count: number): Promise<LedgerPageView>;
  openedEntry(node: number, seqno: Seqno): Promise<OpenedEntryView>;
  receipt(node: number, seqno: Seqno): Promise<ReceiptView>;
}

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

/** @throws {DemoError} when the port is taken or the page has not been built. */
export async function servePage(control: DemoControl, port: number): Promise<PageServer> {
  await readFile(join(PAGE_DIR, "index.html")).catch(() => {
    throw new DemoError("the page is not built yet: run pnpm build first");
  });
  return new Promise((resolve, reject) => {
    let app = new Hono();
    const server: ServerType = serve(
      { fetch: (request, env) => app.fetch(request, env), hostname: LOOPBACK, port, autoCleanupIncoming: true },
      (info) => {
        app = pageApp(control, info.port);
        resolve({ url: `http://${LOOPBACK}:${info.port}/`, close: () => closeServer(server) });
      },
    );
    server.once("error", (error) => {
      const why =
        systemCode(error) === "EADDRINUSE"
          ? "is taken: choose another with --port"
          : `cannot be opened (${error.message})`;
      reject(new DemoError(`port ${port} ${why}`, { cause: error }));
    });
  });
}

/** The routes alone, for tests that need no socket. */
export function pageApp(control: DemoControl, port: number): Hono {
  const app = new Hono();
  app.use(guard(port));
  app.use(
    "/api/*",
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: (c) => refuse(c, 413, `The body is above ${BODY_BYTES_MAX} bytes.`),
    }),
  );

  app.get("/events", (c) => {
    const backlog = control.openFeed();
    if (backlog === undefined) return refuse(c, 503, "Too many pages are open.");
    return streamSSE(c, async (stream) => {
      stream.onAbort(() => control.closeFeed(backlog));
      while (!stream.aborted && !stream.closed) {
        // Each write waits until the one before has left, so a slow page is served from its bounded backlog only.
        for (const { event, data } of backlog.take()) await stream.writeSSE({ event, data: JSON.stringify(data) });
        const before = Date.now();
        await backlog.wait(PING_EVERY_MS);
        if (Date.now() - before >= PING_EVERY_MS) await stream.write(": still here\n\n");
      }
    });
  });

  app.get("/api/cluster", (c) => c.json(control.view()));

  app.post("/api/writes", async (c) => {
    const body = await jsonObject(c);
    if (body === undefined) return refuse(c, 400, "The body is not a JSON object.");
    const { via, key, value } = body;
    if (!isIndex(via, control)) return refuse(c, 400, "`via` is not the number of a node.");
    if (typeof key !== "string" || !RECORD_KEY.test(key)) {
      return refuse(c, 400, "A key has 1 to 256 of the characters A–Z a–z 0–9 . _ ~ -");
    }
    if (value === undefined) return refuse(c, 400, "`value` is missing.");
    const write = control.write(via, key, value);
    return write === undefined
      ? refuse(c, 429, "Too many writes are under way: wait for one to end.")
      : c.json(write, 202);
  });

  app.post("/api/nodes/:index/:action", async (c) => {
    const index = Number(c.req.param("index"));
    const action = c.req.param("action");
    if (!isIndex(index, control)) return refuse(c, 404, "There is no such node.");
    if (action !== "stop" && action !== "kill" && action !== "restart")
      return refuse(c, 404, "There is no such action.");
    await control.act(index, action);
    return c.json({ ok: true });
  });

  app.post("/api/links", async (c) => {
    const body = await jsonObject(c);
    if (body === undefined) return refuse(c, 400, "The body is not a JSON object.");
    const { a, b, cut } = body;
    if (!isIndex(a, control) || !isIndex(b, control) || a === b)
      return refuse(c, 400, "`a` and `b` are not two nodes.");
    if (typeof cut !== "boolean") return refuse(c, 400, "`cut` is neither true nor false.");
    control.setLink(a, b, cut);
    return c.json({ ok: true });
  });

  addLedgerRoutes(app, control);

  app.get("/*", (c) => servePageFile(c));
  app.notFound((c) => refuse(c, 404, "There is nothing here."));
  app.onError((error, c) =>
    error instanceof DemoError
      ? refuse(c, 409, sentence(error))
      : refuse(c, 500, `The demo failed: ${sentence(error)}`),
  );
  return app;
}

/** What the ledger explorer reads. Nothing here changes anything. */
function addLedgerRoutes(app: Hono, control: DemoControl): void {
  app.get("/api/nodes/:index/ledger", async (c) => {
    const index = wholeNumber(c.req.param("index"));
    const from = wholeNumber(c.req.query("from") ?? "1");
    const count = wholeNumber(c.req.query("count") ?? String(PAGE_ENTRIES_MAX));
    if (!isIndex(index, control)) return refuse(c, 404, "There is no such node.");
    if (from === undefined || from < 1) return refuse(c, 400, "`from` is not a seqno.");
    if (count === undefined || count < 1 || count > PAGE_ENTRIES_MAX)
      return refuse(c, 400, `\`count\` is not a number from 1 to ${PAGE_ENTRIES_MAX}.`);
    return c.json(await control.ledgerPage(index, from, count));
  });

  app.get("/api/nodes/:index/ledger/:seqno/:what", async (c) => {
    const index = wholeNumber(c.req.param("index"));
    const at = wholeNumber(c.req.param("seqno"));
    const what = c.req.param("what");
    if (!isIndex(index, control)) return refuse(c, 404, "There is no such node.");
    if (at === undefined || at < 1) return refuse(c, 400, "That is not a seqno.");
    if (what === "private") return c.json(await control.openedEntry(index, seqno(at)));
    if (what === "receipt") return c.json(await control.receipt(index, seqno(at)));
    return refuse(c, 404, "There is nothing here.");
  });
}

function wholeNumber(text: string): number | undefined {
  const value = Number(text);
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

function guard(port: number): MiddlewareHandler {
  const hosts = new Set([`${LOOPBACK}:${port}`, `localhost:${port}`]);
  if (port === 80) for (const host of [LOOPBACK, "localhost"]) hosts.add(host);
  return async (c, next) => {
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
    const host = c.req.header("host") ?? "";
    if (!hosts.has(host)) return refuse(c, 403, "This server answers on its loopback address only.");
    if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      const origin = c.req.header("origin");
      if (origin !== undefined && origin !== `http://${host}`)
        return refuse(c, 403, "Another site may not press these buttons.");
      // Without an Origin it is no browser of today; a form post from an old one cannot carry this type.
      if (c.req.header("content-type")?.split(";")[0]?.trim() !== "application/json")
        return refuse(c, 415, "Send application/json.");
    }
    await next();
    return undefined;
  };
}

async function servePageFile(c: Context): Promise<Response> {
  try {
    const path = c.req.path === "/" ? "index.html" : decodeURIComponent(c.req.path).slice(1);
    const file = normalize(join(PAGE_DIR, path));
    const type = CONTENT_TYPES[file.slice(file.lastIndexOf(".") + 1)];
    if (!file.startsWith(PAGE_DIR) || type === undefined) return refuse(c, 404, "There is nothing here.");
    return c.body(Uint8Array.from(await readFile(file)), 200, { "content-type": type });
  } catch {
    // Not a file, or not even a path (`/%`): the same answer for both.
    return refuse(c, 404, "There is nothing here.");
  }
}

async function jsonObject(c: Context): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const body: unknown = await c.req.json();
    // An object without its array cousins: its fields are unknown and each is checked by the caller.
    return typeof body === "object" && body !== null && !Array.isArray(body)
      ? (body as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isIndex(value: unknown, control: DemoControl): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < control.view().nodes.length;
}

function refuse(c: Context, status: 400 | 403 | 404 | 409 | 413 | 415 | 429 | 500 | 503, error: string): Response {
  return c.json({ error } satisfies ActionError, status);
}

function closeServer(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
}
