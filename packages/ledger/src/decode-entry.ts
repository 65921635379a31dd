/**
 * Reading one entry (ledger spec §2–§7), strictly: every byte is accounted for, or the entry is refused. Types 0, 2, 3 and 4 are read; type 1
 * is a snapshot and never part of the log. With the ledger secrets the private domain is decrypted, which also proves that the writer held
 * them, and the commit evidence is checked; without them both are skipped.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, Reader, type Seqno, seqno, type View, view, WireError, type WriteSet } from "@sealane/wire";
import { decodeMaps } from "./decode-maps.js";
import { parseEntryHeader } from "./entry-header.js";
import { LedgerError } from "./errors.js";
import { leafHash } from "./leaf-hash.js";
import type { LedgerSecrets } from "./ledger-secrets.js";
import {
  DIGEST_BYTES,
  FLAG_CHUNK_ENDS_AFTER,
  IV_OFFSET,
  PUBLIC_LENGTH_OFFSET,
  TAG_BYTES,
  TAG_OFFSET,
} from "./limits.js";
import { mergeDomains } from "./order.js";
import { readSignature, type SignatureRecord } from "./signature-record.js";

/** §2.1: the top bit of the IV's view marks a snapshot. */
const SNAPSHOT_BIT = 0x8000_0000;

/** §3.1: what an entry carries. 0 write set, 2 with claims, 3 with commit evidence, 4 with both. */
export type EntryType = 0 | 2 | 3 | 4;

/** One entry, read and checked by itself; whether it belongs behind the entry before is `Ledger`'s business. */
export interface DecodedEntry {
  readonly seqno: Seqno;
  readonly view: View;
  readonly flags: number;
  readonly entryType: EntryType;
  /** Keys and values are views of `bytes`. */
  readonly publicMaps: WriteSet;
  /** Freshly decrypted; `undefined` when no secrets were given. */
  readonly privateMaps: WriteSet | undefined;
  /** The plaintext that `privateMaps` are views of; empty when no private map was written. */
  readonly privateDomain: Uint8Array | undefined;
  /** Length of the ciphertext, and so of the plaintext. */
  readonly privateBytes: number;
  /** Both domains, ascending by name; the public one alone when no secrets were given. */
  readonly writeSet: WriteSet;
  /** 32 bytes, types 2 and 4. */
  readonly claimsDigest: Uint8Array | undefined;
  /** 32 bytes, types 3 and 4. */
  readonly commitEvidenceDigest: Uint8Array | undefined;
  /** SHA-256 of `bytes`. */
  readonly writeSetDigest: Uint8Array;
  /** The Merkle leaf (§6.1). */
  readonly leaf: Uint8Array;
  /** A signature entry is the only kind that can be committed (§7). */
  readonly isSignature: boolean;
  readonly signature: SignatureRecord | undefined;
  /** The entry as given: borrowed, not copied. */
  readonly bytes: Uint8Array;
}

/**
 * Decodes exactly one entry.
 * @param secrets - `undefined` reads the public part only.
 * @param bytes - One whole entry and nothing else. Borrowed: keep it unchanged as long as the result, or what was taken from it, lives.
 * @throws {LedgerError} an `EntryErrorCode`.
 * @example
 * for (const bytes of splitEntries(received)) store.apply(decodeEntry(suite, secrets, bytes).writeSet);
 */
