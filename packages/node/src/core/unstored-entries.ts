/**
 * Entries that are in the log and not handed to storage yet. A primary keeps those back that no signature covers: without one they cannot
 * commit, and by themselves they would cost every node a message, a write and an acknowledgement.
 */
import type { LedgerEntry } from "@sealane/ledger";
import type { Seqno } from "@sealane/wire";

/** Bytes of unsigned entries that are sent and stored before their signature, so that little is left to do when it comes. */
export const UNSIGNED_BYTES_MAX = 64 * 1024;

/** What is needed of an entry to keep it. */
type Unstored = Pick<LedgerEntry, "seqno" | "bytes" | "isSignature">;

export class UnstoredEntries<E extends Unstored = LedgerEntry> {
  /** In order. */
  #entries: E[] = [];
  /** Invariant: the sum of the entries' bytes. */
  #bytes = 0;
  /** The newest token for entries that wait for their signature: it stands for all before it. */
  #heldToken: number | undefined;

  get entries(): readonly E[] {
    return this.#entries;
  }

  /** Whether they end without a signature, and are not much. */
  get awaitSignature(): boolean {
    const last = this.#entries.at(-1);
    return last !== undefined && !last.isSignature && this.#bytes < UNSIGNED_BYTES_MAX;
  }

  /** Whether any of them is at or before `at`. */
  reachBackTo(at: Seqno): boolean {
    const [first] = this.#entries;
    return first !== undefined && first.seqno <= at;
  }

  add(entry: E): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes.length;
  }

  /** @returns all of them, once: storage has them now. */
  take(): readonly E[] {
    const taken = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    return taken;
  }

  /** @param token - Of a `persist` that is to be asked for behind these entries. */
  holdToken(token: number): void {
    this.#heldToken = token;
  }

  /** @returns the token that was held, once; undefined without one. A later `persist` stands for it. */
  takeHeldToken(): number | undefined {
    const token = this.#heldToken;
    this.#heldToken = undefined;
    return token;
  }
}
