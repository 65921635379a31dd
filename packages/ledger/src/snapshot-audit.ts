/**
 * The snapshots beside a ledger, held to it (ledger spec §10.3): each must verify by its receipt, have the ledger's own leaf of its seqno,
 * and be what the ledger's evidence transaction says. While the ledger is walked only what is needed for that is kept; a snapshot is read
 * when its turn comes, one at a time.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, fromUtf8, WireError } from "@sealane/wire";
import type { FollowedEntry } from "./decode-entry.js";
import { LedgerError } from "./errors.js";
import type { LedgerSecrets } from "./ledger-secrets.js";
import type { LedgerFile, LedgerSource } from "./ledger-source.js";
import { decodeSnapshot, type SnapshotMap } from "./snapshot/decode-snapshot.js";
import { isEvidenceOf } from "./snapshot/snapshot-evidence.js";
import { parseSnapshotName, type SnapshotName } from "./snapshot/snapshot-name.js";
import { SNAPSHOT_FILE_BYTES_MAX, type VerifiedSnapshot, verifySnapshotFile } from "./snapshot/verify-snapshot.js";
import { SERVICE_INFO_TABLE } from "./trust-tables.js";

export interface SnapshotFile extends SnapshotName {
  readonly file: LedgerFile;
}

export interface AuditOptions {
  readonly suite: CryptoSuite;
  readonly secrets?: LedgerSecrets;
  /** PEM of a service identity that was given from outside. */
  readonly serviceCertificate?: string;
}

export class SnapshotAudit {
  readonly #options: AuditOptions;
  /** Committed ones, oldest first. Provisional ones prove nothing. */
  readonly files: readonly SnapshotFile[];
  readonly #leafWanted: ReadonlySet<number>;
  readonly #evidenceWanted: ReadonlySet<number>;
  readonly #leaves = new Map<number, Uint8Array>();
  readonly #evidence = new Map<number, FollowedEntry["publicMaps"]>();

  private constructor(options: AuditOptions, files: readonly SnapshotFile[]) {
    this.#options = options;
    this.files = files;
    this.#leafWanted = new Set(files.map(({ seqno }) => seqno));
    this.#evidenceWanted = new Set(files.map(({ evidenceSeqno }) => evidenceSeqno));
  }

  static async of(source: LedgerSource | undefined, options: AuditOptions): Promise<SnapshotAudit> {
    const files: SnapshotFile[] = [];
    for (const file of (await source?.files()) ?? []) {
      const name = parseSnapshotName(file.name);
      if (name?.committed === true) files.push({ ...name, file });
    }
    return new SnapshotAudit(
      options,
      files.sort((a, b) => a.seqno - b.seqno),
    );
  }

  /** Keeps of an entry what a snapshot will be held to. */
  observe({ seqno, leaf, publicMaps }: FollowedEntry): void {
    if (this.#leafWanted.has(seqno)) this.#leaves.set(seqno, leaf.slice());
    if (!this.#evidenceWanted.has(seqno)) return;
    // Copies: an entry's bytes are views of a window over the file.
    const copied = publicMaps.map(({ name, writes }) => ({
      name,
      writes: writes.map(([key, value]) => [key.slice(), value.slice()] as const),
      removes: [],
    }));
    this.#evidence.set(seqno, copied);
  }

  /**
   * Reads and checks one snapshot.
   * @param services - PEMs of the service identities the ledger has had.
   * @throws {LedgerError} `bad-snapshot`, and what `verifySnapshot` throws.
   */
  async check(
    snapshotFile: SnapshotFile,
    services: readonly string[],
  ): Promise<VerifiedSnapshot & { readonly bytes: Uint8Array }> {
    const { suite, secrets, serviceCertificate } = this.#options;
    const { file, name, seqno, evidenceSeqno } = snapshotFile;
    const bytes = await readWhole(file);
    const verified = await verifySnapshotFile(snapshotFile, bytes, {
      suite,
      ...(secrets === undefined ? {} : { secrets }),
      serviceCertificates: [...services, ...(serviceCertificate === undefined ? [] : [serviceCertificate])],
    });
    const { snapshot } = verified;
    const leaf = this.#leaves.get(seqno);
    if (leaf !== undefined && !equalBytes(leaf, snapshot.leaf))
      throw new LedgerError("bad-snapshot", `${name} has another leaf than the ledger`);
    const evidenceMaps = this.#evidence.get(evidenceSeqno);
    if (evidenceMaps !== undefined && !isEvidenceOf(evidenceMaps, snapshot))
      throw new LedgerError("bad-snapshot", `entry ${evidenceSeqno} is not the evidence of ${name}`);
    return { ...verified, bytes };
  }

  /**
   * The snapshot that a ledger without its first entries goes on from. Whose it is, its own state says, as everywhere in a ledger, unless a
   * service certificate was given.
   * @throws as `check`.
   */
  async checkBase(base: SnapshotFile): Promise<VerifiedSnapshot & { readonly bytes: Uint8Array }> {
    const { suite } = this.#options;
    const { publicMaps } = decodeSnapshot(suite, undefined, await readWhole(base.file));
    const own = serviceCertificateIn(publicMaps);
    return this.check(base, own === undefined ? [] : [own]);
  }
}

async function readWhole(file: LedgerFile): Promise<Uint8Array> {
  const { name, size } = file;
  if (size > SNAPSHOT_FILE_BYTES_MAX) throw new LedgerError("too-large", `${name} has ${size} bytes`);
  return file.read(0, size);
}

/** PEM of the service identity in force, as a snapshot's state has it. */
function serviceCertificateIn(maps: readonly SnapshotMap[]): string | undefined {
  const value = maps.find(({ name }) => name === SERVICE_INFO_TABLE)?.entries[0]?.value;
  if (value === undefined) return undefined;
  try {
    const { cert } = JSON.parse(fromUtf8(value)) ?? {};
    return typeof cert === "string" ? cert : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof WireError)) throw error;
    return undefined;
  }
}
