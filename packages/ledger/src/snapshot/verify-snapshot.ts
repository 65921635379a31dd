/**
 * Whether a snapshot may be relied on (ledger spec §10.3, §9.3).
 *
 * Its receipt proves that the service committed a transaction whose claims digest is the snapshot's. What an attacker could try: let an
 * application that passes claims on from its users claim the digest of a snapshot they made up. They cannot make its GCM tag, which covers
 * the public domain too: so give the ledger secrets. Without them, look at the evidence transaction itself, as `verifyLedger` does.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, type TxId } from "@sealane/wire";
import { LedgerError } from "../errors.js";
import type { LedgerSecrets } from "../ledger-secrets.js";
import { SNAPSHOT_BYTES_MAX } from "../limits.js";
import { ReceiptError } from "../receipt/errors.js";
import type { ReceiptFacts } from "../receipt/facts.js";
import { RECEIPT_BYTES_MAX } from "../receipt/read-receipt.js";
import { suiteCrypto } from "../receipt/receipt-crypto.js";
import { verifyReceipt } from "../receipt/verify-receipt.js";
import { type DecodedSnapshot, decodeSnapshot } from "./decode-snapshot.js";
import { type LedgerBase, snapshotBase } from "./snapshot-base.js";
import type { SnapshotName } from "./snapshot-name.js";

export interface VerifySnapshotOptions {
  readonly suite: CryptoSuite;
  /** With them the GCM tag is checked, and private maps are read. */
  readonly secrets?: LedgerSecrets;
  /** PEMs of service identities, one of which must vouch for the receipt: the one in force then, or one its endorsements lead to. */
  readonly serviceCertificates: readonly string[];
}

export interface VerifiedSnapshot {
  readonly snapshot: DecodedSnapshot;
  /** What a `Ledger` goes on from. */
  readonly base: LedgerBase;
  readonly evidence: TxId;
  readonly receipt: ReceiptFacts;
}

/**
 * Reads a committed snapshot and checks what makes it true.
 * @param file - The whole file. Borrowed: the result has views of it.
 * @throws {LedgerError} `bad-snapshot` (no receipt, one that does not hold, or of something else; a state that a ledger cannot go on
 * from), and what `decodeSnapshot` throws.
 * @example
 * const { snapshot, base } = await verifySnapshot(bytes, { suite, secrets, serviceCertificates: [pem] });
 * const ledger = new Ledger({ suite, secrets, base });
 */
export async function verifySnapshot(file: Uint8Array, options: VerifySnapshotOptions): Promise<VerifiedSnapshot> {
  const { suite, secrets, serviceCertificates } = options;
  const snapshot = decodeSnapshot(suite, secrets, file);
  if (snapshot.receipt.length === 0)
    throw new LedgerError("bad-snapshot", `the snapshot at ${snapshot.seqno} has no receipt yet`);
  const receipt = await provenBy(snapshot.receipt, suite, serviceCertificates);
  const { claimsDigest, transactionId } = receipt;
  if (claimsDigest === undefined || transactionId === undefined || !equalBytes(claimsDigest, snapshot.digest))
    throw new LedgerError("bad-snapshot", `the receipt behind the snapshot at ${snapshot.seqno} is of something else`);
  if (transactionId.seqno <= snapshot.seqno)
    throw new LedgerError("bad-snapshot", `the evidence of the snapshot at ${snapshot.seqno} is older than it`);
  return { snapshot, base: snapshotBase(suite, snapshot), evidence: transactionId, receipt };
}

/** A snapshot file is at most this large, in bytes: the entry, and its receipt. */
export const SNAPSHOT_FILE_BYTES_MAX = SNAPSHOT_BYTES_MAX + RECEIPT_BYTES_MAX;

/**
 * The same for a file with a name, which must be that of its contents.
 * @throws {LedgerError} as `verifySnapshot`; `bad-snapshot` also for the name of another.
 */
export async function verifySnapshotFile(
  { name, seqno, evidenceSeqno }: Pick<SnapshotName, "name" | "seqno" | "evidenceSeqno">,
  file: Uint8Array,
  options: VerifySnapshotOptions,
): Promise<VerifiedSnapshot> {
  const verified = await verifySnapshot(file, options);
  if (verified.snapshot.seqno !== seqno || verified.evidence.seqno !== evidenceSeqno)
    throw new LedgerError("bad-snapshot", `${name} is of other transactions than its name says`);
  return verified;
}

/** Snapshots can be old; which service identity vouches for one is found by trying. */
async function provenBy(
  receipt: Uint8Array,
  suite: CryptoSuite,
  serviceCertificates: readonly string[],
): Promise<ReceiptFacts> {
  const crypto = suiteCrypto(suite);
  let last: ReceiptError | undefined;
  for (const serviceCertificate of serviceCertificates) {
    try {
      return await verifyReceipt(receipt, { crypto, serviceCertificate });
    } catch (error) {
      if (!(error instanceof ReceiptError)) throw error;
      last = error;
    }
  }
  const why = last?.message ?? "no service is known";
  throw new LedgerError("bad-snapshot", `the receipt does not hold: ${why}`, { cause: last });
}
