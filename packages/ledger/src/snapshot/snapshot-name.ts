/** Names of snapshot files (ledger spec §10.1): `snapshot_<seqno>_<evidence seqno>`, and `.committed` behind it once the receipt is in. */

export interface SnapshotName {
  readonly name: string;
  readonly seqno: number;
  /** Of the transaction that wrote the snapshot's digest. */
  readonly evidenceSeqno: number;
  readonly committed: boolean;
}

/** Releases 1.x of CCF wrote further digits behind. */
const SNAPSHOT_NAME = /^snapshot_([1-9][0-9]{0,15})_([1-9][0-9]{0,15})(\.committed(?:_[0-9]+)?)?$/;

/** The snapshot a file name stands for, or `undefined` for another file. */
export function parseSnapshotName(name: string): SnapshotName | undefined {
  const [, seqnoText, evidenceText, suffix] = SNAPSHOT_NAME.exec(name) ?? [];
  const seqno = Number(seqnoText);
  const evidenceSeqno = Number(evidenceText);
  if (!Number.isSafeInteger(seqno) || !Number.isSafeInteger(evidenceSeqno) || evidenceSeqno <= seqno) return undefined;
  return { name, seqno, evidenceSeqno, committed: suffix !== undefined };
}

export function provisionalSnapshotName(seqno: number, evidenceSeqno: number): string {
  return `snapshot_${seqno}_${evidenceSeqno}`;
}

export function committedSnapshotName(seqno: number, evidenceSeqno: number): string {
  return `${provisionalSnapshotName(seqno, evidenceSeqno)}.committed`;
}
