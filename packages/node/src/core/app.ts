/**
 * What a user of the node writes: an application, as endpoints over transactional maps. A handler is a pure function of the
 * transaction and the request; it runs on the primary alone, and what travels to the backups is its write set.
 */
import type { Reader, Transaction } from "@sealane/kv";
import { fromUtf8, type TxId } from "@sealane/wire";
import type { z } from "zod";
import { RequestError } from "./errors.js";
import type { KeyHistory } from "./key-history.js";

export interface EndpointRequest<Body> {
  /** The `:name` parts of the path, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** What follows `?`, percent-decoded; the last value wins. */
  readonly query: Readonly<Record<string, string>>;
  readonly body: Body;
  /** DER of the certificate the client gave in TLS, self-signed or not; the host has seen that the client holds its key. */
  readonly callerCertificate?: Uint8Array;
}

export interface EndpointReply {
  /** HTTP status, 200 unless said otherwise. */
  readonly status?: number;
  /** Fields of the JSON answer. A write's answer also gets `txId`, and `status` unless it is given here. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The transaction this answer speaks of, where it is not the one just executed (a repeated write, say). */
  readonly txId?: TxId;
  /**
   * SHA-256 (32 bytes) of what the application claims about a write, in a form of its own: the transaction's receipt proves it to whoever is
   * shown the claims. It stands in the ledger in clear, so claims that could be guessed need a random part. Ignored where nothing is written.
   */
  readonly claimsDigest?: Uint8Array;
}

/**
 * Runs on the primary in a transaction. It is answered once what it wrote, or what it saw, is committed.
 * @throws RequestError to refuse; nothing is written then.
 */
export interface WriteEndpoint<Body> {
  /** The JSON body's schema; without one a body is refused. */
  readonly body?: z.ZodType<Body>;
  handler(tx: Transaction, request: EndpointRequest<Body>): EndpointReply;
}

/**
 * Runs over committed state: on the primary, when it is certain that nothing newer is committed; on the node asked, over what it knows, with
 * `?consistency=serializable`.
 */
export type ReadHandler = (reader: Reader, request: EndpointRequest<undefined>) => EndpointReply;

/**
 * Says whose past a request asks for: every committed change of one key, on any node, a page at a time.
 * @throws RequestError to refuse.
 */
export type HistoryHandler = (request: EndpointRequest<undefined>) => KeyHistory;

export interface App {
  readonly name: string;
  readonly routes: readonly Route[];
  /** Private maps that every client may read the past of. */
  readonly shownMaps: ReadonlySet<string>;
}

export type Route = ReadRoute | WriteRoute | HistoryRoute;

/** What a route matches. */
export interface RoutePattern {
  readonly method: string;
  readonly segments: readonly string[];
}

export interface ReadRoute extends RoutePattern {
  readonly type: "read";
  run(reader: Reader, request: EndpointRequest<Uint8Array>): EndpointReply;
}

export interface HistoryRoute extends RoutePattern {
  readonly type: "history";
  run(request: EndpointRequest<Uint8Array>): KeyHistory;
}

export interface WriteRoute extends RoutePattern {
  readonly type: "write";
  run(tx: Transaction, request: EndpointRequest<Uint8Array>, nowMs: number): EndpointReply;
}

/**
 * Defines an application. Keys are `"METHOD /path/:param"`.
 * @throws {TypeError} when a key has another form, or takes a path the node itself serves (`/node`, `/tx`, `/governance`, `/health`).
 * @example
 * const greetings = map("greetings", { key: utf8Text, value: utf8Text });
 * const app = defineApp({
 *   name: "greetings",
 *   reads: { "GET /greetings/:to": (reader, { params }) => ({ body: { text: reader.map(greetings).get(params.to ?? "") } }) },
 *   writes: {
 *     "PUT /greetings/:to": {
 *       body: z.strictObject({ text: z.string() }),
 *       handler(tx, { params, body }) {
 *         tx.map(greetings).put(params.to ?? "", body.text);
 *         return { body: {} };
 *       },
 *     },
 *   },
 * });
 */
