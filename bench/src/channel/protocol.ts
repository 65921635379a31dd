/** What the conductor of a run tells a side, and what it is told: messages between processes, as JSON. */
import type { Address, Role } from "../contestants/contestant.js";
import type { Identity } from "../contestants/identity.js";
import type { ContestantName } from "../contestants/index.js";

/** A stream of entries from the source to each of its sinks. */
export interface StreamShape {
  /** One by one, each to leave as the contestant sees fit; or in batches. */
  readonly submit: "single" | "batch";
  readonly itemBytes: number;
  /** Of a batch, about. */
  readonly batchBytes: number;
  /** To each sink, about. */
  readonly totalBytes: number;
}

export interface RoundTrips {
  readonly count: number;
  readonly inFlight: number;
  readonly itemBytes: number;
  /** What one turn of the event loop collected goes out together, or each request by itself. */
  readonly flush: "turn" | "request";
}

export type Command =
  | { readonly do: "open"; readonly contestant: ContestantName; readonly identity: Identity; readonly role: Role }
  | { readonly do: "connect"; readonly peers: readonly Address[] }
  /** The sink counts CPU time from now on, and takes in a stream. @returns nothing */
  | { readonly do: "take"; readonly shape: StreamShape }
  /** The source makes what it will send. */
  | { readonly do: "prepare"; readonly shape: StreamShape }
  /** @returns CPU µs, when every sink has credited everything. */
  | { readonly do: "stream"; readonly shape: StreamShape }
  /** The sink counts CPU time from now on, and echoes. */
  | { readonly do: "echo"; readonly flush: RoundTrips["flush"] }
  /** @returns CPU µs. */
  | { readonly do: "roundTrips"; readonly roundTrips: RoundTrips }
  | { readonly do: "openShaker"; readonly contestant: ContestantName; readonly identity: Identity; readonly role: Role }
  | { readonly do: "startCpu" }
  /** @returns CPU µs since the side was last told to count. */
  | { readonly do: "cpu" }
  /** @returns CPU µs of `count` handshakes, one after another. */
  | { readonly do: "shake"; readonly peer: Address; readonly count: number }
  /** Begins to watch for turns of the event loop that take long. */
  | { readonly do: "watch" }
  /** @returns the longest turn since, in µs. */
  | { readonly do: "longestTurn" }
  | { readonly do: "close" };

/** A number: the port, or µs; 0 where there is nothing to say. */
export type Answer = { readonly value: number } | { readonly error: string };
