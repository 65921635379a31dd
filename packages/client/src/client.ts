/**
 * The client API of a service as typed calls (design.md §2, floor 2). It fails over between the nodes it was given, retries what may be
 * retried, and reads every answer with the schemas of `wire`. It holds no state that matters: one that is lost is made anew.
 *
 * It opens no connection itself. The `fetch` it is given does, and with it comes the decision which certificate to trust.
 */
import {
  type Ballot,
  type BallotAnswer,
  formatTxId,
  type HistoricalEntry,
  type NetworkState,
  type NodeState,
  parseBallotAnswer,
  parseEntriesPage,
  parseHistoricalEntry,
  parseKeyHistoryPage,
  parseNetworkState,
  parseNodeState,
  parseRecordAnswer,
  parseTxId,
  parseTxStatusResponse,
  parseWriteAnswer,
  type RecordAnswer,
  type TxStatus,
  WireError,
} from "@sealane/wire";
import { backoffMs } from "./backoff.js";
import type { CallOptions } from "./call-options.js";
import { ClientError } from "./errors.js";
import { type Deadline, Exchange, type Fetch } from "./exchange.js";
import { pages, type RangeOptions, type RecordChange } from "./history.js";
import { type Clock, systemClock, systemRandom } from "./platform.js";
import { checkReceipt, type ReceiptChecks, type ReceiptForm, requireBytes, type VerifiedReceipt } from "./receipt.js";
import { sleep } from "./wait.js";

/** A call may take this long in all, retries included, unless told otherwise. */
export const TIMEOUT_MS_DEFAULT = 30_000;
/** One attempt may take this long before the next node is tried; longer than a node waits for a commit. */
export const ATTEMPT_TIMEOUT_MS_DEFAULT = 15_000;
/** Nodes a client fails over between. */
export const URLS_MAX = 64;

const RECORD_KEY = /^[A-Za-z0-9._~-]{1,256}$/;

export interface ClientOptions {
  /** Where nodes answer, such as "https://127.0.0.1:8001": 1 to 64 origins, https only, in order of preference. */
  readonly urls: readonly string[];
  /** Must refuse servers whose certificate the service did not endorse, and should bound the size of an answer. */
  readonly fetch: Fetch;
  /** For a whole call, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** For one attempt at one node, in milliseconds. Default 15,000. */
  readonly attemptTimeoutMs?: number;
  /** Tells which errors of `fetch` no retry will cure, such as a refused certificate. Default: none. */
  readonly isFatal?: (error: unknown) => boolean;
  /**
   * Also fail over to nodes that the service has added since, as it names them itself, so that the client outlives the nodes it was given.
   * Costs a `GET /node/network` twice a minute and after a failure. Their published API addresses must be reachable from here. Default false.
   */
  readonly follow?: boolean;
  /** Uniform in [0, 1), for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** For tests. */
  readonly clock?: Clock;
}

export interface PutOptions extends CallOptions {
  /** `committed` (default) answers once the write cannot be lost any more, `async` once it is executed. */
  readonly commit?: "committed" | "async" | undefined;
}

export interface GetOptions extends CallOptions {
  /**
   * `linearizable` (default): the value is the newest, as of some moment of this call; needs a quorum. `serializable`: the node that answers looks
   * at what it knows to be committed, which may be old.
   */
  readonly consistency?: "linearizable" | "serializable" | undefined;
}

export interface ReceiptOptions extends CallOptions, ReceiptChecks {
  /** `json` (default) is signed by a node that the service endorses, `cose` by the service itself. */
  readonly form?: ReceiptForm | undefined;
}

export interface PutAnswer {
  /** `view.seqno` of the transaction that holds the value. */
  readonly txId: string;
  readonly status: "committed" | "pending";
  /** Whether the key was absent before. Also false for a retry that finds its own first attempt. */
  readonly created: boolean;
}

