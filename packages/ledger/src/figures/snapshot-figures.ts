/** One snapshot in figures, once its receipt and the ledger beside it have vouched for it (ledger spec §10). */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, fromUtf8, hex } from "@sealane/wire";
import { LedgerError } from "../errors.js";
import type { LedgerSecrets } from "../ledger-secrets.js";
import type { LedgerFile } from "../ledger-source.js";
import { SNAPSHOT_BYTES_MAX } from "../limits.js";
import { RECEIPT_BYTES_MAX } from "../receipt/read-receipt.js";
import { parseSnapshotName } from "../snapshot/snapshot-name.js";
import { verifySnapshot } from "../snapshot/verify-snapshot.js";

export interface SnapshotFigures {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly seqno: number;
  readonly evidence_seqno: number;
  /** Bytes before the receipt. */
  readonly entry_size: number;
  readonly iv: string;
  readonly flags: number;
  readonly snapshot_digest: string;
  readonly receipt_claims_digest: string;
  readonly public_tables: number;
  readonly public_entries: number;
  readonly private_plain_bytes: number;
  readonly hash_at_snapshot: string;
  readonly view_history: readonly number[];
  readonly receipt_keys: readonly string[];
  readonly receipt_node: string;
  readonly receipt_root: string;
}

/** What the ledger itself says, to hold a snapshot to. */
export interface SnapshotContext {
  readonly suite: CryptoSuite;
  readonly secrets: LedgerSecrets | undefined;
  /** PEMs of all service identities. */
  readonly services: readonly string[];
  /** The leaf of a seqno, 32 bytes; `undefined` beyond the ledger. */
  readonly leafOf: (seqno: number) => Uint8Array | undefined;
}

/** Whether a file of this name is a committed snapshot. Provisional ones prove nothing yet. */
export function isSnapshotName(name: string): boolean {
  return parseSnapshotName(name)?.committed === true;
}

/** @throws {LedgerError} `bad-snapshot`, and what `decodeSnapshot` throws. */
export async function snapshotFigures(file: LedgerFile, context: SnapshotContext): Promise<SnapshotFigures> {
  const { suite, secrets } = context;
  const { name, size } = file;
  if (size > SNAPSHOT_BYTES_MAX + RECEIPT_BYTES_MAX) throw new LedgerError("too-large", `${name} has ${size} bytes`);
  const bytes = await file.read(0, size);
  const { snapshot, evidence, receipt } = await verifySnapshot(bytes, {
    suite,
    ...(secrets === undefined ? {} : { secrets }),
    serviceCertificates: context.services,
  });
  const named = parseSnapshotName(name);
  if (snapshot.seqno !== named?.seqno || evidence.seqno !== named.evidenceSeqno) {
    throw new LedgerError("bad-snapshot", `${name} is of other transactions than its name says`);
  }
  const leaf = context.leafOf(snapshot.seqno);
  if (leaf !== undefined && !equalBytes(leaf, snapshot.leaf)) {
    throw new LedgerError("bad-snapshot", `${name} has another leaf than the ledger`);
  }
  return {
    name,
    size,
    sha256: hex(suite.sha256(bytes)),
    seqno: snapshot.seqno,
    evidence_seqno: evidence.seqno,
    entry_size: snapshot.entryBytes,
    iv: hex(snapshot.iv),
    flags: snapshot.flags,
    snapshot_digest: hex(snapshot.digest),
    receipt_claims_digest: hex(snapshot.digest),
    public_tables: snapshot.publicMaps.length,
    public_entries: snapshot.publicMaps.reduce((sum, { entries }) => sum + entries.length, 0),
    private_plain_bytes: snapshot.privateBytes,
    hash_at_snapshot: hex(snapshot.leaf),
    view_history: snapshot.viewHistory,
    receipt_keys: Object.keys(JSON.parse(fromUtf8(snapshot.receipt))).sort(),
    receipt_node: receipt.nodeId ?? "",
    receipt_root: hex(receipt.root),
  };
}
