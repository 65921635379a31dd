/** The first 8 bytes of an entry (ledger spec §2): `u8 version = 1 | u8 flags | u48 size of what follows`. */
import type { CryptoSuite } from "@sealane/crypto";
import { LedgerError } from "./errors.js";
import { DIGEST_BYTES, ENTRY_BYTES_MAX, ENTRY_BYTES_MIN, ENTRY_HEADER_BYTES, FLAGS_KNOWN } from "./limits.js";

const VERSION = 1;
const SIZE_OFFSET = 2;

export interface EntryHeader {
  readonly flags: number;
  /** Length of the whole entry, this header included. */
  readonly bytes: number;
}

/**
 * Reads the header of the entry at `offset`. Says nothing about whether the rest of the entry is there.
 * @param bytesMax - Longer entries are `too-large`.
 * @throws {LedgerError} `truncated` with fewer than 8 bytes left, `bad-version`, `bad-flags`, `too-large`; `truncated` also for a size that no
 * entry can have.
 */
export function parseEntryHeader(bytes: Uint8Array, offset = 0, bytesMax = ENTRY_BYTES_MAX): EntryHeader {
  if (bytes.length - offset < ENTRY_HEADER_BYTES) throw new LedgerError("truncated", "an entry header is cut short");
  // Byte by byte: for every entry of a ledger, and a view of it would take longer.
  const version = byteAt(bytes, offset);
  if (version !== VERSION) throw new LedgerError("bad-version", `entry version ${version} is not ${VERSION}`);
  const flags = byteAt(bytes, offset + 1);
  if ((flags & ~FLAGS_KNOWN) !== 0) throw new LedgerError("bad-flags", `unknown entry flags ${flags}`);
  let size = 0;
  for (let index = ENTRY_HEADER_BYTES - 1; index >= SIZE_OFFSET; index--)
    size = size * 256 + byteAt(bytes, offset + index);
  const total = size + ENTRY_HEADER_BYTES;
  if (total > bytesMax) throw new LedgerError("too-large", `an entry of ${total} bytes is above ${bytesMax}`);
  if (total < ENTRY_BYTES_MIN)
    throw new LedgerError("truncated", `an entry has at least ${ENTRY_BYTES_MIN} bytes, not ${total}`);
  return { flags, bytes: total };
}

/** One that is there. */
function byteAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0;
}

/**
 * Cuts back-to-back entries apart by their headers; the insides are not looked at.
 * @returns Views of `bytes`.
 * @throws {LedgerError} as `parseEntryHeader`, and `truncated` when the last entry is cut short.
 */
export function splitEntries(bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const header = parseEntryHeader(bytes, offset);
    if (header.bytes > bytes.length - offset) throw new LedgerError("truncated", "the last entry is cut short");
    entries.push(bytes.subarray(offset, offset + header.bytes));
    offset += header.bytes;
  }
  return entries;
}

/**
 * What binds entries to the replication message before them (channel-v2 §5): SHA-256 over the concatenated write set digests, 32 zero bytes
 * if there are none.
 * @param digests - The write set digests, 32 bytes each, in order: apart, or already concatenated.
 */
export function entriesDigest(suite: CryptoSuite, digests: readonly Uint8Array[]): Uint8Array {
  return digests.every(({ length }) => length === 0) ? new Uint8Array(DIGEST_BYTES) : suite.sha256(...digests);
}
