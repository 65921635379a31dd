/**
 * Committed entries that are no longer in memory: asked of the host, which reads them from its files. What it answers is not trusted; whoever
 * asked checks it. Whoever asks also bounds how often: each question may bring as many bytes as it allows.
 */
import type { Seqno } from "@sealane/wire";
import type { Output } from "./types.js";

type ReadOutput = Extract<Output, { type: "read" }>;
/**
 * @param entries - Consecutive from the first one asked for; fewer than asked, or none, when there are too many bytes or they cannot be read.
 * @param firstHeld - The first entry the host can read at all, as far as it says.
 */
type Done = (entries: readonly Uint8Array[], nowMs: number, firstHeld: Seqno | undefined) => void;

/** Both ends inclusive; at least one entry is read, however large. */
export type EntryRange = Pick<ReadOutput, "from" | "through" | "bytesMax">;

export class StoredEntries {
  readonly #asked = new Map<number, Done>();
  readonly #outputs: ReadOutput[] = [];
  #nextId = 0;

  read(range: EntryRange, done: Done): void {
    const id = this.#nextId++;
    this.#asked.set(id, done);
    this.#outputs.push({ type: "read", id, ...range });
  }

  /** An answer that nobody waits for is dropped. */
  handleEntries(id: number, entries: readonly Uint8Array[], nowMs: number, firstHeld?: Seqno): void {
    const done = this.#asked.get(id);
    this.#asked.delete(id);
    done?.(entries, nowMs, firstHeld);
  }

  pollOutput(): ReadOutput | undefined {
    return this.#outputs.shift();
  }
}
