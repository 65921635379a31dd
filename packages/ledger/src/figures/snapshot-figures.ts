/** One snapshot in figures, once its receipt and the ledger beside it have vouched for it (ledger spec §10). */
import type { CryptoSuite } from "@sealane/crypto";
import { fromUtf8, hex } from "@sealane/wire";
import type { VerifiedSnapshot } from "../snapshot/verify-snapshot.js";

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

/** @param bytes - The whole file. */
export function snapshotFigures(
  suite: CryptoSuite,
  name: string,
  bytes: Uint8Array,
  { snapshot, evidence, receipt }: VerifiedSnapshot,
): SnapshotFigures {
  return {
    name,
    size: bytes.length,
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
