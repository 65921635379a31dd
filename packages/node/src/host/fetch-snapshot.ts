/**
 * Fetches the newest snapshot a service has (ledger spec §12, step 1), over the TLS that a join goes over, from one node after another. The file
 * comes in ranges, each with a bound and a deadline; what breaks off goes on where it was, at another node too, as the same name means the
 * same bytes. Nothing of it is believed before all of it is verified: the node that sends it is one the service has endorsed, and may
 * still be broken, or no longer honest.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { CryptoSuite } from "@sealane/crypto";
import {
  LedgerError,
  parseSnapshotName,
  SNAPSHOT_FILE_BYTES_MAX,
  type SnapshotName,
  verifySnapshotFile,
} from "@sealane/ledger";
import type { Seqno } from "@sealane/wire";
import { Agent, type Dispatcher, request } from "undici";
import type { TlsIdentity } from "./api-server.js";
import { NodeError } from "./errors.js";
import { errorCode, WRONG_CERTIFICATE } from "./join-service.js";

export interface FetchLimits {
  /** Of one range, in bytes. */
  readonly rangeBytes: number;
  /** For one range, and for the question before the first, in ms. So a link of less than 140 KB/s is too slow. */
  readonly rangeTimeoutMs: number;
  /** Of a whole file. */
  readonly fileBytesMax: number;
  /** Attempts in a row that brought nothing from a node that had announced a snapshot, for each node. */
  readonly triesMax: number;
  /** After every node was asked in vain it waits longer each time, up to this many ms. */
  readonly retryMsMax: number;
}

const LIMITS: FetchLimits = {
  rangeBytes: 4 * 1024 * 1024,
  rangeTimeoutMs: 30_000,
  fileBytesMax: SNAPSHOT_FILE_BYTES_MAX,
  triesMax: 3,
  retryMsMax: 5_000,
};
const RETRY_MS = 100;
const PATH = "/node/snapshot";
const ContentRange = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15})$/;

export interface FetchOptions {
  readonly suite: CryptoSuite;
  /** `https://host:port` of nodes of the service, in the order in which they are asked. At least one. */
  readonly urls: readonly string[];
  /** PEM: the only server certificates trusted are those it endorses, and the snapshot must be proven by it. */
  readonly serviceCertificate: string;
  readonly identity: TlsIdentity;
  /** The least seqno that will do. */
  readonly since: Seqno;
  readonly signal: AbortSignal;
  readonly limits?: Partial<FetchLimits>;
}

export interface FetchedSnapshot {
  readonly name: SnapshotName;
  /** All of it. Its receipt holds; its tag was not checked, which takes the ledger secrets. */
  readonly file: Uint8Array;
}

/** A file on its way. Invariant: the first `bytes` of `file` have come. */
interface Part {
  readonly name: SnapshotName;
  file: Uint8Array;
  bytes: number;
}

/**
 * @returns undefined when no node that can be reached has one.
 * @throws NodeError `bad-snapshot`, `snapshot-unavailable`, `wrong-service`, `aborted`. A service that cannot be reached is asked for ever.
 */
export async function fetchSnapshot(options: FetchOptions): Promise<FetchedSnapshot | undefined> {
  const { serviceCertificate, identity } = options;
  const dispatcher = new Agent({
    connect: { ca: serviceCertificate, cert: identity.certificate, key: identity.privateKey },
  });
  try {
    return await new Fetching(options, dispatcher).run();
  } catch (cause) {
    if (options.signal.aborted) throw new NodeError("aborted", "The node was stopped before it had a snapshot.");
    throw cause;
  } finally {
    await dispatcher.destroy();
  }
}

class Fetching {
  readonly #options: FetchOptions;
  readonly #dispatcher: Dispatcher;
  readonly #limits: FetchLimits;
  #part: Part | undefined;

  constructor(options: FetchOptions, dispatcher: Dispatcher) {
    this.#options = options;
    this.#dispatcher = dispatcher;
    this.#limits = { ...LIMITS, ...options.limits };
  }

