/** The variables of the replica made last: tests that use this put a recording class in the place of `ReplicaState`. */
import type { ReplicaState } from "../../../consensus/src/replica-state.js";
import type { StoredEntry } from "../../src/invariants/stored-entry.js";

let latest: ReplicaState<StoredEntry> | undefined;

export function record(state: ReplicaState<StoredEntry>): void {
  latest = state;
}

export function inside(): ReplicaState<StoredEntry> {
  if (latest === undefined) throw new Error("no replica was recorded: the test file must mock replica-state");
  return latest;
}
