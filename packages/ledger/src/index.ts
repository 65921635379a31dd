/** Entry point `@sealane/ledger`: the ledger without I/O. Files are in `@sealane/ledger/files`. */
export type { CertificateLookup } from "./check-signature.js";
export { type DecodedEntry, decodeEntry, type EntryType } from "./decode-entry.js";
export { type EntryInput, encodeEntry } from "./encode-entry.js";
export { type EntryHeader, entriesDigest, parseEntryHeader, splitEntries } from "./entry-header.js";
export {
  type ChainErrorCode,
  type EntryErrorCode,
  LedgerError,
  type LedgerErrorCode,
  type StorageErrorCode,
} from "./errors.js";
export { Ledger, type LedgerEntry, type LedgerOptions } from "./ledger.js";
export { commitEvidence, type LedgerSecret, LedgerSecrets } from "./ledger-secrets.js";
export {
  CHUNK_BYTES_DEFAULT,
  ENTRY_BYTES_MAX,
  FLAG_CHUNK_ENDS_AFTER,
  FLAG_CHUNK_ENDS_BEFORE,
} from "./limits.js";
export { MerkleTree, type ProofStep, type TreeSuite } from "./merkle-tree.js";
export type { SignatureRecord } from "./signature-record.js";
