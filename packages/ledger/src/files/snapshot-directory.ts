/**
 * The snapshots of a node on disk (ledger spec §10.1, §10.3). A file appears under its name only when all of it is durable: it is written
 * under a temporary name, synced, renamed, and the directory is synced. So a crash leaves at most temporary files, which `open` removes.
 *
 * A provisional file gets its receipt in the same way, as a new file; so a committed one is never written to, and never lacks its end. What
 * is wrong with a file all the same, its disk did: `newest` steps over it and says so.
 */
import { type Seqno, seqno } from "@sealane/wire";
import { LedgerError } from "../errors.js";
import type { EncodedSnapshot } from "../snapshot/encode-snapshot.js";
import {
  committedSnapshotName,
  parseSnapshotName,
  provisionalSnapshotName,
  type SnapshotName,
} from "../snapshot/snapshot-name.js";
import { SNAPSHOT_FILE_BYTES_MAX } from "../snapshot/verify-snapshot.js";
import type { Disk, DiskFile } from "./disk.js";
import { nodeDisk } from "./node-disk.js";

const TEMPORARY_SUFFIX = ".part";

/** A snapshot file that was stepped over, and why. */
export interface UnusableSnapshot {
  readonly name: string;
  readonly error: LedgerError;
}

export class SnapshotDirectory {
  readonly #directory: string;
  readonly #disk: Disk;

  private constructor(directory: string, disk: Disk) {
    this.#directory = directory;
    this.#disk = disk;
  }

  /**
   * Opens a directory of snapshots, creating it if it is missing, and removes what a crash left of a file that was being written. Only one
   * process may have it open.
   * @throws {LedgerError} `storage-failed`.
   * @example
   * const snapshots = await SnapshotDirectory.open("data/snapshots");
   * await snapshots.write(encodeSnapshot(suite, secrets, state), evidence.seqno);
   */
  static async open(directory: string, disk: Disk = nodeDisk): Promise<SnapshotDirectory> {
    return guarded("open the snapshots", async () => {
      await disk.makeDirectory(directory);
      const parts = (await disk.list(directory)).filter(
        (name) => name.startsWith("snapshot_") && name.endsWith(TEMPORARY_SUFFIX),
      );
      for (const name of parts) await disk.remove(`${directory}/${name}`);
      return new SnapshotDirectory(directory, disk);
    });
  }

