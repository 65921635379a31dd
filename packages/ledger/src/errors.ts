/** What this package throws when bytes, an entry or the storage are refused. */

/**
 * An entry's bytes are not one entry (ledger spec §2–§5):
 * - `truncated`: the bytes end before a field does.
 * - `trailing`: bytes are left over behind the last field.
 * - `too-large`: a length or count over a bound of `limits.ts`. Nothing of that size was allocated.
 * - `bad-version`: the version byte is not 1.
 * - `bad-flags`: an unknown flag, or "chunk ends after me" on an entry that is no signature.
 * - `bad-type`: a snapshot or an unknown entry type.
 * - `bad-iv`: the IV's seqno is not the public domain's, is 0, or the IV is a snapshot's.
 * - `bad-map`: maps or keys out of order or twice, a map in the wrong domain, a map or an entry without any change.
 * - `bad-tag`: AES-256-GCM does not verify.
 * - `bad-evidence`: the commit evidence digest is not the one the ledger secret gives.
 * - `no-secret`: no ledger secret applies at this seqno.
 * - `malformed-signature`: a signature entry with other tables, keys or JSON than §7 says.
 */
export type EntryErrorCode =
  | "truncated"
  | "trailing"
  | "too-large"
  | "bad-version"
  | "bad-flags"
  | "bad-type"
  | "bad-iv"
  | "bad-map"
  | "bad-tag"
  | "bad-evidence"
  | "no-secret"
  | "malformed-signature";

/**
 * An entry is well-formed but does not belong here (ledger spec §6–§8):
 * - `bad-seqno`: not the next seqno, or a signature's JSON names another one.
 * - `bad-view`: lower than the view of the entry before, or a signature's JSON names another one.
 * - `root-mismatch`: a signature signs another Merkle root than ours.
 * - `bad-tree`: the serialised tree is malformed or does not give the signed root.
 * - `unknown-node`: no endorsed certificate of the signing node is known.
 * - `bad-node-id`: the node id is not the hash of the key in the node's certificate.
 * - `bad-certificate`: a node certificate that cannot be read, or a `cert` in the signature with another key.
 * - `bad-signature`: the ECDSA signature does not verify.
 * - `bad-kid`: the COSE signature names another key, or another algorithm, than that of the service identity in force.
 * - `bad-cose-signature`: the COSE signature does not verify with the service's key.
 */
export type ChainErrorCode =
  | "bad-seqno"
  | "bad-view"
  | "root-mismatch"
  | "bad-tree"
  | "unknown-node"
  | "bad-node-id"
  | "bad-certificate"
  | "bad-signature"
  | "bad-kid"
  | "bad-cose-signature";

/**
 * A ledger directory does not hold together (ledger spec §1), as the offline verifier sees it:
 * - `bad-file-name`: a `ledger_` name no writer produces, or one that does not fit the entries inside.
 * - `gap`: the files do not follow one another, or start behind entry 1 with no snapshot that stands for what came before.
 * - `bad-positions`: a positions table, or the offset of it, that does not fit the entries.
 * - `bad-chunk-end`: a chunk ends without a signature, goes on behind "chunk ends after me", or has "chunk ends before me" in its middle.
 * - `unfinished`: a crash left the last file with a torn entry or without its table. Starting the node repairs that.
 */
export type DirectoryErrorCode = "bad-file-name" | "gap" | "bad-positions" | "bad-chunk-end" | "unfinished";

/**
 * The ledger's own tables give a signer no authority (ledger spec §8):
 * - `bad-table`: a node, node certificate or service record that cannot be read, or more of them than the bound.
 * - `no-service`: a node certificate or a COSE signature, but no service identity so far that could have made it.
 * - `not-endorsed`: a node certificate that the service identity in force did not endorse.
 * - `pending-node`: a signature of a node that was never trusted.
 * - `bad-service-status`: a step between service states that the protocol does not have.
 * - `other-service`: the last signature belongs to another service identity than the one expected.
 */
export type TrustErrorCode =
  | "bad-table"
  | "no-service"
  | "not-endorsed"
  | "pending-node"
  | "bad-service-status"
  | "other-service";

/**
 * The storage (`./files`) refused or failed:
 * - `storage-failed`: the operating system reported an error; `cause` holds it. The storage is poisoned: what is durable is unknown, so
 *   every later call fails with this code. Stop the node.
 * - `corrupt`: the directory holds something that no crash of this writer can leave. Nothing was changed. Look at the named file.
 * - `queue-full`: more is waiting to be written than the bound allows; nothing was queued. Try again after `flush()`.
 * - `committed`: a truncation would cut into committed entries; nothing was changed.
 * - `not-found`: a read of entries that are not in the ledger.
 * - `chunk-full`: an entry would not fit the 4 GiB that positions of a chunk can name.
 * - `closed`: the storage has been closed.
 */
export type StorageErrorCode =
  | "storage-failed"
  | "corrupt"
  | "queue-full"
  | "committed"
  | "not-found"
  | "chunk-full"
  | "closed";

/**
 * No receipt can be made (ledger spec §9):
 * - `not-found`: there is no such transaction in the ledger, or it has another view there.
 * - `not-committed`: it is not known to be committed. Ask the service, and say up to where it has committed.
 * - `not-signed`: no signature comes after it yet. Wait for the next one.
 * - `claims-mismatch`: the application claimed something else in it, or nothing.
 */
export type ReceiptSourceErrorCode = "not-found" | "not-committed" | "not-signed" | "claims-mismatch";

/**
 * A snapshot (ledger spec §10) cannot be relied on:
 * - `bad-snapshot`: its receipt does not hold or is another snapshot's, its name, its leaf or its evidence is not the ledger's, or no ledger
 *   can go on from its state. Use another one, or fetch it again.
 * - `no-snapshot`: there is no committed one, so nothing can be archived. Wait for the next snapshot.
 */
export type SnapshotErrorCode = "bad-snapshot" | "no-snapshot";

/**
 * The ledger secrets cannot be recovered from a ledger and its members' shares (ledger spec §11.2):
 * - `no-shares`: the ledger holds none under a signature: the service was founded without members' encryption keys.
 * - `bad-share`: what was given is no share of this ledger's secret, the same one twice, or too few.
 * - `bad-recovery`: a record that is malformed, or does not lead to the secret before.
 */
export type RecoveryErrorCode = "no-shares" | "bad-share" | "bad-recovery";

/** What the offline verifier can find. */
export type VerifyErrorCode = EntryErrorCode | ChainErrorCode | DirectoryErrorCode | TrustErrorCode | SnapshotErrorCode;

export type LedgerErrorCode = VerifyErrorCode | StorageErrorCode | ReceiptSourceErrorCode | RecoveryErrorCode;

/**
 * Something about a ledger was refused; the state is as it was. Entry and chain codes from a peer: drop what it sent. From our own disk:
 * the ledger is damaged. Storage codes: see `StorageErrorCode`. Messages name fields, files and numbers, never contents or keys.
 */
export class LedgerError extends Error {
  override readonly name = "LedgerError";
  readonly code: LedgerErrorCode;
  constructor(code: LedgerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** For states that only a bug of this package can reach. On in production. */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${why}`);
}
