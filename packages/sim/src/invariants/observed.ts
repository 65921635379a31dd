/** What the checks look at: each replica from outside, and the ledger its owner keeps. They know nothing of the core's insides. */
import type { Entry, Replica } from "@sealane/consensus";
import type { NodeId } from "@sealane/wire";
import type { ObservedLog } from "./observed-log.js";

/** An entry together with what tells two entries of the same id apart. */
export interface StoredEntry extends Entry {
  readonly data: string;
}

/** The part of a replica that the checks read. A recorded state will do as well as a live replica. */
export type ObservedReplica = Pick<
  Replica<StoredEntry>,
  | "view"
  | "votedFor"
  | "role"
  | "lastSeqno"
  | "commitSeqno"
  | "lastCommittableSeqno"
  | "durableSeqno"
  | "configurations"
  | "retirementPhase"
  | "removedNodes"
  | "peers"
>;

export interface Observed {
  readonly id: NodeId;
  readonly replica: ObservedReplica;
  /** The owner's ledger. */
  readonly log: ObservedLog;
}

/** A property of consensus spec §15 does not hold. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
  /** The property's name in the spec. */
  readonly invariant: string;
  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

export function fail(invariant: string, detail: string): never {
  throw new InvariantError(invariant, detail);
}

export function sameEntry(a: StoredEntry, b: StoredEntry): boolean {
  return a === b || (a.view === b.view && a.seqno === b.seqno && a.signature === b.signature && a.data === b.data);
}