  /** All snapshots, oldest first; of one seqno the provisional one first. @throws {LedgerError} `storage-failed`. */
  async list(): Promise<SnapshotName[]> {
    return guarded("list the snapshots", async () => {
      const names = (await this.#disk.list(this.#directory)).flatMap((name) => parseSnapshotName(name) ?? []);
      return names.sort((a, b) => a.seqno - b.seqno || Number(a.committed) - Number(b.committed));
    });
  }

  /**
   * Writes a provisional snapshot, durably.
   * @param evidenceSeqno - Of the transaction that `snapshotEvidence` made.
   * @throws {LedgerError} `storage-failed`: nothing appeared under the name. The directory can still be used; an earlier snapshot still stands.
   */
  async write({ seqno: at, bytes }: Pick<EncodedSnapshot, "seqno" | "bytes">, evidenceSeqno: Seqno): Promise<void> {
    await this.#place(provisionalSnapshotName(at, evidenceSeqno), (file) => file.write([bytes], 0));
  }

  /**
   * Puts the receipt of the evidence transaction behind a provisional snapshot, which makes it a committed one. Does nothing if it is one.
   * @param receipt - UTF-8 of the JSON form (§9.1). It is not checked here.
   * @returns The name of the committed file.
   * @throws {LedgerError} `not-found` without such a snapshot, `storage-failed`.
   */
  async commit(at: Seqno, evidenceSeqno: Seqno, receipt: Uint8Array): Promise<string> {
    const provisional = provisionalSnapshotName(at, evidenceSeqno);
    const committed = committedSnapshotName(at, evidenceSeqno);
    const names = (await this.list()).map(({ name }) => name);
    if (!names.includes(committed)) {
      if (!names.includes(provisional)) throw new LedgerError("not-found", `there is no snapshot ${provisional}`);
      await this.#place(committed, async (file) => {
        const size = await this.#with(provisional, (source) => copy(source, file));
        await file.write([receipt], size);
      });
    }
    if (names.includes(provisional)) await this.remove(provisional);
    return committed;
  }

  /**
   * Stores a committed snapshot that came from elsewhere, durably. Does nothing if there is one of that name.
   * @param file - All of it, receipt included; verified by the caller.
   * @throws {LedgerError} `storage-failed`.
   */
  async store(at: Seqno, evidenceSeqno: Seqno, file: Uint8Array): Promise<string> {
    const name = committedSnapshotName(at, evidenceSeqno);
    if (!(await this.list()).some((known) => known.name === name))
      await this.#place(name, (part) => part.write([file], 0));
    return name;
  }

  /** Bytes of one file. @throws {LedgerError} `not-found`, `storage-failed`. */
  async size(name: string): Promise<number> {
    return this.#with(name, (file) => file.size());
  }

  /**
   * A part of a file, piece by piece; what is removed meanwhile can still be read to its end.
   * @throws {LedgerError} `not-found`, `storage-failed`; `corrupt` when the file ends before the part does.
   */
  async *pieces(name: string, position: number, length: number): AsyncGenerator<Uint8Array, void, undefined> {
    if (parseSnapshotName(name) === undefined) throw new LedgerError("not-found", `${name} is no snapshot`);
    const file = await guarded(`read ${name}`, () => this.#disk.open(`${this.#directory}/${name}`, "read"), true);
    try {
      for (let done = 0; done < length; ) {
        const wanted = Math.min(PIECE_BYTES, length - done);
        const piece = await guarded(`read ${name}`, () => file.read(position + done, wanted));
        if (piece.length === 0) throw new LedgerError("corrupt", `${name} ends at ${position + done}`);
        yield piece;
        done += piece.length;
      }
    } finally {
      await file.close();
    }
  }

  /** A whole file. @throws {LedgerError} `not-found`, `too-large` (nothing was read), `storage-failed`. */
  async read(name: string): Promise<Uint8Array> {
    return this.#with(name, async (file) => {
      const size = await file.size();
      if (size > SNAPSHOT_FILE_BYTES_MAX) throw new LedgerError("too-large", `${name} has ${size} bytes`);
      return file.read(0, size);
    });
  }

  /**
   * The newest committed snapshot that `use` accepts, looked for from the newest down.
   * @param use - Reads one; throws a `LedgerError` for one that cannot be used. Give it `verifySnapshot`.
   * @param range - The ledger beside it goes on from `from` to `to`: a snapshot at another seqno leaves a gap. Default: any.
   * @returns What `use` made of it, or `undefined` when there is none; and the damaged ones that were stepped over.
   * @throws {LedgerError} `storage-failed` when the directory cannot be listed. A file that cannot be read is stepped over.
   * @example
   * const { found } = await snapshots.newest((bytes) => verifySnapshot(bytes, options), { from: seqno(0), to: storage.lastSeqno });
   */
  async newest<T>(
    use: (file: Uint8Array, name: SnapshotName) => Promise<T>,
    range: { readonly from: number; readonly to: number } = { from: 1, to: Number.MAX_SAFE_INTEGER },
  ): Promise<{ readonly found: T | undefined; readonly unusable: readonly UnusableSnapshot[] }> {
    const unusable: UnusableSnapshot[] = [];
    const fitting = (await this.list()).filter(
      ({ committed, seqno: at }) => committed && at >= range.from && at <= range.to,
    );
    for (const name of fitting.reverse()) {
      try {
        return { found: await use(await this.read(name.name), name), unusable };
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
        unusable.push({ name: name.name, error });
      }
    }
    return { found: undefined, unusable };
  }

  /**
   * Removes a provisional snapshot whose evidence was rolled back or that will never be committed, or an old committed one.
   * @throws {LedgerError} `not-found`, `storage-failed`.
   */
  async remove(name: string): Promise<void> {
    if (parseSnapshotName(name) === undefined) throw new LedgerError("not-found", `${name} is no snapshot`);
    const remove = async () => {
      await this.#disk.remove(`${this.#directory}/${name}`);
      await this.#disk.syncDirectory(this.#directory);
    };
    await guarded(`remove ${name}`, remove, true);
  }

  /**
   * Removes all committed snapshots but the newest `keep`, and provisional ones below the newest committed one: their time has passed.
   * @returns The names that are gone.
   * @throws {RangeError} unless `keep` is a whole number from 1 on. @throws {LedgerError} `storage-failed`.
   */
  async prune(keep: number): Promise<string[]> {
    if (!Number.isSafeInteger(keep) || keep < 1) throw new RangeError(`at least one snapshot is kept, not ${keep}`);
    const names = await this.list();
    const committed = names.filter((name) => name.committed);
    const newest = seqno(committed.at(-1)?.seqno ?? 0);
    const old = new Set([
      ...committed.slice(0, -keep),
      ...names.filter((name) => !name.committed && name.seqno <= newest),
    ]);
    for (const { name } of old) await this.remove(name);
    return [...old].map(({ name }) => name);
  }

  async #place(name: string, fill: (file: DiskFile) => Promise<void>): Promise<void> {
    const path = `${this.#directory}/${name}`;
    const temporary = `${path}${TEMPORARY_SUFFIX}`;
    await guarded(`write ${name}`, async () => {
      // One that a failed attempt left behind.
      if ((await this.#disk.list(this.#directory)).includes(`${name}${TEMPORARY_SUFFIX}`))
        await this.#disk.remove(temporary);
      const file = await this.#disk.open(temporary, "create");
      try {
        await fill(file);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#disk.rename(temporary, path);
      await this.#disk.syncDirectory(this.#directory);
    });
  }

  async #with<T>(name: string, use: (file: DiskFile) => Promise<T>): Promise<T> {
    if (parseSnapshotName(name) === undefined) throw new LedgerError("not-found", `${name} is no snapshot`);
    const read = async () => {
      const file = await this.#disk.open(`${this.#directory}/${name}`, "read");
      try {
        return await use(file);
      } finally {
        await file.close();
      }
    };
    return guarded(`read ${name}`, read, true);
  }
}

const PIECE_BYTES = 1024 * 1024;

/** @returns The bytes copied: a snapshot may be as large as the memory. */
async function copy(source: DiskFile, target: DiskFile): Promise<number> {
  for (let position = 0; ; ) {
    const piece = await source.read(position, PIECE_BYTES);
    if (piece.length === 0) return position;
    await target.write([piece], position);
    position += piece.length;
  }
}

/** What the operating system fails to do, in this package's words. @param isNamed - One file was asked for, which may be missing. */
async function guarded<T>(what: string, run: () => Promise<T>, isNamed = false): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause;
    const missing = isNamed && cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const reason = cause instanceof Error ? cause.message : "unknown";
    throw new LedgerError(missing ? "not-found" : "storage-failed", `cannot ${what}: ${reason}`, { cause });
  }
}
