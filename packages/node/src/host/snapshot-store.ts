/**
 * The snapshots of a node on disk, as its core decides. Beside the ledger's queue, not in it: nothing waits for a snapshot, and a disk that
 * refuses one leaves the node with those it has. One thing at a time, in order.
 */
import type { CryptoSuite } from "@sealane/crypto";
import {
  LedgerError,
  type LedgerSecret,
  LedgerSecrets,
  type SnapshotName,
  type VerifiedSnapshot,
  verifySnapshotFile,
} from "@sealane/ledger";
import { SnapshotDirectory, type UnusableSnapshot } from "@sealane/ledger/files";
import { seqno } from "@sealane/wire";
import type { Output } from "../core/types.js";

export type SnapshotFileOutput = Extract<Output, { type: "snapshot" | "snapshot-dropped" | "snapshot-committed" }>;

/** Committed snapshots kept: the newest, and one before it should the newest be damaged. */
const KEPT = 2;

export interface StoredSnapshot extends VerifiedSnapshot {
  readonly name: SnapshotName;
}

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

  /** The name of the newest committed one; whether its file holds what it says, a reader must see. @throws LedgerError `storage-failed`. */
  async newestName(): Promise<SnapshotName | undefined> {
    return (await this.#directory.list()).findLast(({ committed }) => committed);
  }

  /** Bytes of a file; undefined when there is none of that name. @throws LedgerError `storage-failed`. */
  async size(name: string): Promise<number | undefined> {
    try {
      return await this.#directory.size(name);
    } catch (error) {
      if (error instanceof LedgerError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  /** As `SnapshotDirectory.pieces`. */
  pieces(name: string, position: number, length: number): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#directory.pieces(name, position, length);
  }

  /** Keeps a verified one that came from another node. @throws LedgerError `storage-failed`. */
  async keep({ name, file }: { readonly name: SnapshotName; readonly file: Uint8Array }): Promise<void> {
    await this.#directory.store(seqno(name.seqno), seqno(name.evidenceSeqno), file);
    await this.#directory.prune(KEPT);
  }

  async remove({ name }: Pick<SnapshotName, "name">): Promise<void> {
    await this.#directory.remove(name);
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
   * @param options.secrets - Without them, whoever can have a claim of theirs signed by the service could have made it.
   * @returns also those that were stepped over.
   */
  newest(
    ledger: { readonly first: number; readonly last: number },
    options: {
      readonly suite: CryptoSuite;
      readonly secrets?: readonly LedgerSecret[];
      /** PEM. */
      readonly serviceCertificates: readonly string[];
    },
  ): Promise<{ readonly found: StoredSnapshot | undefined; readonly unusable: readonly UnusableSnapshot[] }> {
    const { suite, secrets, serviceCertificates } = options;
    const verifying = {
      suite,
      ...(secrets === undefined ? {} : { secrets: new LedgerSecrets(secrets) }),
      serviceCertificates,
    };
    const range = { from: Math.max(1, ledger.first - 1), to: ledger.last };
    return this.#directory.newest(
      async (file, name) => ({ ...(await verifySnapshotFile(name, file, verifying)), name }),
      range,
    );
  }

  async #carryOut(output: SnapshotFileOutput): Promise<void> {
    const { seqno: at, evidence } = output;
    switch (output.type) {
      case "snapshot":
        await this.#directory.write(output, evidence);
        break;
      case "snapshot-dropped":
        for (const { name, ...file } of await this.#directory.list()) {
          if (!file.committed && file.seqno === at) await this.#directory.remove(name);
        }
        break;
      case "snapshot-committed":
        await this.#directory.commit(at, evidence, output.receipt);
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
