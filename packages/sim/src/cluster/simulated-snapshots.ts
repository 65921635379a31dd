/**
 * The snapshots of a simulated node: kept provisionally until they are proven, or dropped; the newest two of the proven ones stay (node
 * `host/snapshot-store.ts`). A file appears as a whole, so no loss of power leaves a part of one; what damages one is its disk.
 *
 * Simplification: a damaged file is known by comparing it with what was written. That no damage escapes the real check, the ledger's own
 * tests show; here the suites may protect nothing.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { decodeSnapshot, LedgerError, type LedgerSecret, LedgerSecrets, snapshotBase } from "@sealane/ledger";
import type { Output, StartSnapshot } from "@sealane/node/core";
import type { Seqno } from "@sealane/wire";

type SnapshotOutput = Extract<Output, { type: "snapshot" | "snapshot-dropped" | "snapshot-committed" }>;

/** A proven snapshot, as a file has it. */
export interface SnapshotFile {
  readonly seqno: Seqno;
  readonly bytes: Uint8Array;
  readonly receipt: Uint8Array;
}

/** As a node keeps. */
const KEPT = 2;

export class SimulatedSnapshots {
  /** Proven ones, by seqno, oldest first. */
  readonly committed = new Map<Seqno, SnapshotFile>();
  /** By the seqno of the snapshot. */
  readonly provisional = new Map<Seqno, { readonly evidence: Seqno; readonly bytes: Uint8Array }>();
  /** Their files have become something else than what was written. */
  readonly #damaged = new Set<SnapshotFile>();

  handle(output: SnapshotOutput): void {
    const { seqno: at, evidence } = output;
    if (output.type === "snapshot") {
      this.provisional.set(at, { evidence, bytes: output.bytes });
      return;
    }
    const kept = this.provisional.get(at);
    if (kept?.evidence !== evidence) throw new Error(`there is no snapshot at ${at} with evidence at ${evidence}`);
    this.provisional.delete(at);
    if (output.type === "snapshot-committed") this.keep({ seqno: at, bytes: kept.bytes, receipt: output.receipt });
  }

  /** Keeps a proven one, and the one before it. */
  keep(file: SnapshotFile): void {
    const files = [...[...this.committed.values()].filter(({ seqno: at }) => at !== file.seqno), file];
    files.sort((a, b) => a.seqno - b.seqno);
    this.committed.clear();
    for (const each of files.slice(-KEPT)) this.committed.set(each.seqno, each);
  }

  /** What was provisional is removed when a node comes back. */
  restart(): void {
    this.provisional.clear();
  }

  get oldest(): SnapshotFile | undefined {
    return this.committed.values().next().value;
  }

  get newest(): SnapshotFile | undefined {
    return [...this.committed.values()].at(-1);
  }

  isDamaged(file: SnapshotFile): boolean {
    return this.#damaged.has(file);
  }

  /** The newest file becomes something else, a bit of it or its end. @returns whether there is one that was whole. */
  damageNewest(): boolean {
    const { newest } = this;
    if (newest === undefined || this.#damaged.has(newest)) return false;
    this.#damaged.add(newest);
    return true;
  }

  /** The newest file is gone. @returns whether there was one. */
  loseNewest(): boolean {
    const { newest } = this;
    return newest !== undefined && this.committed.delete(newest.seqno);
  }

  /**
   * The newest usable one at a seqno from `from` to `to`.
   * @returns also how many were stepped over.
   */
  find(
    range: { readonly from: number; readonly to: number },
    suite: CryptoSuite,
    secrets: readonly LedgerSecret[],
  ): { readonly found: StartSnapshot | undefined; readonly unusable: number } {
    let unusable = 0;
    for (const file of [...this.committed.values()].reverse()) {
      if (file.seqno < range.from || file.seqno > range.to) continue;
      const found = this.#damaged.has(file) ? undefined : openSnapshot(file, suite, secrets);
      if (found !== undefined) return { found, unusable };
      unusable += 1;
    }
    return { found: undefined, unusable };
  }
}

/** @returns undefined when it does not open with these secrets. */
export function openSnapshot(
  { seqno: at, bytes }: SnapshotFile,
  suite: CryptoSuite,
  secrets: readonly LedgerSecret[],
): StartSnapshot | undefined {
  try {
    const snapshot = decodeSnapshot(suite, new LedgerSecrets(secrets), bytes);
    const base = snapshotBase(suite, snapshot);
    return base.seqno === at ? { snapshot, base } : undefined;
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}
