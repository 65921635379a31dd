/** Talking to a service: HTTPS that trusts the service certificate alone, below the typed client. */
import { type Client, createClient, type Fetch } from "@sealane/client";
import { Agent, fetch } from "undici";
import { isTrustFailure } from "./sentence.js";

/** Most bytes of one answer: a record of 1 MiB, escaped at worst, and the state of a thousand nodes both fit. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;

export interface ConnectionOptions {
  readonly urls: readonly string[];
  /** PEM of the service certificate: the only authority, whatever the host's trust store holds. */
  readonly serviceCertificate: string;
  readonly timeoutMs: number;
  /** Most connections to one node at a time. */
  readonly connectionsMax?: number;
}

export interface Connection {
  readonly client: Client;
  /** Closes idle connections, which otherwise keep the process alive for a while. */
  close(): Promise<void>;
}

export function connect({ urls, serviceCertificate, timeoutMs, connectionsMax = 8 }: ConnectionOptions): Connection {
  const agent = new Agent({
    connect: { ca: serviceCertificate, timeout: CONNECT_TIMEOUT_MS },
    connections: connectionsMax,
    maxResponseSize: ANSWER_BYTES_MAX,
  });
  const pinnedFetch: Fetch = (url, init) => fetch(url, { ...init, dispatcher: agent });
  // One url names one node, and another one's answer would not be what was asked for; several say that any node will do.
  const follow = urls.length > 1;
  const client = createClient({ urls, fetch: pinnedFetch, timeoutMs, isFatal: isTrustFailure, follow });
  // Destroyed rather than closed: a call that was given up must not hold the command open.
  return { client, close: () => agent.destroy() };
}
