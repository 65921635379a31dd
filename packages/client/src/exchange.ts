/**
 * One request until it is answered: attempt, fail over to the next node, back off, and so on until the deadline.
 *
 * Every request of the API may be repeated: reads change nothing, the same value under the same key is written once, and a ballot
 * counts once for its member. That is why a broken connection, after which nobody knows whether the request arrived, is retried.
 */
import { parseErrorAnswer, parseJson, parseNetworkState, utf8, WireError } from "@sealane/wire";
import { backoffMs } from "./backoff.js";
import { ClientError } from "./errors.js";
import type { Clock } from "./platform.js";
import { sleep, throwIfAborted, within } from "./wait.js";

/** The service is asked for its nodes this often, in milliseconds, and after every failure. */
const FOLLOW_EVERY_MS = 30_000;
const LEARN_TIMEOUT_MS = 5_000;
/** Nodes a client fails over between, learned ones included. */
const ORIGINS_MAX = 128;

/** What the client needs of a `fetch`: the global one and undici's both fit. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly redirect: "error";
}

export interface FetchAnswer {
  readonly status: number;
  text(): Promise<string>;
  /** For receipts in COSE, which are no text. Every real `fetch` has it. */
  arrayBuffer?(): Promise<ArrayBuffer>;
}

/** One question to a service. */
export interface Question<T> {
  readonly method: "GET" | "PUT" | "POST";
  /** Begins with a slash. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** What a 2xx answer holds. Default `json`. */
  readonly holds?: "json" | "bytes";
  /** Reads the body of a 2xx answer: its value, or its bytes; throws WireError. */
  readonly parse: (value: unknown) => T;
}

/** How long a question may take, and who may end it earlier. */
export interface Deadline {
  readonly atMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface ExchangeConfig {
  /** Origins, such as "https://127.0.0.1:8001". At least one. */
  readonly origins: readonly string[];
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly attemptTimeoutMs: number;
  readonly isFatal: (error: unknown) => boolean;
  /** Whether to learn further origins from the service. */
  readonly follow: boolean;
}

export class Exchange {
  readonly #config: ExchangeConfig;
  /** Those of the configuration first, then those learned. */
  #origins: readonly string[];
  /** The node that answered last; the next question goes there first. */
  #preferred: string;
  /** When the service was last asked for its nodes; `undefined` when that is due. */
  #learnedAtMs: number | undefined;

  constructor(config: ExchangeConfig) {
    this.#config = config;
    this.#origins = config.origins;
    this.#preferred = config.origins[0] ?? "";
  }

