/**
 * A disk in memory: what was synced survives a crash, what was not is lost. (Torn writes, rot and errors are faults of the storage code's
 * own tests; here the disk is honest about what it synced.)
 */
import type { HardState } from "@sealane/node/core";
import type { Seqno } from "@sealane/wire";

interface StoredEntry {
  readonly seqno: Seqno;
  readonly bytes: Uint8Array;
}

export class SimulatedDisk {
  #entries: StoredEntry[] = [];
  #durable: StoredEntry[] = [];
  #hardState: HardState | undefined;

  /** The entries a reader of the files would find, in order from seqno 1. */
  get entries(): readonly Uint8Array[] {
    return this.#entries.map(({ bytes }) => bytes);
  }

  get hardState(): HardState | undefined {
    return this.#hardState;
  }

  append(entries: readonly StoredEntry[]): void {
    for (const { seqno, bytes } of entries) {
      if (seqno !== this.#entries.length + 1) throw new Error(`entry ${seqno} does not follow ${this.#entries.length}`);
      this.#entries.push({ seqno, bytes: bytes.slice() });
    }
  }

  truncate(to: Seqno): void {
    this.#entries = this.#entries.slice(0, to);
  }

  sync(hardState: HardState | undefined): void {
    this.#durable = [...this.#entries];
    this.#hardState = hardState ?? this.#hardState;
  }

  /** Forgets what was not synced. */
  crash(): void {
    this.#entries = [...this.#durable];
  }
}
