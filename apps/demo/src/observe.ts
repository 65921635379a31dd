/** Turns what a node shows (`NodeEvent`) into rows a person can read. A commit is no row: it shows in the node's card. */
import type { NodeEvent } from "@sealane/node";
import type { ObservedEvent } from "./node-messages.js";

type HeaderEvent = Extract<NodeEvent, { readonly type: "header" }>;

/**
 * One per node process. Remembers the last acknowledged seqno for each peer and direction, because an acknowledgement of the
 * same seqno again only answers a heartbeat.
 */
export class Observation {
  readonly #acknowledged = new Map<string, number | undefined>();

  /** @returns undefined for an event that is no row. */
  describe(event: NodeEvent, nowMs: number): ObservedEvent | undefined {
    const local = { atMs: nowMs, peer: null, direction: "local", bytes: null, heartbeat: false, detail: "" } as const;
    switch (event.type) {
      case "exchange":
        return {
          ...local,
          group: "exchange",
          peer: event.peer,
          direction: event.direction,
          what: withoutDirection(event.step),
        };
      case "header":
        return {
          ...local,
          group: "header",
          peer: event.peer,
          direction: event.direction,
          what: event.kind,
          detail: headerDetail(event),
          bytes: event.bytes,
          heartbeat: this.#isHeartbeat(event),
        };
      case "forwarded":
        return {
          ...local,
          group: "forwarded",
          peer: event.peer,
          direction: event.direction,
          what: event.what,
          detail: `command ${event.commandId}, encrypted`,
          bytes: event.bytes,
        };
      case "rejected":
        return { ...local, group: "rejected", peer: event.peer, direction: "received", what: event.code };
      case "channel":
        return {
          ...local,
          group: "channel",
          peer: event.peer,
          what: event.state,
          detail: event.open ? "open" : "closed",
        };
      case "role":
        return { ...local, group: "role", what: event.role, detail: `view ${event.view}` };
      case "transfer":
        return { ...local, group: "role", what: "transfer", detail: event.outcome };
      case "commit":
        return undefined;
      default:
        event satisfies never;
        return undefined;
    }
  }

  #isHeartbeat(event: HeaderEvent): boolean {
    if (event.kind === "append-entries") return event.entries === 0;
    if (event.kind !== "append-entries-response") return false;
    const key = `${event.direction} ${event.peer}`;
    const again = this.#acknowledged.has(key) && this.#acknowledged.get(key) === event.seqno;
    this.#acknowledged.set(key, event.seqno);
    return again;
  }
}

function headerDetail(event: HeaderEvent): string {
  const parts: string[] = [];
  if (event.entries > 0) parts.push(event.entries === 1 ? "1 entry" : `${event.entries} entries`);
  if (event.seqno !== undefined) {
    const range =
      event.prevSeqno !== undefined && event.entries > 1 ? `${event.prevSeqno + 1}–${event.seqno}` : `${event.seqno}`;
    parts.push(`seqno ${range}`);
  }
  if (event.commitSeqno !== undefined) parts.push(`committed ${event.commitSeqno}`);
  if (event.view !== undefined) parts.push(`view ${event.view}`);
  return parts.join(" · ");
}

/** The steps are named like `init-sent`; the direction stands in its own column. */
function withoutDirection(step: string): string {
  return step.replace(/-(sent|received)$/, "");
}
