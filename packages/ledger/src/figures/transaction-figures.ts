/** One transaction in figures, as JSON: what another reader of the format should find as well. Names and order are fixed. */
import type { CryptoSuite } from "@sealane/crypto";
import { hex } from "@sealane/wire";
import { commitEvidence, type LedgerSecrets } from "../ledger-secrets.js";
import type { VerifiedEntry } from "../verification.js";

export interface TransactionFigures {
  readonly seqno: number;
  readonly view: number;
  readonly entry_type: number;
  readonly flags: number;
  /** Bytes of the whole entry. */
  readonly size: number;
  readonly signature: boolean;
  readonly public_tables: number;
  readonly public_writes: number;
  readonly public_removes: number;
  /** Of the ciphertext. */
  readonly private_bytes: number;
  /** Null where it would take the secrets to know. */
  readonly private_tables: readonly string[] | null;
  /** Of the plaintext. Null without a private part, and without the secrets. */
  readonly private_plain_sha256: string | null;
  readonly write_set_digest: string;
  /** Null where the entry type has none. */
  readonly claims_digest: string | null;
  /** Null where the entry type has none, and without the secrets. */
  readonly commit_evidence: string | null;
  readonly leaf: string;
  readonly offset: number;
  readonly file: string;
}

export function transactionFigures(
  suite: CryptoSuite,
  secrets: LedgerSecrets | undefined,
  { entry, file, offset }: VerifiedEntry,
): TransactionFigures {
  const { publicMaps, privateMaps, privateDomain, privateBytes, claimsDigest, commitEvidenceDigest } = entry;
  return {
    seqno: entry.seqno,
    view: entry.view,
    entry_type: entry.entryType,
    flags: entry.flags,
    size: entry.bytes.length,
    signature: entry.isSignature,
    public_tables: publicMaps.length,
    public_writes: publicMaps.reduce((sum, { writes }) => sum + writes.length, 0),
    public_removes: publicMaps.reduce((sum, { removes }) => sum + removes.length, 0),
    private_bytes: privateBytes,
    private_tables: privateBytes === 0 ? [] : (privateMaps?.map(({ name }) => name) ?? null),
    private_plain_sha256: privateBytes === 0 || privateDomain === undefined ? null : hex(suite.sha256(privateDomain)),
    write_set_digest: hex(entry.writeSetDigest),
    claims_digest: claimsDigest === undefined ? null : hex(claimsDigest),
    commit_evidence:
      commitEvidenceDigest === undefined || secrets === undefined ? null : commitEvidence(suite, secrets, entry),
    leaf: hex(entry.leaf),
    offset,
    file,
  };
}
