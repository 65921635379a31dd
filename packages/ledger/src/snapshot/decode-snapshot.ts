/**
 * Reading a snapshot file (ledger spec §10): one entry of type 1, and behind it the JSON receipt of its evidence transaction, which is missing
 * while the snapshot is provisional.
 *
 *     u8 1 | u64 seqno | u64 0 | blob leaf of that seqno | blob view history | maps
 *     map:   blob name | u64 seqno of its last change | blob state
 *     state: for each key, blob key, padded | u64 8 + value length | u64 seqno of the write | value, padded;  padding: zeros to 8 bytes
 *
 * What makes a snapshot true is its receipt: SHA-256 of the entry is the claims digest of a committed transaction. That is the caller's to
 * check, with `verifyReceipt`.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, fromUtf8, Reader, type Seqno, seqno, WireError } from "@sealane/wire";
import { parseEntryHeader } from "../entry-header.js";
import { LedgerError } from "../errors.js";
import type { LedgerSecrets } from "../ledger-secrets.js";
import {
  DIGEST_BYTES,
  IV_OFFSET,
  NAME_BYTES_MAX,
  PUBLIC_LENGTH_OFFSET,
  SNAPSHOT_BYTES_MAX,
  SNAPSHOT_KEYS_MAX,
  SNAPSHOT_MAPS_MAX,
  TAG_BYTES,
  TAG_OFFSET,
  VIEWS_MAX,
} from "../limits.js";
import { compareBytes, isPublicMap } from "../order.js";
import { keyRank } from "./key-order.js";
import { ALIGNMENT, SNAPSHOT_IV_VIEW, SNAPSHOT_TYPE, type SnapshotEntry } from "./layout.js";

/** Of a write's seqno: the key was deleted then. Only old snapshots have such. */
const DELETED_BIT = 1n << 63n;

export interface SnapshotMap {
  readonly name: string;
  /** The map's last change. */
  readonly changedAt: number;
  /** Live keys, in the order of the file. Views. */
  readonly entries: readonly SnapshotEntry[];
}

export interface DecodedSnapshot {
  readonly seqno: Seqno;
  readonly flags: number;
  /** 12 bytes. */
  readonly iv: Uint8Array;
  /** Length of the entry; the receipt follows. */
  readonly entryBytes: number;
  /** SHA-256 of the entry: the claims digest of the evidence transaction. */
  readonly digest: Uint8Array;
  /** The Merkle leaf of `seqno`. */
  readonly leaf: Uint8Array;
  /** First seqno of each view, from view 1 on. */
  readonly viewHistory: readonly number[];
  readonly publicMaps: readonly SnapshotMap[];
  /** `undefined` when no secrets were given. */
  readonly privateMaps: readonly SnapshotMap[] | undefined;
  readonly privateBytes: number;
  /** UTF-8 JSON (§9.1); empty while the snapshot is provisional. */
  readonly receipt: Uint8Array;
}

/**
 * @param secrets - `undefined` reads the public part only.
 * @param file - The whole file. Borrowed: the result has views of it.
 * @throws {LedgerError} `truncated`, `trailing`, `too-large`, `bad-version`, `bad-flags`, `bad-type`, `bad-iv`, `bad-map`, `bad-tag`, `no-secret`.
 */
export function decodeSnapshot(
  suite: CryptoSuite,
  secrets: LedgerSecrets | undefined,
  file: Uint8Array,
): DecodedSnapshot {
  try {
    return decode(suite, secrets, file);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const { code } = error;
    const known = code === "truncated" || code === "trailing" || code === "too-large" ? code : "bad-map";
    throw new LedgerError(known, `the snapshot is malformed: ${error.message}`, { cause: error });
  }
}

