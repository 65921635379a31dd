/**
 * What every contestant does, whatever carries its bytes: a *source* sends entries to one or more *sinks* over a connection that both ends
 * have authenticated. Entries are *items*, a u32 length in front of each; an item of length 0 is a *credit*, by which a sink says that it
 * has taken in so much more. The same credits for all, so that nobody's buffering decides the outcome.
 */
import type { Identity } from "./identity.js";

export interface Handlers {
  /** An item arrived: `length` bytes of `bytes` from `at`. Borrowed. */
  onItem(bytes: Uint8Array, at: number, length: number): void;
  onCredit(): void;
}

/** One end of a connection. */
export interface Link {
  /** Sends a batch: items back to back, complete. Borrowed until it is credited. */
  sendBatch(batch: Uint8Array): void;
  /** Hands over a single item with its prefix, to leave at the latest with this turn of the event loop. Borrowed for the call. */
  submit(item: Uint8Array): void;
  /** Sends a few small items, encrypted on the way. Taken over. */
  sendPrivate(items: Uint8Array): void;
  sendCredit(): void;
}

export type Role = "source" | "sink";

/** Where a side can be reached; what of it a contestant uses is its own affair. */
export interface Address {
  readonly id: string;
  readonly port: number;
}

/** One side, before and after it is connected. */
export interface Endpoint {
  readonly port: number;
  /** Settles when every connection is ready for bulk. A sink has one peer. */
  connect(peers: readonly Address[], handlers: (peer: number) => Handlers): Promise<readonly Link[]>;
  close(): Promise<void>;
}

/** One side of a series of handshakes. */
export interface Shaker {
  readonly port: number;
  /** The dialling side: connects, authenticates both ways, hears from the other end, and hangs up. */
  shake(peer: Address): Promise<void>;
  close(): Promise<void>;
}

export interface Contestant {
  open(self: Identity, role: Role): Promise<Endpoint>;
  /** @param role - "source" answers, "sink" dials. */
  openShaker(self: Identity, role: Role): Promise<Shaker>;
}

export const HOST = "127.0.0.1";
/** For every socket that takes it: what Node holds before it calls itself behind. */
export const SOCKET_BUFFER_BYTES = 1024 * 1024;
export const PREFIX_BYTES = 4;
export const CREDIT = new Uint8Array(PREFIX_BYTES);
