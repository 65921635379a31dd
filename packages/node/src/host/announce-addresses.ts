/** For a node that came back at another address: tells its service, through its own channel to the primary, until that is on record. */
import { setTimeout as delay } from "node:timers/promises";
import { type NodeAddresses, parseErrorAnswer, parseJson, utf8 } from "@sealane/wire";
import type { Answer } from "../core/answer.js";
import type { ClientRequest } from "../core/types.js";
import { NodeError } from "./errors.js";

/** Pause before it says so again, in ms: while there is no primary, say. */
const RETRY_MS = 500;

export interface AnnounceOptions {
  readonly addresses: NodeAddresses;
  /** DER, over the node's key: what proves who says so. */
  readonly certificate: Uint8Array;
  /** The node's own requests, as those of its clients. */
  ask(request: Omit<ClientRequest, "id">): Promise<Answer>;
  /** Ends it: the node stops. */
  readonly signal: AbortSignal;
}

/** Settles when the addresses are committed, or `signal` ends it. @throws NodeError `bad-address` when they cannot be this node's. */
export async function announceAddresses({ addresses, certificate, ask, signal }: AnnounceOptions): Promise<void> {
  const body = utf8(JSON.stringify(addresses));
  while (!signal.aborted) {
    const answer = await ask({ method: "PUT", path: "/node/addresses", body, callerCertificate: certificate });
    if (answer.status === 200) return;
    const { error } = parseErrorAnswer(parseJson(answer.body));
    if (!error.retryable) throw new NodeError("bad-address", `${error.message} Start this node at another address.`);
    await delay(RETRY_MS, undefined, { signal }).catch(() => {}); // the loop looks at it
  }
}
