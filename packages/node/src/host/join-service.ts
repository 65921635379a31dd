/** Asks a service to let this node join, until the consortium has decided (ledger spec §12). */
import { setTimeout as delay } from "node:timers/promises";
import { type JoinedNetwork, type JoinRequest, parseErrorAnswer, parseJoinResponse } from "@sealane/wire";
import { Agent, fetch } from "undici";
import type { TlsIdentity } from "./api-server.js";
import { NodeError } from "./errors.js";

/** While the answer is "pending" the node asks again after this many ms. */
const POLL_MS = 250;
/** After an answer that did not come it waits longer each time, up to this many ms. */
const RETRY_MS_MAX = 5_000;
/** One request takes at most this many ms. */
const REQUEST_TIMEOUT_MS = 10_000;
/** No answer to a join is larger, in bytes. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

/** OpenSSL's and Node's names for "this is not a server of the service you named". */
export const WRONG_CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|SIGNATURE/;

export interface JoinOptions {
  /** `https://host:port` of any node of the service. */
  readonly url: string;
  /** PEM: the only server certificates trusted are those it endorses. */
  readonly serviceCertificate: string;
  readonly identity: TlsIdentity;
  readonly request: JoinRequest;
  readonly signal: AbortSignal;
}

/**
 * @returns what makes this node a member, once it is trusted.
 * @throws NodeError `join-refused`, `snapshot-too-old`, `wrong-service`, `aborted`. Anything that may pass is retried.
 */
export async function joinService(options: JoinOptions): Promise<JoinedNetwork> {
  const { serviceCertificate, identity, signal } = options;
  const dispatcher = new Agent({
    connect: { ca: serviceCertificate, cert: identity.certificate, key: identity.privateKey },
    maxResponseSize: ANSWER_BYTES_MAX,
  });
  try {
    for (let retryMs = POLL_MS; ; ) {
      const answer = await ask(options, dispatcher);
      if (typeof answer === "object") return answer;
      retryMs = answer === "pending" ? POLL_MS : Math.min(retryMs * 2, RETRY_MS_MAX);
      await delay(retryMs, undefined, { signal });
    }
  } catch (cause) {
    if (signal.aborted) throw new NodeError("aborted", "The node was stopped before the service trusted it.");
    throw cause;
  } finally {
    await dispatcher.close();
  }
}

async function ask(options: JoinOptions, dispatcher: Agent): Promise<JoinedNetwork | "pending" | "unreachable"> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
  try {
    const response = await fetch(new URL("/node/join", options.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(options.request),
      dispatcher,
      signal,
    });
    const body: unknown = await response.json();
    if (response.ok) {
      const answer = parseJoinResponse(body);
      return answer.status === "trusted" ? answer.network : "pending";
    }
    const { error } = parseErrorAnswer(body);
    if (error.retryable) return "unreachable";
    const code = error.code === "startup-seqno-old" ? "snapshot-too-old" : "join-refused";
    throw new NodeError(code, `${options.url} refused this node: ${error.message}`);
  } catch (cause) {
    if (cause instanceof NodeError || options.signal.aborted) throw cause;
    const code = errorCode(cause);
    if (WRONG_CERTIFICATE.test(code)) {
      throw new NodeError(
        "wrong-service",
        `${options.url} is not a node of the service in the certificate given (${code}).`,
      );
    }
    return "unreachable";
  }
}

/** fetch wraps what happened to the connection. */
export function errorCode(error: unknown): string {
  const inner = error instanceof Error ? (error.cause ?? error) : error;
  return inner instanceof Error && "code" in inner ? String(inner.code) : "";
}
