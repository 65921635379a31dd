/**
 * Reading one entry (ledger spec §2–§7), strictly: every byte is accounted for, or the entry is refused. Types 0, 2, 3 and 4 are read; type 1
 * is a snapshot and never part of the log. With the ledger secrets the private domain is decrypted, which also proves that the writer held
 * them, and the commit evidence is checked; without them both are skipped.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, type Seqno, type View, WireError, type WriteSet } from "@sealane/wire";
import { checkMaps, decodeMaps } from "./decode-maps.js";
import { type EntryFrame, type EntryType, readFrame } from "./entry-frame.js";
import { LedgerError } from "./errors.js";
import { leafHash } from "./leaf-hash.js";
import type { LedgerSecrets } from "./ledger-secrets.js";
import {
  FLAG_CHUNK_ENDS_AFTER,
  IV_OFFSET,
  PUBLIC_LENGTH_OFFSET,
  PUBLIC_OFFSET,
  TAG_BYTES,
  TAG_OFFSET,
} from "./limits.js";
import { mergeDomains } from "./order.js";
import { readSignature, type SignatureRecord } from "./signature-record.js";
import { Span } from "./span.js";

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
  return strictly(() => decode(suite, secrets, readFrame(bytes), bytes));
}

const NO_MAPS: WriteSet = [];

/** What a verifier follows entries by. */
export type FollowedEntry = Pick<
  DecodedEntry,
  "seqno" | "view" | "flags" | "publicMaps" | "leaf" | "isSignature" | "signature" | "bytes"
>;

/**
 * As `decodeEntry`, with the same refusals, for who only follows entries: private maps are checked and not handed out, which for most
 * entries leaves no object to make.
 */
export function checkEntry(suite: CryptoSuite, secrets: LedgerSecrets | undefined, bytes: Uint8Array): FollowedEntry {
  return strictly(() => {
    const frame = readFrame(bytes);
    return frame.maps.remaining > 0 ? decode(suite, secrets, frame, bytes) : check(suite, secrets, frame, bytes);
  });
}

function strictly<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new LedgerError(codeOf(error), `the entry is malformed: ${error.message}`, { cause: error });
  }
}

function decode(
  suite: CryptoSuite,
  secrets: LedgerSecrets | undefined,
  frame: EntryFrame,
  bytes: Uint8Array,
): DecodedEntry {
  const { flags, claimsDigest, commitEvidenceDigest, publicEnd } = frame;
  const privateBytes = bytes.length - publicEnd;
  const publicMaps = decodeMaps(frame.maps, "public");
  if (publicMaps.length === 0 && privateBytes === 0) throw new LedgerError("bad-map", "the entry changes nothing");
  const privateDomain = secrets === undefined ? undefined : open(suite, secrets, frame, bytes);
  const privateMaps = privateDomain === undefined ? undefined : decodeMaps(new Span(privateDomain), "private");
  if (secrets !== undefined) checkEvidence(suite, secrets, frame);
  const signature = readSignature(publicMaps, privateBytes);
  if (signature === undefined) checkEndsNoChunk(flags);
  const writeSetDigest = suite.sha256(bytes);
  // Each field by itself: an object that starts as a copy of another one takes ten times as long to make.
  return {
    seqno: frame.seqno,
    view: frame.view,
    flags,
    entryType: frame.entryType,
    publicMaps,
    privateMaps,
    privateDomain,
    privateBytes,
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

/** An entry without public maps, which is no signature. */
function check(
  suite: CryptoSuite,
  secrets: LedgerSecrets | undefined,
  frame: EntryFrame,
  bytes: Uint8Array,
): FollowedEntry {
  const { seqno, view, flags, claimsDigest, commitEvidenceDigest } = frame;
  if (bytes.length === frame.publicEnd) throw new LedgerError("bad-map", "the entry changes nothing");
  if (secrets !== undefined) {
    checkMaps(new Span(open(suite, secrets, frame, bytes)), "private");
    checkEvidence(suite, secrets, frame);
  }
  checkEndsNoChunk(flags);
  const leaf = leafHash(suite, suite.sha256(bytes), commitEvidenceDigest, claimsDigest);
  return { seqno, view, flags, publicMaps: NO_MAPS, leaf, isSignature: false, signature: undefined, bytes };
}

/** The plaintext of the private domain. @throws {LedgerError} `bad-tag`, `no-secret`. */
function open(suite: CryptoSuite, secrets: LedgerSecrets, frame: EntryFrame, bytes: Uint8Array): Uint8Array {
  const { aead } = secrets.keysFor(suite, frame.seqno);
  const iv = bytes.subarray(IV_OFFSET, PUBLIC_LENGTH_OFFSET);
  const tag = bytes.subarray(TAG_OFFSET, TAG_OFFSET + TAG_BYTES);
  const publicDomain = bytes.subarray(PUBLIC_OFFSET, frame.publicEnd);
  // §4: the additional data is the public domain alone.
  const plaintext = aead.open(iv, publicDomain, bytes.subarray(frame.publicEnd), tag);
  if (plaintext === undefined) throw new LedgerError("bad-tag", "AES-256-GCM does not verify");
  return plaintext;
}

function checkEvidence(suite: CryptoSuite, secrets: LedgerSecrets, frame: EntryFrame): void {
  const { commitEvidenceDigest } = frame;
  if (commitEvidenceDigest === undefined) return;
  if (!equalBytes(secrets.keysFor(suite, frame.seqno).evidence.digest(frame), commitEvidenceDigest))
    throw new LedgerError("bad-evidence", "the commit evidence digest is not the ledger secret's");
}

/** Of an entry that is no signature (§1.3). */
function checkEndsNoChunk(flags: number): void {
  if ((flags & FLAG_CHUNK_ENDS_AFTER) !== 0)
    throw new LedgerError("bad-flags", "a chunk can only end after a signature entry");
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
