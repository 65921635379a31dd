/**
 * Moving old chunks out of a ledger directory (ledger spec §1, §10): what a committed snapshot stands for is no longer needed to start a
 * node, only to read or verify those entries. Chunks move oldest first, each durable at its new place before it is gone from the old one: a
 * crash in between leaves a ledger that starts a little later, and running the same again goes on.
 *
 * A node that runs meanwhile notices when it is asked for an entry that has moved, and answers `not-found`.
 */
import type { CryptoSuite } from "@sealane/crypto";
import type { Seqno } from "@sealane/wire";
import { type ChunkName, parseChunkName } from "../chunk-name.js";
import { LedgerError } from "../errors.js";
import type { LedgerSecrets } from "../ledger-secrets.js";
import { SnapshotAudit } from "../snapshot-audit.js";
import type { Disk } from "./disk.js";
import { snapshotDirectory } from "./ledger-directory.js";
import { nodeDisk } from "./node-disk.js";

export interface ArchiveOptions {
  readonly suite: CryptoSuite;
  /** Where the snapshots are. The oldest committed one decides, and must verify. */
  readonly snapshots: string;
  /** Only chunks that end before this seqno. Default: all that the oldest snapshot stands for. */
  readonly below?: Seqno;
  readonly secrets?: LedgerSecrets;
  /** PEM. The snapshot must be this service's. Default: it says itself whose it is. */
  readonly serviceCertificate?: string;
  /** Default: the disk of this machine. */
  readonly disk?: Disk;
}

export interface Archived {
  /** Names of the chunk files that were moved, oldest first. */
  readonly moved: readonly string[];
  /** The ledger now starts with this entry. */
  readonly firstSeqno: number;
  /** The snapshot it can go on from, and its seqno. */
  readonly snapshot: { readonly name: string; readonly seqno: number };
}

/**
 * Moves the committed chunks that lie whole at or below the oldest committed snapshot to another directory.
 * @param directory - The ledger's chunks. @param target - Created if it is missing.
 * @throws {LedgerError} `no-snapshot` without a committed snapshot, `bad-snapshot` and others when it does not verify, `gap` when the
 * snapshot is of an entry the ledger does not reach, `corrupt` for chunk names that do not follow one another, and for a different file of
 * a chunk's name at the target. Nothing was moved then. `storage-failed` when the operating system failed; run it again.
 * @example
 * const { moved } = await archiveBelow("data/ledger", "/mnt/archive", { suite, snapshots: "data/snapshots" });
 */
export async function archiveBelow(directory: string, target: string, options: ArchiveOptions): Promise<Archived> {
  const { disk = nodeDisk } = options;
  try {
    const snapshot = await oldestSnapshot(options, disk);
    const chunks = orderNames(await disk.list(directory));
    const last = chunks.at(-1);
    if (last === undefined || (last.last ?? last.first) < snapshot.seqno)
      throw new LedgerError("gap", `the ledger does not reach ${snapshot.name}; nothing can be archived by it`);
    const end = Math.min(snapshot.seqno, (options.below ?? Number.POSITIVE_INFINITY) - 1);
    // The last chunk always stays: where the ledger ends must be seen from it.
    const old = chunks.slice(0, -1).filter(({ committed, last: to }) => committed && to !== undefined && to <= end);
    const first = chunks[old.length]?.first ?? last.first;
    await disk.makeDirectory(target);
    await refuseOthers(disk, directory, target, old);
    for (const { name } of old) await move(disk, directory, target, name);
    return { moved: old.map(({ name }) => name), firstSeqno: first, snapshot };
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause;
    const reason = cause instanceof Error ? cause.message : "unknown";
    throw new LedgerError("storage-failed", `cannot archive: ${reason}`, { cause });
  }
}

async function oldestSnapshot(
  { suite, secrets, serviceCertificate, snapshots }: ArchiveOptions,
  disk: Disk,
): Promise<{ name: string; seqno: number }> {
  const audit = await SnapshotAudit.of(snapshotDirectory(snapshots, disk), {
    suite,
    ...(secrets === undefined ? {} : { secrets }),
  });
  const [oldest] = audit.files;
  if (oldest === undefined)
    throw new LedgerError("no-snapshot", "there is no committed snapshot: without one every chunk is needed");
  const { name, seqno } = oldest;
  await (serviceCertificate === undefined ? audit.checkBase(oldest) : audit.check(oldest, [serviceCertificate]));
  return { name, seqno };
}

function orderNames(names: readonly string[]): ChunkName[] {
  const chunks: ChunkName[] = [];
  for (const name of names) {
    const parsed = parseChunkName(name);
    if (parsed === undefined) throw new LedgerError("corrupt", `${name} is no name of a chunk file`);
    if (parsed !== "other") chunks.push(parsed);
  }
  chunks.sort((a, b) => a.first - b.first);
  for (const [index, { name, last, committed }] of chunks.entries()) {
    const next = chunks[index + 1];
    if (next === undefined) continue;
    if ((last !== undefined && next.first !== last + 1) || (next.committed && !committed))
      throw new LedgerError("corrupt", `${next.name} does not follow ${name}`);
  }
  return chunks;
}

/** A chunk that is at the target already, from an attempt that was cut short, must be the same one. */
async function refuseOthers(disk: Disk, from: string, to: string, chunks: readonly ChunkName[]): Promise<void> {
  const there = new Set(await disk.list(to));
  for (const { name } of chunks) {
    if (there.has(name) && !(await isSame(disk, `${from}/${name}`, `${to}/${name}`)))
      throw new LedgerError("corrupt", `${to} has another ${name}`);
  }
}

async function move(disk: Disk, from: string, to: string, name: string): Promise<void> {
  const [source, target] = [`${from}/${name}`, `${to}/${name}`];
  if (!(await disk.list(to)).includes(name)) {
    const moved = await disk.rename(source, target).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "EXDEV") return false;
        throw error;
      },
    );
    if (moved) {
      await disk.syncDirectory(to);
      await disk.syncDirectory(from);
      return;
    }
    await copy(disk, source, target);
    await disk.syncDirectory(to);
  }
  await disk.remove(source);
  await disk.syncDirectory(from);
}

const PIECE_BYTES = 1024 * 1024;

/** To another file system: under a temporary name, synced, then renamed. */
async function copy(disk: Disk, source: string, target: string): Promise<void> {
  const temporary = `${target}.part`;
  await disk.remove(temporary).catch(() => undefined); // of an attempt that was cut short
  const [input, output] = [await disk.open(source, "read"), await disk.open(temporary, "create")];
  try {
    for (let position = 0; ; ) {
      const piece = await input.read(position, PIECE_BYTES);
      if (piece.length === 0) break;
      await output.write([piece], position);
      position += piece.length;
    }
    await output.sync();
  } finally {
    await input.close();
    await output.close();
  }
  await disk.rename(temporary, target);
}

async function isSame(disk: Disk, left: string, right: string): Promise<boolean> {
  const [a, b] = [await disk.open(left, "read"), await disk.open(right, "read")];
  try {
    if ((await a.size()) !== (await b.size())) return false;
    for (let position = 0; ; ) {
      const piece = await a.read(position, PIECE_BYTES);
      if (piece.length === 0) return true;
      const other = await b.read(position, PIECE_BYTES);
      if (piece.length !== other.length || piece.some((byte, index) => byte !== other[index])) return false;
      position += piece.length;
    }
  } finally {
    await a.close();
    await b.close();
  }
}
