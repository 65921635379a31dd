/**
 * The snapshots of a node on disk, as its core decides. Beside the ledger's queue, not in it: nothing waits for a snapshot, and a disk that
 * refuses one leaves the node with those it has. One thing at a time, in order.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { LedgerError, LedgerSecrets, type VerifiedSnapshot, verifySnapshot } from "@sealane/ledger";
import { SnapshotDirectory, type UnusableSnapshot } from "@sealane/ledger/files";
import type { KeptSecret } from "../core/rotating-secrets.js";
import type { Output } from "../core/types.js";

export type SnapshotFileOutput = Extract<Output, { type: "snapshot" | "snapshot-dropped" | "snapshot-committed" }>;

/** Committed snapshots kept: the newest, and one before it should the newest be damaged. */
const KEPT = 2;

export class SnapshotStore {
  readonly #directory: SnapshotDirectory;
  #work: Promise<void> = Promise.resolve();

  private constructor(directory: SnapshotDirectory) {
    this.#directory = directory;
  }

  /** Opens the directory, and removes what was provisional when the node ended. @throws LedgerError `storage-failed`. */
  static async open(path: string): Promise<SnapshotStore> {
    const directory = await SnapshotDirectory.open(path);
    for (const { name, committed } of await directory.list()) if (!committed) await directory.remove(name);
    return new SnapshotStore(directory);
  }

  handle(output: SnapshotFileOutput): void {
    this.#work = this.#work.then(() => this.#carryOut(output)).catch(dropFailure);
  }

  /** Finishes what is under way. */
  close(): Promise<void> {
    return this.#work;
  }

  /**
   * The newest snapshot that verifies and that a ledger of entries `first` to `last` goes on from.
   * @returns also those that were stepped over.
   */
  newest(
    ledger: { readonly first: number; readonly last: number },
    options: {
      readonly suite: CryptoSuite;
      readonly secrets: readonly KeptSecret[];
      readonly serviceCertificate: string;
    },
  ): Promise<{ readonly found: VerifiedSnapshot | undefined; readonly unusable: readonly UnusableSnapshot[] }> {
    const { suite, secrets, serviceCertificate } = options;
    const verifying = {
      suite,
      secrets: new LedgerSecrets(secrets),
      serviceCertificates: [serviceCertificate],
    };
    const range = { from: Math.max(1, ledger.first - 1), to: ledger.last };
    return this.#directory.newest((file) => verifySnapshot(file, verifying), range);
  }

  async #carryOut(output: SnapshotFileOutput): Promise<void> {
    const { seqno, evidence } = output;
    switch (output.type) {
      case "snapshot":
        await this.#directory.write(output, evidence);
        break;
      case "snapshot-dropped":
        for (const { name, ...file } of await this.#directory.list()) {
          if (!file.committed && file.seqno === seqno) await this.#directory.remove(name);
        }
        break;
      case "snapshot-committed":
        await this.#directory.commit(seqno, evidence, output.receipt);
        await this.#directory.prune(KEPT);
        break;
      default:
        output satisfies never;
    }
  }
}

/** The snapshot is lost, and only that: the ledger has everything. */
function dropFailure(cause: unknown): void {
  if (!(cause instanceof LedgerError)) throw cause;
}