/** Every method throws `ClientError`, and nothing else, for whatever goes wrong outside the caller's code. */
export interface Client {
  /**
   * Stores a value. May be repeated: the same value under the same key is one write with one transaction id.
   * @param key - 1 to 256 characters of `A-Z a-z 0-9 . _ ~ -`, but not "." or "..".
   * @param value - What JSON can say; at most 1 MiB as text.
   */
  put(key: string, value: unknown, options?: PutOptions): Promise<PutAnswer>;
  /** Reads a value. `not-found` if there is none. */
  get(key: string, options?: GetOptions): Promise<RecordAnswer>;
  /** Where a transaction stands. `committed` and `invalid` are final. */
  status(txId: string, options?: CallOptions): Promise<TxStatus>;
  /** Returns once a transaction is committed. `lost` if it never will be, `timeout` if it is not by the deadline. */
  waitForCommit(txId: string, options?: CallOptions): Promise<void>;
  /**
   * The receipt of a committed transaction, verified; waits for the commit until the deadline. `bad-receipt` if it proves nothing,
   * `not-found` if the transaction was rolled back.
   */
  receipt(txId: string, options: ReceiptOptions): Promise<VerifiedReceipt>;
  /**
   * Every committed change of one record, in order, asked for page by page as they are taken. `not-held` where the service's ledger files no
   * longer reach back to `from`: ask from a later seqno, or read the archive.
   * @example
   * for await (const change of client.history("ship-1", { newestFirst: true, signal })) show(change);
   */
  history(key: string, options?: RangeOptions): AsyncGenerator<RecordChange, void, undefined>;
  /** The committed entries of a range, in order: whole public maps, and the private ones that the application lets clients read. Fails as `history`. */
  entries(options?: RangeOptions): AsyncGenerator<HistoricalEntry, void, undefined>;
  /**
   * The entry of one transaction; waits for the commit until the deadline. `not-found` if it was rolled back, `not-held` as `history`. What it says
   * is what the node says: its `receipt` proves `writeSetDigest`.
   */
  entry(txId: string, options?: CallOptions): Promise<HistoricalEntry>;
  /** The state of whichever node answers. */
  state(options?: CallOptions): Promise<NodeState>;
  network(options?: CallOptions): Promise<NetworkState>;
  /** Casts a member's signed ballot. */
  ballot(ballot: Ballot, options?: CallOptions): Promise<BallotAnswer>;
}

/**
 * @throws {ClientError} `malformed` for a url that is not an https origin, or a timeout that is not a positive number.
 * @example
 * const client = createClient({ urls: ["https://127.0.0.1:8001"], fetch });
 * const { txId } = await client.put("ship-1", { name: "Vega" });
 */
export function createClient(options: ClientOptions): Client {
  return new HttpClient(options);
}

class HttpClient implements Client {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #timeoutMs: number;

