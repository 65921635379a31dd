/**
 * A ledger as the checks look at it: its entries, and what the checks would otherwise have to search them for, kept up with each append
 * and truncation. So a check costs the same at the end of a long run as at its beginning.
 */
import type { NodeId, View } from "@sealane/wire";
import type { StoredEntry } from "./stored-entry.js";

interface ViewRun {
  readonly view: number;
  readonly firstSeqno: number;
}

export class ObservedLog {
  readonly #entries: StoredEntry[] = [];
  /** One number for the entries up to each seqno; equal prefixes have equal numbers. Index 0 is the empty prefix. */
  readonly #prefixes: number[] = [0];
  /** Where the view changes. Invariant: ascending in seqno. */
  readonly #runs: ViewRun[] = [];
  readonly #signatures: number[] = [];
  readonly #configurations: StoredEntry[] = [];
  readonly #retirements: StoredEntry[] = [];
  /** Entries that may not stand where they do (MonoLogInv). */
  readonly #misplaced: number[] = [];
  #changes = 0;

  /** In order; index 0 is seqno 1. A live view: copy what is to be kept. */
  get entries(): readonly StoredEntry[] {
    return this.#entries;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** Grows with every change. */
  get changes(): number {
    return this.#changes;
  }

  at(seqno: number): StoredEntry | undefined {
    return this.#entries[seqno - 1];
  }

  /** The view of the entry at a seqno; 0 where there is none. */
  viewAt(seqno: number): number {
    return this.#entries[seqno - 1]?.view ?? 0;
  }

  /** Of the newest signature; 0 if there is none. */
  get lastSignature(): number {
    return this.#signatures.at(-1) ?? 0;
  }

  /** The first entry whose view is below the one before it, or that starts a view behind an entry that is not a signature; or undefined. */
  get firstMisplaced(): number | undefined {
    return this.#misplaced[0];
  }

  /** Entries that name a configuration, ascending. */
  get configurations(): readonly StoredEntry[] {
    return this.#configurations;
  }

  /** Entries that name retired nodes, ascending. */
  get retirements(): readonly StoredEntry[] {
    return this.#retirements;
  }

  /** The last entry of a view; 0 if it has none. */
  lastOf(view: View): number {
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      if (this.#runs[i]?.view === view) return (this.#runs[i + 1]?.firstSeqno ?? this.length + 1) - 1;
    }
    return 0;
  }

  /** The entry that took `node` out of the configurations; 0 if there is none. */
  removalOf(node: NodeId): number {
    let member = false;
    for (const { seqno, configuration } of this.#configurations) {
      const named = configuration?.includes(node) === true;
      if (member && !named) return seqno;
      member = named;
    }
    return 0;
  }

  /** Stands for the first `length` entries; undefined when there are fewer. Two different prefixes have it in common once in 2^52 times. */
  prefix(length: number): number | undefined {
    return this.#prefixes[length];
  }

  /** Whether the first `length` entries are those of `other`, and both have so many. */
  holdsPrefix(other: ObservedLog, length: number): boolean {
    const own = this.prefix(length);
    return own !== undefined && own === other.prefix(length);
  }

  append(...entries: readonly StoredEntry[]): void {
    for (const entry of entries) {
      const before = this.#entries.at(-1);
      const seqno = this.#entries.push(entry);
      this.#prefixes.push(chained(this.#prefixes[seqno - 1] ?? 0, entry));
      if (before?.view !== entry.view) {
        this.#runs.push({ view: entry.view, firstSeqno: seqno });
        if (before !== undefined && (before.view > entry.view || !before.signature)) this.#misplaced.push(seqno);
      }
      if (entry.signature) this.#signatures.push(seqno);
      if (entry.configuration !== undefined) this.#configurations.push(entry);
      if (entry.retired !== undefined) this.#retirements.push(entry);
    }
    this.#changes += 1;
  }

  /** Forgets what stands behind the first `to` entries. */
  truncate(to: number): void {
    if (to >= this.length) return;
    this.#entries.length = to;
    this.#prefixes.length = to + 1;
    dropAbove(this.#runs, ({ firstSeqno }) => firstSeqno > to);
    dropAbove(this.#signatures, (seqno) => seqno > to);
    dropAbove(this.#misplaced, (seqno) => seqno > to);
    dropAbove(this.#configurations, ({ seqno }) => seqno > to);
    dropAbove(this.#retirements, ({ seqno }) => seqno > to);
    this.#changes += 1;
  }
}

function dropAbove<T>(list: T[], isAbove: (item: T) => boolean): void {
  for (let last = list.at(-1); last !== undefined && isAbove(last); last = list.at(-1)) list.pop();
}

/** Two lanes of FNV-1a in the 52 bits that a number holds exactly. */
function chained(prefix: number, { view, seqno, signature, data }: StoredEntry): number {
  let high = (Math.floor(prefix / 2 ** 26) ^ 0x811c9dc5) >>> 0;
  let low = ((prefix % 2 ** 26) ^ 0x9e3779b9) >>> 0;
  const fold = (value: number): void => {
    high = Math.imul(high ^ value, 0x01000193);
    low = Math.imul((low ^ value) + 0x9e3779b9, 0x85ebca77);
    low ^= low >>> 15;
  };
  fold(view);
  fold(seqno);
  fold(signature ? 1 : 0);
  for (let index = 0; index < data.length; index++) fold(data.charCodeAt(index));
  return (high >>> 6) * 2 ** 26 + (low >>> 6) || 1;
}
