/** What stands around the maps of an entry (ledger spec §2, §2.1, §3.1), read in place and checked for its form. */
import { type Seqno, seqno, type View, view } from "@sealane/wire";
import { parseEntryHeader } from "./entry-header.js";
import { LedgerError } from "./errors.js";
import { DIGEST_BYTES, IV_OFFSET } from "./limits.js";
import { Span } from "./span.js";

/** §2.1: the top bit of the IV's view marks a snapshot. */
const SNAPSHOT_BIT = 0x8000_0000;
const RESERVED_BYTES = 8;

/** §3.1: what an entry carries. 0 write set, 2 with claims, 3 with commit evidence, 4 with both. */
export type EntryType = 0 | 2 | 3 | 4;

export interface EntryFrame {
  readonly flags: number;
  readonly seqno: Seqno;
  readonly view: View;
  readonly entryType: EntryType;
  /** Where the digests are in the entry, as far as its type has them: views of it. */
  readonly claimsDigest: Uint8Array | undefined;
  readonly commitEvidenceDigest: Uint8Array | undefined;
  /** The public maps: stands before the first and ends with the public domain. */
  readonly maps: Span;
  /** Where the public domain ends, and the ciphertext, which goes to the end of the entry, starts. */
  readonly publicEnd: number;
}

/**
 * @param bytes - One whole entry and nothing else. Borrowed.
 * @throws {LedgerError} `truncated`, `trailing`, `bad-version`, `bad-flags`, `too-large`, `bad-iv`, `bad-type`. @throws {WireError} likewise.
 */
export function readFrame(bytes: Uint8Array): EntryFrame {
  const header = parseEntryHeader(bytes);
  if (header.bytes > bytes.length)
    throw new LedgerError("truncated", `the entry ends after ${bytes.length} of ${header.bytes} bytes`);
  if (header.bytes < bytes.length)
    throw new LedgerError("trailing", `${bytes.length - header.bytes} bytes follow the entry`);

  const span = new Span(bytes);
  span.skip(IV_OFFSET, "header and tag");
  const ivSeqno = span.u64("IV seqno");
  const ivView = span.u32("IV view");
  span.narrow(span.u64("public domain"), "public domain");
  const publicEnd = span.offset + span.remaining;
  if ((ivView & SNAPSHOT_BIT) !== 0) throw new LedgerError("bad-iv", "the IV is a snapshot's");

  const entryType = decodeType(span.u8("entry type"));
  const domainSeqno = span.u64("seqno");
  if (domainSeqno !== ivSeqno || domainSeqno === 0)
    throw new LedgerError("bad-iv", `the IV names seqno ${ivSeqno}, the public domain ${domainSeqno}`);
  const hasClaims = entryType === 2 || entryType === 4;
  const claimsDigest = hasClaims ? takeDigest(span, "claims digest") : undefined;
  const commitEvidenceDigest = entryType >= 3 ? takeDigest(span, "commit evidence digest") : undefined;
  span.skip(RESERVED_BYTES, "reserved"); // §3.1: older entries hold any value, even -1
  return {
    flags: header.flags,
    seqno: seqno(domainSeqno),
    view: view(ivView),
    entryType,
    claimsDigest,
    commitEvidenceDigest,
    maps: span,
    publicEnd,
  };
}

function takeDigest(span: Span, field: string): Uint8Array {
  const start = span.skip(DIGEST_BYTES, field);
  return span.bytes.subarray(start, start + DIGEST_BYTES);
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
