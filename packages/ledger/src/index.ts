/** Entry point `@sealane/ledger`: the ledger without I/O. Files are in `@sealane/ledger/files`. */
export {
  type BuiltReceipt,
  buildReceipt,
  type ReceiptOptions,
  receiptOf,
  type SourceReceiptOptions,
} from "./build-receipt.js";
export type { CertificateLookup, ServiceLookup } from "./check-signature.js";
export { entriesFrom, type PlacedEntry } from "./chunk-walk.js";
export { type DecodedEntry, decodeEntry } from "./decode-entry.js";
export { directoryReader } from "./directory-reader.js";
export { type EntryInput, encodeEntry } from "./encode-entry.js";
export type { EntryType } from "./entry-frame.js";
export { type EntryHeader, entriesDigest, parseEntryHeader, splitEntries } from "./entry-header.js";
export {
  type ChainErrorCode,
  type DirectoryErrorCode,
  type EntryErrorCode,
  LedgerError,
  type LedgerErrorCode,
  type ReceiptSourceErrorCode,
  type RecoveryErrorCode,
  type SnapshotErrorCode,
  type StorageErrorCode,
  type TrustErrorCode,
  type VerifyErrorCode,
} from "./errors.js";
export {
  type FiguresOptions,
  type FiguresResult,
  type LedgerFigures,
  ledgerFigures,
} from "./figures/ledger-figures.js";
export type { SnapshotFigures } from "./figures/snapshot-figures.js";
export type { FileFigures, SignatureFigures } from "./figures/tally.js";
export type { TransactionFigures } from "./figures/transaction-figures.js";
export {
  findTransaction,
  type KeyChange,
  type QueryOptions,
  queryEntries,
  queryKey,
  type RangeOptions,
} from "./historical-queries.js";
export { isSignatureEntry } from "./is-signature-entry.js";
export { Ledger, type LedgerEntry, type LedgerOptions, type ServiceSigner, type SignatureEntry } from "./ledger.js";
export { commitEvidence, type LedgerSecret, LedgerSecrets } from "./ledger-secrets.js";
export { type LedgerFile, type LedgerSource, memorySource } from "./ledger-source.js";
export type { EntryReader, LedgerStorage, StorageStats, StoredEntry } from "./ledger-storage.js";
export {
  CHUNK_BYTES_DEFAULT,
  ENTRY_BYTES_MAX,
  FLAG_CHUNK_ENDS_AFTER,
  FLAG_CHUNK_ENDS_BEFORE,
  IV_OFFSET,
  PUBLIC_LENGTH_OFFSET,
  TAG_OFFSET,
} from "./limits.js";
export { MerkleTree, type ProofStep, type TreeSuite } from "./merkle-tree.js";
export { makeRecovery, type NewSecret, type ShareHolders } from "./recovery/make-recovery.js";
export {
  type RecoveredSecrets,
  type RecoveryRecords,
  readRecovery,
  recoverSecrets,
} from "./recovery/recover-secrets.js";
export { HISTORICAL_SECRET_TABLE, RECOVERY_SHARES_TABLE, type RecoveryShares } from "./recovery/recovery-records.js";
export { type Shown, type ShownMap, shownBytes, shownMaps } from "./shown-maps.js";
export { SINGLE_KEY, type SignatureRecord } from "./signature-record.js";
export { type DecodedSnapshot, decodeSnapshot, type SnapshotMap } from "./snapshot/decode-snapshot.js";
export { type EncodedSnapshot, encodeSnapshot, type SnapshotInput, snapshotSteps } from "./snapshot/encode-snapshot.js";
export type { SnapshotEntry, SnapshotMapState } from "./snapshot/layout.js";
export { type LedgerBase, snapshotBase } from "./snapshot/snapshot-base.js";
export { SNAPSHOT_EVIDENCE_TABLE, snapshotEvidence } from "./snapshot/snapshot-evidence.js";
export {
  committedSnapshotName,
  parseSnapshotName,
  provisionalSnapshotName,
  type SnapshotName,
} from "./snapshot/snapshot-name.js";
export {
  SNAPSHOT_FILE_BYTES_MAX,
  type VerifiedSnapshot,
  type VerifySnapshotOptions,
  verifySnapshot,
  verifySnapshotFile,
} from "./snapshot/verify-snapshot.js";
export { ENDORSED_CERTIFICATES_TABLE, NODES_INFO_TABLE, SERVICE_INFO_TABLE } from "./trust-tables.js";
export type {
  LedgerRefused,
  LedgerVerified,
  VerifiedEntry,
  VerifyOptions,
  VerifyResult,
} from "./verification.js";
export { verifiedEntries, verifyLedger } from "./verify-ledger.js";
export { ViewHistory } from "./view-history.js";