  /**
   * @throws {ClientError} the first failure that is not retryable; `not-held` once every node has answered so; at the deadline the last reason a node gave, or else the last
   *   failure.
   */
  async ask<T>(question: Question<T>, deadline: Deadline): Promise<T> {
    const { clock, random } = this.#config;
    let reason: ClientError | undefined;
    let notHeldBy = 0;
    for (let attempt = 0; ; attempt += 1) {
      throwIfAborted(deadline.signal);
      const origin = this.#preferred;
      try {
        const answer = await this.#attempt(question, origin, deadline);
        if (this.#config.follow) void this.#learn(origin);
        return answer;
      } catch (error) {
        if (!(error instanceof ClientError) || !error.retryable) throw error;
        // What no node holds any more does not come back: once all have said so there is nothing to wait for.
        notHeldBy = error.code === "not-held" ? notHeldBy + 1 : 0;
        if (notHeldBy >= this.#origins.length) throw error;
        // An attempt that the deadline cut short says less than the answer before it.
        if (reason === undefined || error.code !== "timeout" || error.status !== undefined) reason = error;
        // Concurrent questions that failed at one node move on from it together, not once each.
        if (this.#preferred === origin) this.#preferred = this.#after(origin);
        this.#learnedAtMs = undefined;
        // Each node gets its chance at once; only after all have failed is it worth waiting.
        const nodes = this.#origins.length;
        const roundIsOver = (attempt + 1) % nodes === 0;
        const round = Math.floor(attempt / nodes);
        const waitMs = roundIsOver ? backoffMs(round, random()) : 0;
        if (clock.nowMs() + waitMs >= deadline.atMs) throw reason;
        if (waitMs > 0) await sleep(clock, waitMs, deadline.signal);
      }
    }
  }

  #after(origin: string): string {
    return this.#origins[(this.#origins.indexOf(origin) + 1) % this.#origins.length] ?? origin;
  }

  /**
   * Asks the node that has just answered where the service's nodes are: once a failure has shown that they may have changed, and now and then
   * while all goes well, so that a client outlives every node it was given. What comes of it never matters to the question at hand.
   */
  async #learn(origin: string): Promise<void> {
    const { clock, origins } = this.#config;
    const nowMs = clock.nowMs();
    if (this.#learnedAtMs !== undefined && nowMs - this.#learnedAtMs < FOLLOW_EVERY_MS) return;
    this.#learnedAtMs = nowMs;
    const question = { method: "GET", path: "/node/network", parse: parseNetworkState } as const;
    try {
      const { nodes } = await this.#attempt(question, origin, { atMs: nowMs + LEARN_TIMEOUT_MS, signal: undefined });
      const trusted = nodes
        .filter(({ status }) => status === "trusted")
        .map(({ apiAddress }) => `https://${apiAddress}`);
      this.#origins = [...new Set([...origins, ...trusted])].slice(0, ORIGINS_MAX);
      if (!this.#origins.includes(this.#preferred)) this.#preferred = this.#origins[0] ?? origin;
    } catch {
      // A node that is gone will fail the next question too, and then another one is asked.
    }
  }

  async #attempt<T>(question: Question<T>, origin: string, { atMs, signal }: Deadline): Promise<T> {
    const { clock, attemptTimeoutMs, isFatal, fetch } = this.#config;
    const leftMs = Math.min(attemptTimeoutMs, Math.max(0, atMs - clock.nowMs()));
    const answer = await within(clock, leftMs, signal, async (attemptSignal) => {
      try {
        const response = await fetch(origin + question.path, init(question, attemptSignal));
        const { status } = response;
        return {
          status,
          body: isOk(status) && question.holds === "bytes" ? await bytesOf(response) : await response.text(),
        };
      } catch (cause) {
        // A node that was merely heard of must not end a call: the ones that were given may still answer.
        if (isFatal(cause) && this.#config.origins.includes(origin)) {
          throw new ClientError("untrusted", `the connection to ${origin} was refused`, { retryable: false, cause });
        }
        throw new ClientError("unreachable", `${origin} cannot be reached`, { retryable: true, cause });
      }
    });
    if (isOk(answer.status)) return readAnswer(question, origin, answer);
    throw readError(origin, answer);
  }
}

interface Answer {
  readonly status: number;
  readonly body: string | Uint8Array;
}

function isOk(status: number): boolean {
  return status >= 200 && status < 300;
}

async function bytesOf(response: FetchAnswer): Promise<Uint8Array> {
  if (response.arrayBuffer === undefined) return utf8(await response.text());
  return new Uint8Array(await response.arrayBuffer());
}

function init<T>({ method, body, holds }: Question<T>, signal: AbortSignal): FetchInit {
  const headers: Record<string, string> = { accept: holds === "bytes" ? "*/*" : "application/json" };
  // The API never redirects, so a redirect is somebody else's; it must not take a write to another host.
  const common = { method, headers, signal, redirect: "error" } as const;
  if (body === undefined) return common;
  headers["content-type"] = "application/json";
  return { ...common, body };
}

function readAnswer<T>({ parse, holds }: Question<T>, origin: string, { status, body }: Answer): T {
  try {
    return parse(holds === "bytes" ? body : parseJson(body));
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    const message = `${origin} sent an answer that cannot be read: ${cause.message}`;
    throw new ClientError("bad-answer", message, { retryable: false, status, cause });
  }
}

function readError(origin: string, { status, body }: Answer): ClientError {
  try {
    const { error } = parseErrorAnswer(parseJson(body));
    return new ClientError(error.code, error.message, { retryable: error.retryable, status, txId: error.txId });
  } catch (cause) {
    // Something in between, such as a proxy, may answer 5xx in its own words while a node restarts.
    const message = `${origin} answered with status ${status} and no reason`;
    return new ClientError("bad-answer", message, { retryable: status >= 500, status, cause });
  }
}