function decode(suite: CryptoSuite, secrets: LedgerSecrets | undefined, file: Uint8Array): DecodedSnapshot {
  const header = parseEntryHeader(file, 0, SNAPSHOT_BYTES_MAX);
  if (header.bytes > file.length) throw new LedgerError("truncated", "the snapshot is cut short");
  if (header.flags !== 0) throw new LedgerError("bad-flags", "a snapshot has no flags"); // §10.2
  const entry = file.subarray(0, header.bytes);
  const iv = entry.subarray(IV_OFFSET, PUBLIC_LENGTH_OFFSET);
  const frame = new Reader(entry.subarray(IV_OFFSET));
  const ivSeqno = frame.u64("IV seqno");
  if (frame.u32("IV view") !== SNAPSHOT_IV_VIEW) throw new LedgerError("bad-iv", "the IV is not a snapshot's");
  const publicDomain = frame.blob64(undefined, "public domain");
  const ciphertext = frame.rest();

  const domain = new Reader(publicDomain);
  if (domain.u8("entry type") !== SNAPSHOT_TYPE) throw new LedgerError("bad-type", "the entry is not a snapshot");
  const at = domain.u64("seqno");
  if (at !== ivSeqno || at === 0) throw new LedgerError("bad-iv", `the IV names seqno ${ivSeqno}, the domain ${at}`);
  domain.u64("reserved");
  const leaf = domain.blob64(DIGEST_BYTES, "leaf");
  if (leaf.length !== DIGEST_BYTES) throw new LedgerError("truncated", "the leaf is no digest");
  const viewHistory = readViewHistory(domain.blob64(undefined, "view history"));
  const publicMaps = readMaps(domain, "public");

  let privateMaps: readonly SnapshotMap[] | undefined;
  if (secrets !== undefined) {
    const tag = entry.subarray(TAG_OFFSET, TAG_OFFSET + TAG_BYTES);
    const plaintext = secrets.keysFor(suite, seqno(at)).aead.open(iv, publicDomain, ciphertext, tag);
    if (plaintext === undefined) throw new LedgerError("bad-tag", "AES-256-GCM does not verify");
    privateMaps = readMaps(new Reader(plaintext), "private");
  }
  return {
    seqno: seqno(at),
    flags: header.flags,
    iv,
    entryBytes: header.bytes,
    digest: suite.sha256(entry),
    leaf,
    viewHistory,
    publicMaps,
    privateMaps,
    privateBytes: ciphertext.length,
    receipt: file.subarray(header.bytes),
  };
}

function readViewHistory(bytes: Uint8Array): number[] {
  if (bytes.length > 8 * VIEWS_MAX) throw new LedgerError("too-large", "a snapshot with too many views");
  const reader = new Reader(bytes);
  const starts: number[] = [];
  while (reader.remaining > 0) {
    const start = reader.u64("first seqno of a view");
    if (start < (starts.at(-1) ?? 0)) throw new LedgerError("bad-map", "the view history does not ascend");
    starts.push(start);
  }
  return starts;
}

function readMaps(reader: Reader, domain: "public" | "private"): SnapshotMap[] {
  const maps: SnapshotMap[] = [];
  let previous: Uint8Array | undefined;
  while (reader.remaining > 0) {
    const nameBytes = reader.blob64(NAME_BYTES_MAX, "map name");
    const name = fromUtf8(nameBytes);
    if (isPublicMap(name) !== (domain === "public"))
      throw new LedgerError("bad-map", `map ${name} is in the ${domain} domain`);
    if (previous !== undefined && compareBytes(previous, nameBytes) >= 0) {
      throw new LedgerError("bad-map", `map ${name} is out of order or there twice`);
    }
    previous = nameBytes;
    if (maps.length >= SNAPSHOT_MAPS_MAX) throw new LedgerError("too-large", "a snapshot with too many maps");
    const changedAt = reader.u64("last change");
    maps.push({ name, changedAt, entries: readState(reader.blob64(undefined, "state"), name) });
  }
  return maps;
}

function readState(bytes: Uint8Array, name: string): SnapshotMap["entries"] {
  const reader = new Reader(bytes);
  const entries: SnapshotEntry[] = [];
  let count = 0;
  let lastRank = -1;
  let sameRank: Uint8Array[] = []; // the keys so far that share the last rank: nearly always one
  while (reader.remaining > 0) {
    const key = reader.blob64(undefined, "key");
    skipPadding(reader, key.length, name);
    const version = reader.blob64(undefined, "value");
    skipPadding(reader, version.length, name);
    if (version.length < 8) throw new LedgerError("truncated", `map ${name} has a value without its seqno`);
    if (++count > SNAPSHOT_KEYS_MAX) throw new LedgerError("too-large", `map ${name} has too many keys`);
    const rank = keyRank(key);
    if (rank < lastRank) throw new LedgerError("bad-map", `map ${name} has keys out of order`);
    if (rank > lastRank) sameRank = [];
    // Someone who picks keys of one rank on purpose must not make this quadratic.
    if (sameRank.length >= SAME_RANK_MAX) throw new LedgerError("too-large", `map ${name} has too many keys of a rank`);
    if (sameRank.some((other) => equalBytes(other, key)))
      throw new LedgerError("bad-map", `map ${name} has a key twice`);
    sameRank.push(key);
    lastRank = rank;
    const writtenAt = new DataView(version.buffer, version.byteOffset).getBigUint64(0, true);
    if ((writtenAt & DELETED_BIT) !== 0n) continue;
    if (writtenAt > BigInt(Number.MAX_SAFE_INTEGER))
      throw new LedgerError("too-large", `map ${name} has an impossible seqno`);
    entries.push({ key, value: version.subarray(8), writtenAt: Number(writtenAt) });
  }
  return entries;
}

/** Of a million keys about a hundred share a rank with another one, and hardly any with two others. */
const SAME_RANK_MAX = 1_024;

function skipPadding(reader: Reader, length: number, name: string): void {
  const padding = reader.bytes((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT, "padding");
  if (padding.some((byte) => byte !== 0)) throw new LedgerError("bad-map", `map ${name} has padding that is not zero`);
}
