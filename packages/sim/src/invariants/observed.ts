/** What the checks look at: each replica from outside, and the ledger its owner keeps. They know nothing of the core's insides. */
import type { Replica } from "@sealane/consensus";
import type { NodeId } from "@sealane/wire";
import type { ObservedLog } from "./observed-log.js";
import type { StoredEntry } from "./stored-entry.js";

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