export function decodeEntry(suite: CryptoSuite, secrets: LedgerSecrets | undefined, bytes: Uint8Array): DecodedEntry {
  try {
    return decode(suite, secrets, bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new LedgerError(codeOf(error), `the entry is malformed: ${error.message}`, { cause: error });
  }
}

function decode(suite: CryptoSuite, secrets: LedgerSecrets | undefined, bytes: Uint8Array): DecodedEntry {
  const header = parseEntryHeader(bytes);
  if (header.bytes > bytes.length)
    throw new LedgerError("truncated", `the entry ends after ${bytes.length} of ${header.bytes} bytes`);
  if (header.bytes < bytes.length)
    throw new LedgerError("trailing", `${bytes.length - header.bytes} bytes follow the entry`);

  const frame = new Reader(bytes.subarray(IV_OFFSET));
  const ivSeqno = frame.u64("IV seqno");
  const ivView = frame.u32("IV view");
  const publicBytes = frame.blob64(undefined, "public domain");
  const ciphertext = frame.rest();
  if ((ivView & SNAPSHOT_BIT) !== 0) throw new LedgerError("bad-iv", "the IV is a snapshot's");

  const domain = new Reader(publicBytes);
  const entryType = decodeType(domain.u8("entry type"));
  const domainSeqno = domain.u64("seqno");
  if (domainSeqno !== ivSeqno || domainSeqno === 0) {
    throw new LedgerError("bad-iv", `the IV names seqno ${ivSeqno}, the public domain ${domainSeqno}`);
  }
  const claimsDigest = entryType === 2 || entryType === 4 ? domain.bytes(DIGEST_BYTES, "claims digest") : undefined;
  const commitEvidenceDigest = entryType >= 3 ? domain.bytes(DIGEST_BYTES, "commit evidence digest") : undefined;
  domain.bytes(8, "reserved"); // §3.1: older entries hold any value, even -1
  const publicMaps = decodeMaps(domain, "public");
  if (publicMaps.length === 0 && ciphertext.length === 0) throw new LedgerError("bad-map", "the entry changes nothing");

  const txId = { view: view(ivView), seqno: seqno(domainSeqno) };
  let privateMaps: WriteSet | undefined;
  let privateDomain: Uint8Array | undefined;
  if (secrets !== undefined) {
    const { aead, evidence } = secrets.keysFor(suite, txId.seqno);
    const iv = bytes.subarray(IV_OFFSET, PUBLIC_LENGTH_OFFSET);
    const tag = bytes.subarray(TAG_OFFSET, TAG_OFFSET + TAG_BYTES);
    privateDomain = aead.open(iv, publicBytes, ciphertext, tag); // §4: the additional data is the public domain alone
    if (privateDomain === undefined) throw new LedgerError("bad-tag", "AES-256-GCM does not verify");
    privateMaps = decodeMaps(new Reader(privateDomain), "private");
    if (commitEvidenceDigest !== undefined && !equalBytes(evidence.digest(txId), commitEvidenceDigest)) {
      throw new LedgerError("bad-evidence", "the commit evidence digest is not the ledger secret's");
    }
  }

  const signature = readSignature(publicMaps, ciphertext.length);
  if (signature === undefined && (header.flags & FLAG_CHUNK_ENDS_AFTER) !== 0) {
    throw new LedgerError("bad-flags", "a chunk can only end after a signature entry"); // §1.3
  }
  const writeSetDigest = suite.sha256(bytes);
  // Each field by itself: an object that starts as a copy of another one takes ten times as long to make.
  return {
    seqno: txId.seqno,
    view: txId.view,
    flags: header.flags,
    entryType,
    publicMaps,
    privateMaps,
    privateDomain,
    privateBytes: ciphertext.length,
    writeSet: mergeDomains(publicMaps, privateMaps ?? []),
    claimsDigest,
    commitEvidenceDigest,
    writeSetDigest,
    leaf: leafHash(suite, writeSetDigest, commitEvidenceDigest, claimsDigest),
    isSignature: signature !== undefined,
    signature,
    bytes,
  };
}

function decodeType(type: number): EntryType {
  switch (type) {
    case 0:
    case 2:
    case 3:
    case 4:
      return type;
    case 1:
      throw new LedgerError("bad-type", "a snapshot is not an entry of the log");
    default:
      throw new LedgerError("bad-type", `unknown entry type ${type}`);
  }
}

function codeOf(error: WireError): "truncated" | "trailing" | "too-large" | "bad-map" {
  switch (error.code) {
    case "truncated":
    case "trailing":
    case "too-large":
      return error.code;
    case "out-of-range":
      return "too-large"; // a u64 no length, count or seqno can be
    case "unknown-kind":
    case "utf8":
    case "malformed":
      return "bad-map"; // only a map's name is text
  }
}
