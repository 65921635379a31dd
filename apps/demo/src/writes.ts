/** Follows a write the page asked for: sent through one node, then looked up on each until it is committed everywhere. */

import { setTimeout as delay } from "node:timers/promises";
import { type Client, ClientError } from "@sealane/client";
import { sentence } from "./errors.js";
import type { NodeTxStatus, WriteView } from "./feed.js";

const ASK_EVERY_MS = 60;
const FOLLOW_TIMEOUT_MS = 20_000;
/** A node that is down answers at once; one that hangs is shown as unreachable after this. */
const STATUS_TIMEOUT_MS = 1_000;
/** Writes followed at the same time; a person clicks slower. */
export const FOLLOWED_MAX = 32;

export interface WriteTargets {
  readonly size: number;
  client(index: number, timeoutMs?: number): Client;
  isUp(index: number): boolean;
}

export class Writes {
  readonly #targets: WriteTargets;
  readonly #report: (write: WriteView) => void;
  #next = 1;
  #followed = 0;

  constructor(targets: WriteTargets, report: (write: WriteView) => void) {
    this.#targets = targets;
    this.#report = report;
  }

  /** @returns undefined when too many writes are still followed. What happens to the write goes to `report`, failures too. */
  start(via: number, key: string, value: unknown, signal: AbortSignal): WriteView | undefined {
    if (this.#followed >= FOLLOWED_MAX) return undefined;
    const write: WriteView = {
      number: this.#next++,
      key,
      value: JSON.stringify(value),
      via,
      startedAtMs: Date.now(),
      txId: null,
      state: "sending",
      statuses: Array.from({ length: this.#targets.size }, () => "unknown"),
      elapsedMs: null,
      error: null,
    };
    this.#followed += 1;
    this.#report(write);
    void this.#follow(write, value, signal).finally(() => {
      this.#followed -= 1;
    });
    return write;
  }

  async #follow(first: WriteView, value: unknown, signal: AbortSignal): Promise<void> {
    let write = first;
    const update = (change: Partial<WriteView>) => {
      write = { ...write, ...change };
      this.#report(write);
    };
    const elapsedMs = () => Date.now() - first.startedAtMs;
    try {
      const client = this.#targets.client(first.via, FOLLOW_TIMEOUT_MS);
      const answer = await client.put(first.key, value, { commit: "async", signal });
      update({ txId: answer.txId, state: "pending" });
      while (elapsedMs() < FOLLOW_TIMEOUT_MS) {
        const statuses = await this.#statuses(answer.txId, signal);
        if (statuses.includes("invalid")) {
          update({
            statuses,
            state: "failed",
            elapsedMs: elapsedMs(),
            error: "The transaction was rolled back: send it again.",
          });
          return;
        }
        if (statuses.join() !== write.statuses.join()) update({ statuses });
        const up = statuses.filter((_, index) => this.#targets.isUp(index));
        if (up.length > 0 && up.every((status) => status === "committed")) {
          update({ state: "committed", elapsedMs: elapsedMs() });
          return;
        }
        await delay(ASK_EVERY_MS, undefined, { signal });
      }
      update({
        state: "failed",
        elapsedMs: elapsedMs(),
        error: "Still pending: no majority of the nodes has acknowledged it yet.",
      });
    } catch (error) {
      if (signal.aborted) return;
      const retry = error instanceof ClientError && error.retryable ? " It can be sent again." : "";
      update({ state: "failed", elapsedMs: elapsedMs(), error: `${sentence(error)}${retry}` });
    }
  }

  #statuses(txId: string, signal: AbortSignal): Promise<NodeTxStatus[]> {
    return Promise.all(
      Array.from({ length: this.#targets.size }, async (_, index): Promise<NodeTxStatus> => {
        if (!this.#targets.isUp(index)) return "unreachable";
        try {
          return await this.#targets.client(index, STATUS_TIMEOUT_MS).status(txId, { signal });
        } catch {
          return "unreachable";
        }
      }),
    );
  }
}
