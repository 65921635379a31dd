/** Bounded batches of what a node shows: a busy node makes tens of thousands of events a second, a person reads a few. */
import type { ObservedEvent } from "./node-messages.js";

/** More than a screen shows, at ten batches a second. */
export const BATCH_EVENTS_MAX = 100;

/**
 * Collects events between two hand-overs. What exceeds the bound is counted and left out, heartbeats before all else: key
 * exchanges and refusals are rare and are what one looks for.
 */
export class EventBatch {
  readonly #events: ObservedEvent[] = [];
  #heartbeats = 0;
  #dropped = 0;

  add(event: ObservedEvent): void {
    if (this.#events.length >= BATCH_EVENTS_MAX && !this.#makeRoom(event)) {
      this.#dropped += 1;
      return;
    }
    if (event.heartbeat) this.#heartbeats += 1;
    this.#events.push(event);
  }

  /** Everything since the last call; the batch is empty afterwards. */
  take(): { readonly events: readonly ObservedEvent[]; readonly dropped: number } {
    const taken = { events: this.#events.splice(0), dropped: this.#dropped };
    this.#heartbeats = 0;
    this.#dropped = 0;
    return taken;
  }

  /** Gives up a less telling event for this one. */
  #makeRoom(event: ObservedEvent): boolean {
    if (event.heartbeat) return false;
    if (this.#heartbeats > 0) {
      const at = this.#events.findIndex((held) => held.heartbeat);
      this.#heartbeats -= 1;
      return this.#giveUp(at);
    }
    if (isBulk(event)) return false;
    return this.#giveUp(this.#events.findIndex(isBulk));
  }

  #giveUp(at: number): boolean {
    if (at < 0) return false;
    this.#events.splice(at, 1);
    this.#dropped += 1;
    return true;
  }
}

function isBulk(event: ObservedEvent): boolean {
  return event.group === "header" || event.group === "forwarded";
}
