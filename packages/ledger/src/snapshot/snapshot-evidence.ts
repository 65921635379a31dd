/** The transaction that makes a snapshot provable (ledger spec §10.3): it writes the snapshot's digest, and claims it. */
import { fromUtf8, hex, utf8, WireError, type WriteSet } from "@sealane/wire";
import { SINGLE_KEY } from "../signature-record.js";
import type { EncodedSnapshot } from "./encode-snapshot.js";

export const SNAPSHOT_EVIDENCE_TABLE = "public:ccf.internal.snapshot_evidence";

/**
 * What to append for a snapshot, right after it was taken. Its receipt, which the next signature makes possible, is what goes behind the
 * snapshot in its file.
 * @example
 * const evidence = ledger.append({ view, ...snapshotEvidence(snapshot) });
 */
export function snapshotEvidence({ seqno, digest }: Pick<EncodedSnapshot, "seqno" | "digest">): {
  readonly writeSet: WriteSet;
  readonly claimsDigest: Uint8Array;
} {
  const json = JSON.stringify({ hash: hex(digest), version: seqno });
  const writeSet = [{ name: SNAPSHOT_EVIDENCE_TABLE, writes: [[SINGLE_KEY, utf8(json)] as const], removes: [] }];
  return { writeSet, claimsDigest: digest };
}

/** Whether a transaction with these public maps is the evidence of that snapshot. */
export function isEvidenceOf(
  publicMaps: WriteSet,
  { seqno, digest }: Pick<EncodedSnapshot, "seqno" | "digest">,
): boolean {
  const value = publicMaps.find(({ name }) => name === SNAPSHOT_EVIDENCE_TABLE)?.writes[0]?.[1];
  if (value === undefined) return false;
  try {
    const { hash, version } = JSON.parse(fromUtf8(value)) ?? {};
    return hash === hex(digest) && version === seqno;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof WireError)) throw error;
    return false;
  }
}
