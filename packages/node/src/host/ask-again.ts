/**
 * For a node that was let in and still takes no part: the entry that trusted it may have been rolled back with the view that wrote it
 * (decision 0003), and then the service does not know it. It asks to be trusted once more, of one node after another, with the same key; for
 * the consortium it is pending again. A service that does know it answers again, which changes nothing.
 */
import { setTimeout as delay } from "node:timers/promises";
import { NodeError } from "./errors.js";
import { type JoinOptions, joinService } from "./join-service.js";

export interface AskAgainOptions extends Omit<JoinOptions, "url" | "signal" | "request"> {
  /** As it is now: what this node holds grows. */
  readonly request: () => JoinOptions["request"];
  /** `host:port` of the nodes to ask. */
  readonly apiAddresses: readonly string[];
  /** How long it may take to take part before it asks, and how long each node is asked, in ms. */
  readonly patienceMs: number;
  /** Ends it: the node takes part, or stops. */
  readonly signal: AbortSignal;
}

/**
 * Settles when `signal` ends it, or when the service says that this node has joined already, or was removed.
 * @returns the node that no longer holds what this one needs next: it cannot catch up. Undefined in every other case.
 */
export async function askAgain(options: AskAgainOptions): Promise<string | undefined> {
  const { apiAddresses, patienceMs, signal, request, ...join } = options;
  try {
    for (let turn = 0; apiAddresses.length > 0; turn++) {
      await delay(patienceMs, undefined, { signal });
      const url = `https://${apiAddresses[turn % apiAddresses.length]}`;
      const enough = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
      const outcome = await outcomeOf(joinService({ ...join, request: request(), url, signal: enough }));
      if (outcome === "join-refused") return undefined;
      if (outcome === "snapshot-too-old") return url;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}

async function outcomeOf(joining: Promise<unknown>): Promise<NodeError["code"] | "trusted"> {
  try {
    await joining;
    return "trusted";
  } catch (error) {
    if (error instanceof NodeError) return error.code;
    throw error;
  }
}