export function defineApp<Bodies extends Record<string, unknown>>(definition: {
  readonly name: string;
  /** Answered with `changes`, `from`, `to` and `next`; `?from=&to=&limit=&order=` say which. `keyHistory` makes most of what they return. */
  readonly histories?: Readonly<Record<string, HistoryHandler>>;
  /**
   * Private maps that stand open to every client in `GET /tx` and `GET /tx/:txId/entry`, all keys and the whole past. Leave out what your handlers
   * let only some read. Public maps always do. Default: none.
   */
  readonly shownMaps?: readonly { readonly name: string }[];
  readonly reads: Readonly<Record<string, ReadHandler>>;
  readonly writes: { readonly [K in keyof Bodies]: WriteEndpoint<Bodies[K]> };
}): App {
  const reads = Object.entries(definition.reads).map(
    ([key, handler]): ReadRoute => ({
      type: "read",
      ...pattern(key, ["GET"]),
      run: (reader, request) => handler(reader, { ...request, body: parseBody(undefined, request.body) }),
    }),
  );
  const writes = Object.entries<WriteEndpoint<Bodies[keyof Bodies]>>(definition.writes).map(
    ([key, { body, handler }]): WriteRoute => ({
      type: "write",
      ...pattern(key, ["PUT", "POST", "PATCH", "DELETE"]),
      run: (tx, request) => handler(tx, { ...request, body: parseBody(body, request.body) }),
    }),
  );
  const histories = Object.entries(definition.histories ?? {}).map(
    ([key, handler]): HistoryRoute => ({
      type: "history",
      ...pattern(key, ["GET"]),
      run: (request) => handler({ ...request, body: parseBody(undefined, request.body) }),
    }),
  );
  return {
    name: definition.name,
    routes: [...reads, ...writes, ...histories],
    shownMaps: new Set(definition.shownMaps?.map(({ name }) => name)),
  };
}

const RESERVED = new Set(["node", "tx", "governance", "health"]);

function pattern(key: string, methods: readonly string[]): RoutePattern {
  const [method = "", path = "", ...rest] = key.split(" ");
  if (!methods.includes(method) || !path.startsWith("/") || rest.length > 0) {
    throw new TypeError(`endpoint "${key}": expected "METHOD /path" with one of ${methods.join(", ")}`);
  }
  const segments = path.slice(1).split("/");
  if (RESERVED.has(segments[0] ?? "")) throw new TypeError(`endpoint "${key}": the node serves this path itself`);
  return { method, segments };
}

/**
 * Finds the route of a request.
 * @throws RequestError `not-found`, `method-not-allowed`, `malformed` (a wrong escape in the path).
 */
export function findRoute<R extends RoutePattern>(
  routes: readonly R[],
  method: string,
  path: string,
): { readonly route: R; readonly params: Readonly<Record<string, string>> } {
  const parts = path.slice(1).split("/");
  let pathExists = false;
  for (const route of routes) {
    const params = matchSegments(route.segments, parts);
    if (params === undefined) continue;
    if (route.method === method) return { route, params };
    pathExists = true;
  }
  if (pathExists) throw new RequestError("method-not-allowed", `This path does not take ${method}.`);
  throw new RequestError("not-found", "This node serves no such path.");
}

/** Takes a request target apart: the path, and what follows `?` by name. */
export function parseTarget(target: string): {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
} {
  const [path = "", search = ""] = target.split("?", 2);
  const pairs = search.split("&").filter((pair) => pair !== "");
  const query = pairs.map((pair) => {
    const [name = "", value = ""] = pair.split("=", 2);
    return [decodePart(name), decodePart(value)] as const;
  });
  return { path, query: Object.fromEntries(query) };
}

function matchSegments(segments: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (segments.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const part = parts[index] ?? "";
    if (!segment.startsWith(":")) {
      if (segment !== part) return undefined;
      continue;
    }
    params[segment.slice(1)] = decodePart(part);
  }
  return params;
}

/** Percent-decodes one part of a path or query. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RequestError("malformed", "The address holds a percent sign that is not part of an escape.");
  }
}

function parseBody<Body>(schema: z.ZodType<Body> | undefined, body: Uint8Array): Body {
  if (schema === undefined) {
    if (body.length > 0) throw new RequestError("malformed", "This request takes no body.");
    return undefined as Body; // without a schema an endpoint declares no body: its Body is undefined or never read
  }
  const result = schema.safeParse(parseJson(body));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? "The body" : `The field "${issue.path.join(".")}"`;
  throw new RequestError("malformed", `${where} does not fit: ${issue?.message ?? "wrong shape"}.`);
}

/** Reads a JSON body; anything else is the caller's mistake. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(body));
  } catch {
    throw new RequestError("malformed", "The body is not JSON in UTF-8.");
  }
}
