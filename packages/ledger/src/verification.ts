/** What the verifier is asked, and what it answers. */
import type { CryptoSuite } from "@sealane/crypto";
import type { Seqno, TxId } from "@sealane/wire";
import type { DecodedEntry } from "./decode-entry.js";
import type { VerifyErrorCode } from "./errors.js";
import type { LedgerSecrets } from "./ledger-secrets.js";
import type { LedgerSource } from "./ledger-source.js";

export interface VerifyOptions {
  readonly suite: CryptoSuite;
  /** With them every GCM tag and commit evidence digest is checked too. */
  readonly secrets?: LedgerSecrets;
  /** PEM. The last signature must belong to the service with this key. Renewed certificates of one key are the same service. */
  readonly serviceCertificate?: string;
  /** The snapshot files beside the ledger. Each committed one is verified too; a ledger that does not start with entry 1 needs one. */
  readonly snapshots?: LedgerSource;
}

export interface LedgerVerified {
  readonly ok: true;
  /** How many there are. */
  readonly entries: number;
  /** The first of them: 1, unless older ones were moved away or this ledger began with a snapshot. */
  readonly firstSeqno: Seqno;
  /** The snapshot that stands for what came before. Absent in a whole ledger. */
  readonly base?: { readonly seqno: Seqno; readonly file: string };
  /** Committed snapshots, all verified. */
  readonly snapshots: number;
  readonly signatures: number;
  /** The last signature: everything up to and without it is signed. Absent in a ledger without signatures or snapshot. */
  readonly lastSigned?: TxId;
  /** Entries behind the last signature: well-formed and in order, vouched for by nobody. */
  readonly unsigned: number;
  /** Different service keys in force over the whole ledger: one more than there were disaster recoveries. */
  readonly serviceIdentities: number;
  /** PEM of the service identity under which the last signature was made. */
  readonly serviceCertificate?: string;
  /** The Merkle root over all leaves, those of unsigned entries included: what the next signature would sign. 32 bytes. */
  readonly root: Uint8Array;
}

export interface LedgerRefused {
  readonly ok: false;
  /** The first bad entry. */
  readonly at: {
    readonly seqno: Seqno;
    /** Empty when the directory itself is wrong; of a bad snapshot its name. */
    readonly file: string;
    /** Of the entry, or of the table or header, in the file. */
    readonly offset: number;
  };
  readonly code: VerifyErrorCode;
  /** One sentence for the operator. */
  readonly message: string;
}

export type VerifyResult = LedgerVerified | LedgerRefused;

/** An entry that follows all entries before it. Only a signature after it makes it more than that. */
export interface VerifiedEntry {
  readonly entry: DecodedEntry;
  /** Where it lies. */
  readonly file: string;
  readonly offset: number;
}