  async run(): Promise<FetchedSnapshot | undefined> {
    const { urls, signal } = this.#options;
    const { triesMax, retryMsMax } = this.#limits;
    let failures = 0;
    for (let retryMs = RETRY_MS; ; retryMs = Math.min(retryMs * 2, retryMsMax)) {
      let anyAnswered = false;
      let anyAnnounced = false;
      for (const url of urls) {
        const name = await this.#announcedBy(url);
        anyAnswered ||= name !== "unreachable";
        if (typeof name === "string") continue;
        anyAnnounced = true;
        const had = this.#part?.bytes ?? 0;
        const outcome = await this.#take(url, name);
        if ("file" in outcome) return outcome;
        failures = outcome.code === "snapshot-unavailable" && (this.#part?.bytes ?? 0) > had ? 0 : failures + 1;
        if (failures >= triesMax * urls.length) throw outcome;
      }
      if (anyAnswered && !anyAnnounced) return undefined;
      await delay(retryMs, undefined, { signal });
    }
  }

  async #announcedBy(url: string): Promise<SnapshotName | "none" | "unreachable"> {
    try {
      const { statusCode, headers, body } = await this.#ask("HEAD", `${url}${PATH}?since=${this.#options.since}`, {});
      await body.dump();
      if (statusCode === 404) return "none";
      const name = statusCode === 308 ? nameIn(headers.location) : undefined;
      return name?.committed === true && name.seqno >= this.#options.since ? name : "unreachable";
    } catch (cause) {
      this.#handleFailure(url, cause);
      return "unreachable";
    }
  }

  /** Fetches what is missing, and looks at the whole. A file that is wrong is forgotten. */
  async #take(url: string, name: SnapshotName): Promise<FetchedSnapshot | NodeError> {
    if (this.#part?.name.name !== name.name) this.#part = { name, file: new Uint8Array(0), bytes: 0 };
    const part = this.#part;
    try {
      do await this.#takeRange(url, part);
      while (part.bytes < part.file.length);
      const { suite, serviceCertificate } = this.#options;
      await verifySnapshotFile(name, part.file, { suite, serviceCertificates: [serviceCertificate] });
      return { name, file: part.file };
    } catch (cause) {
      if (cause instanceof LedgerError) {
        this.#part = undefined;
        return new NodeError("bad-snapshot", `${name.name} of ${url} is not proven by the service: ${cause.message}.`, {
          cause,
        });
      }
      this.#handleFailure(url, cause);
      const why = cause instanceof Error ? cause.message : String(cause);
      return new NodeError("snapshot-unavailable", `${name.name} cannot be fetched: ${url}: ${why}.`, { cause });
    }
  }

  async #takeRange(url: string, part: Part): Promise<void> {
    const { rangeBytes, fileBytesMax } = this.#limits;
    const last = part.bytes + rangeBytes - 1;
    const range = { range: `bytes=${part.bytes}-${last}` };
    const { statusCode, headers, body } = await this.#ask("GET", `${url}${PATH}/${part.name.name}`, range);
    const [, first, end, total] = (ContentRange.exec(String(headers["content-range"])) ?? []).map(Number);
    const isWhole = end !== undefined && total !== undefined && end === Math.min(last, total - 1);
    if (statusCode !== 206 || first !== part.bytes || !isWhole || (part.bytes > 0 && total !== part.file.length)) {
      body.destroy();
      throw new Error(`it answered ${statusCode}, with another range than was asked for`);
    }
    if (total > fileBytesMax) {
      body.destroy();
      throw new LedgerError("too-large", `it has ${total} bytes, and ${fileBytesMax} are allowed`);
    }
    const bytes = new Uint8Array(end - first + 1);
    let came = 0;
    for await (const piece of body) {
      // Proven by undici: without an encoding a body comes as buffers.
      const chunk = piece as Uint8Array;
      if (came + chunk.length > bytes.length) throw new Error("it sent more than it had said");
      bytes.set(chunk, came);
      came += chunk.length;
    }
    if (came < bytes.length) throw new Error("it broke off");
    if (part.bytes === 0) part.file = new Uint8Array(total);
    part.file.set(bytes, part.bytes);
    part.bytes += bytes.length;
  }

  async #ask(method: "GET" | "HEAD", url: string, headers: Record<string, string>): Promise<Dispatcher.ResponseData> {
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(this.#limits.rangeTimeoutMs)]);
    const response = await request(url, { method, headers, dispatcher: this.#dispatcher, signal });
    response.body.on("error", () => {}); // one that is dropped unread ends in an error that nobody waits for
    return response;
  }

  /** What may pass is tried again. @throws what ends the fetching: only the first node was named by who joins. */
  #handleFailure(url: string, cause: unknown): void {
    if (this.#options.signal.aborted) throw cause;
    const code = errorCode(cause);
    if (url === this.#options.urls[0] && WRONG_CERTIFICATE.test(code)) {
      throw new NodeError("wrong-service", `${url} is not a node of the service in the certificate given (${code}).`);
    }
  }
}

/** Only the name counts: the file is asked of the node that announced it. */
function nameIn(location: string | string[] | undefined): SnapshotName | undefined {
  return typeof location === "string" ? parseSnapshotName(location.slice(location.lastIndexOf("/") + 1)) : undefined;
}