  constructor(options: ClientOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#timeoutMs = duration(options.timeoutMs ?? TIMEOUT_MS_DEFAULT);
    this.#exchange = new Exchange({
      origins: originsOf(options.urls),
      fetch: options.fetch,
      clock: this.#clock,
      random: this.#random,
      attemptTimeoutMs: duration(options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS_DEFAULT),
      isFatal: options.isFatal ?? (() => false),
      follow: options.follow ?? false,
    });
  }

  async put(key: string, value: unknown, options: PutOptions = {}): Promise<PutAnswer> {
    const deadline = this.#deadline(options);
    const path = recordPath(key) + (options.commit === "async" ? "?commit=async" : "");
    const body = `{"value":${jsonText(value)}}`;
    for (;;) {
      const answer = await this.#exchange.ask({ method: "PUT", path, body, parse: parsePutAnswer }, deadline);
      if (answer.status === "committed" || options.commit === "async") return answer;
      try {
        await this.#committed(answer.txId, deadline);
        return { ...answer, status: "committed" };
      } catch (error) {
        if (!(error instanceof ClientError) || error.code !== "lost" || this.#clock.nowMs() >= deadline.atMs)
          throw error;
        await sleep(this.#clock, backoffMs(0, this.#random()), deadline.signal); // rolled back for good: write it anew
      }
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<RecordAnswer> {
    const path = recordPath(key) + (options.consistency === "serializable" ? "?consistency=serializable" : "");
    const question = { method: "GET", path, parse: parseRecordAnswer } as const;
    return this.#exchange.ask(question, this.#deadline(options));
  }

  async status(txId: string, options: CallOptions = {}): Promise<TxStatus> {
    return this.#status(txId, this.#deadline(options));
  }

  async waitForCommit(txId: string, options: CallOptions = {}): Promise<void> {
    await this.#committed(txId, this.#deadline(options));
  }

  async receipt(txId: string, options: ReceiptOptions): Promise<VerifiedReceipt> {
    const { form = "json" } = options;
    const path = `/tx/${txIdText(txId)}/receipt?form=${form}`;
    const question = { method: "GET", path, holds: "bytes", parse: requireBytes } as const;
    return checkReceipt(txId, await this.#exchange.ask(question, this.#deadline(options)), options);
  }

  history(key: string, options: RangeOptions = {}): AsyncGenerator<RecordChange, void, undefined> {
    const path = `${recordPath(key)}/history`;
    return pages(path, options, this.#pageOf(options, parseKeyHistoryPage), ({ changes }) => changes);
  }

  entries(options: RangeOptions = {}): AsyncGenerator<HistoricalEntry, void, undefined> {
    return pages("/tx", options, this.#pageOf(options, parseEntriesPage), ({ entries }) => entries);
  }

  async entry(txId: string, options: CallOptions = {}): Promise<HistoricalEntry> {
    const question = { method: "GET", path: `/tx/${txIdText(txId)}/entry`, parse: parseHistoricalEntry } as const;
    const entry = await this.#exchange.ask(question, this.#deadline(options));
    if (entry.txId === txId) return entry;
    throw new ClientError("bad-answer", `a node sent the entry of ${entry.txId}, not of ${txId}`, { retryable: false });
  }

  async state(options: CallOptions = {}): Promise<NodeState> {
    return this.#exchange.ask({ method: "GET", path: "/node/state", parse: parseNodeState }, this.#deadline(options));
  }

  async network(options: CallOptions = {}): Promise<NetworkState> {
    const question = { method: "GET", path: "/node/network", parse: parseNetworkState } as const;
    return this.#exchange.ask(question, this.#deadline(options));
  }

  async ballot(ballot: Ballot, options: CallOptions = {}): Promise<BallotAnswer> {
    const body = JSON.stringify(ballot);
    const question = { method: "POST", path: "/governance/ballots", body, parse: parseBallotAnswer } as const;
    return this.#exchange.ask(question, this.#deadline(options));
  }

  #pageOf<P>(options: CallOptions, parse: (value: unknown) => P): (path: string) => Promise<P> {
    return (path) => this.#exchange.ask({ method: "GET", path, parse }, this.#deadline(options));
  }

  async #status(txId: string, deadline: Deadline): Promise<TxStatus> {
    const path = `/tx/${txIdText(txId)}`;
    const { status } = await this.#exchange.ask({ method: "GET", path, parse: parseTxStatusResponse }, deadline);
    return status;
  }

  async #committed(txId: string, deadline: Deadline): Promise<void> {
    for (let round = 0; ; round += 1) {
      const status = await this.#status(txId, deadline).catch((error: unknown) => {
        throw error instanceof ClientError ? about(error, txId) : error;
      });
      if (status === "committed") return;
      if (status === "invalid") {
        throw new ClientError("lost", `transaction ${txId} was rolled back`, { retryable: true, txId });
      }
      const waitMs = backoffMs(round, this.#random());
      if (this.#clock.nowMs() + waitMs >= deadline.atMs) {
        const message = `transaction ${txId} was not committed in time`;
        throw new ClientError("timeout", message, { retryable: true, txId });
      }
      await sleep(this.#clock, waitMs, deadline.signal);
    }
  }

  #deadline({ signal, timeoutMs }: CallOptions): Deadline {
    return { atMs: this.#clock.nowMs() + duration(timeoutMs ?? this.#timeoutMs), signal };
  }
}

/** Whether a text may name a record. "." and ".." match the service's rule, but no URL path can hold them. */
export function isRecordKey(text: string): boolean {
  return RECORD_KEY.test(text) && text !== "." && text !== "..";
}

function recordPath(key: string): string {
  if (!isRecordKey(key)) {
    throw malformed("a key has 1 to 256 characters of A-Z a-z 0-9 . _ ~ - and is neither . nor ..");
  }
  return `/records/${key}`;
}

function jsonText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value); // undefined for undefined, a function or a symbol, whatever its type says
  } catch (cause) {
    throw malformed("the value cannot be written as JSON", cause);
  }
  if (text === undefined) throw malformed("the value cannot be written as JSON");
  return text;
}

function txIdText(txId: string): string {
  try {
    return formatTxId(parseTxId(txId));
  } catch (cause) {
    throw malformed(cause instanceof WireError ? cause.message : "this is not a transaction id", cause);
  }
}

function parsePutAnswer(value: unknown): PutAnswer {
  const { txId, status, created } = parseWriteAnswer(value);
  if (typeof created !== "boolean") throw new WireError("malformed", 'the field "created" is not true or false');
  return { txId, status, created };
}

function originsOf(urls: readonly string[]): readonly string[] {
  if (urls.length === 0 || urls.length > URLS_MAX) throw malformed(`a client needs 1 to ${URLS_MAX} urls`);
  return urls.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== "https:" || url.href !== `${url.origin}/`) {
      throw malformed(`"${text}" is not the url of a node, such as https://127.0.0.1:8001`);
    }
    return url.origin;
  });
}

/** The same failure, with the transaction that its reader should ask for. */
function about(error: ClientError, txId: string): ClientError {
  const { code, message, retryable, status } = error;
  return new ClientError(code, message, { retryable, status, txId, cause: error });
}

function duration(ms: number): number {
  if (!(ms > 0 && Number.isFinite(ms))) throw malformed("a timeout is a positive number of milliseconds");
  return ms;
}

function malformed(message: string, cause?: unknown): ClientError {
  return new ClientError("malformed", message, { retryable: false, cause });
}
