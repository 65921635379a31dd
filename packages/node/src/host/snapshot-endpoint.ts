/**
 * `GET` and `HEAD` of `/node/snapshot` (ledger spec §12, step 1): a redirect to the newest committed snapshot of this node, and the file
 * itself, whole or a range of it. For whoever asks: what is private in it is encrypted, and what is public anybody may read.
 */
import { parseSnapshotName } from "@sealane/ledger";
import { utf8 } from "@sealane/wire";
import type { Answer } from "../core/answer.js";
import { parseTarget } from "../core/app.js";
import { RequestError } from "../core/errors.js";
import type { SnapshotStore } from "./snapshot-store.js";

const PATH = "/node/snapshot";
/** At most this many files are being sent; a further request is refused. */
export const SENDING_MAX = 8;
/** Whoever takes a file more slowly than this many bytes in a ms, and this many ms, is cut off: the place is wanted. */
const RATE_BYTES_PER_MS = 128;
const SENDING_GRACE_MS = 30_000;
const Seqno = /^[0-9]{1,15}$/;
const Range = /^bytes=([0-9]{1,15})-([0-9]{1,15})?$/;

/** An answer whose body is read while it is sent. */
export interface FileAnswer {
  readonly status: 200 | 206;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly pieces: AsyncIterable<Uint8Array>;
  /** It must have been sent after this many ms. */
  readonly timeoutMs: number;
  /** To be called once, however it ended. */
  done(): void;
}

export interface SnapshotRequest {
  readonly method: string;
  /** Path and query, as received. */
  readonly path: string;
  /** The header of that name. */
  readonly range?: string | undefined;
}

/** Whether a request is for this endpoint. */
export function asksForSnapshot(target: string): boolean {
  return target === PATH || target.startsWith(`${PATH}/`) || target.startsWith(`${PATH}?`);
}

export class SnapshotEndpoint {
  readonly #store: Pick<SnapshotStore, "newestName" | "size" | "pieces">;
  readonly #serviceSince: () => number;
  #sending = 0;

  /** @param serviceSince - Seqno from which on the service has its identity: to a joiner, an earlier snapshot is one of another service. */
  constructor(store: Pick<SnapshotStore, "newestName" | "size" | "pieces">, serviceSince: () => number) {
    this.#store = store;
    this.#serviceSince = serviceSince;
  }

  /** @throws RequestError `not-found`, `method-not-allowed`, `malformed`, `overloaded`. */
  async handle({ method, path: target, range }: SnapshotRequest): Promise<Answer | FileAnswer> {
    const { path, query } = parseTarget(target);
    if (method !== "GET" && method !== "HEAD") {
      throw new RequestError("method-not-allowed", `This path does not take ${method}.`);
    }
    return path === PATH ? this.#redirect(query.since) : this.#file(path.slice(PATH.length + 1), method, range);
  }

  async #redirect(since = "0"): Promise<Answer> {
    if (!Seqno.test(since)) throw new RequestError("malformed", '"since" is a sequence number.');
    const name = await this.#store.newestName();
    if (name === undefined || name.seqno < Math.max(Number(since), this.#serviceSince())) {
      throw new RequestError("not-found", "This node has no such snapshot. Ask another node, or later.");
    }
    return { status: 308, body: utf8("{}"), location: `${PATH}/${name.name}` };
  }

  async #file(name: string, method: string, range: string | undefined): Promise<FileAnswer | Answer> {
    const size = parseSnapshotName(name)?.committed === true ? await this.#store.size(name) : undefined;
    if (size === undefined) throw new RequestError("not-found", "This node has no such snapshot. Ask for its newest.");
    const part = rangeIn(range, size);
    const headers = { "content-type": "application/octet-stream", "accept-ranges": "bytes" };
    if (part === "unsatisfiable") {
      return { status: 416, body: utf8("{}"), headers: { "content-range": `bytes */${size}` } };
    }
    const { from, bytes } = part ?? { from: 0, bytes: size };
    if (this.#sending >= SENDING_MAX) {
      throw new RequestError("overloaded", "This node sends too many snapshots already. Ask another node, or later.");
    }
    this.#sending += 1;
    return {
      status: part === undefined ? 200 : 206,
      headers:
        part === undefined ? headers : { ...headers, "content-range": `bytes ${from}-${from + bytes - 1}/${size}` },
      bytes,
      pieces: method === "HEAD" ? nothing() : this.#store.pieces(name, from, bytes),
      timeoutMs: SENDING_GRACE_MS + Math.ceil(bytes / RATE_BYTES_PER_MS),
      done: () => {
        this.#sending -= 1;
      },
    };
  }
}

/** @returns undefined for the whole file: also for forms of the header that this server does not know (RFC 9110 §14.2). */
function rangeIn(
  header: string | undefined,
  size: number,
): { readonly from: number; readonly bytes: number } | "unsatisfiable" | undefined {
  const [, first, last] = Range.exec(header ?? "") ?? [];
  if (first === undefined || (last !== undefined && Number(last) < Number(first))) return undefined;
  const from = Number(first);
  if (from >= size) return "unsatisfiable";
  const end = Math.min(last === undefined ? size - 1 : Number(last), size - 1);
  return { from, bytes: end - from + 1 };
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
