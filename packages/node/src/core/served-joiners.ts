/**
 * Whether this node can serve a joiner: what is behind the joiner's snapshot must still be readable here (ledger spec §12, step 4). This node
 * may itself have started from a snapshot, and its older chunks may have been archived. What its files hold only the host knows, so it is asked
 * for the one entry that the joiner needs first; those behind it are there if that one is.
 */
import { type Seqno, seqno } from "@sealane/wire";
import { RequestError } from "./errors.js";
import type { ReplicatedLog } from "./replicated-log.js";
import type { StoredEntries } from "./stored-entries.js";

/** At most this many joiners wait for such a read: each may bring a whole entry. */
export const JOINERS_READING_MAX = 16;

/** What is needed of the node's log. */
export type ServedLog = Pick<ReplicatedLog, "entryAt"> & {
  readonly replica: Pick<ReplicatedLog["replica"], "lastSeqno">;
};

export class ServedJoiners {
  readonly #log: ServedLog;
  readonly #stored: Pick<StoredEntries, "read">;
  #reading = 0;

  constructor(log: ServedLog, stored: Pick<StoredEntries, "read">) {
    this.#log = log;
    this.#stored = stored;
  }

  /**
   * @param startupSeqno - Of the joiner's snapshot; 0 without one.
   * @param then - Called once: at once, or when the host has read.
   * @throws RequestError `overloaded`.
   */
  whenKnown(startupSeqno: Seqno, then: (canServe: boolean, nowMs: number) => void, nowMs: number): void {
    const first = seqno(startupSeqno + 1);
    if (first > this.#log.replica.lastSeqno || this.#log.entryAt(first) !== undefined) {
      then(true, nowMs);
      return;
    }
    if (this.#reading >= JOINERS_READING_MAX) {
      throw new RequestError("overloaded", "Too many nodes ask to join at once. Ask again a little later.");
    }
    this.#reading += 1;
    this.#stored.read({ from: first, through: first, bytesMax: 1 }, (entries, readMs) => {
      this.#reading -= 1;
      then(entries.length > 0, readMs);
    });
  }
}
