/**
 * Writing one entry (ledger spec §2–§5), always of type 4:
 *
 *     u8 version = 1 | u8 flags | u48 size | 16 tag | 12 IV = u64 seqno ‖ u32 view | u64 P | P public domain | private ciphertext
 *     public domain: u8 4 | u64 seqno | 32 claims digest | 32 commit evidence digest | u64 0 | maps
 *
 * In two steps, so that the entry can be written straight into the memory it stays in: `planEntry` checks and measures, `writeEntry` fills.
 * The private plaintext too is laid out there, where the ciphertext then takes its place; all that is made elsewhere is what the AEAD returns.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { type Seqno, utf8, VIEW_MAX, type View, type WriteSet } from "@sealane/wire";
import { assert, LedgerError } from "./errors.js";
import { leafHash } from "./leaf-hash.js";
import type { LedgerSecrets } from "./ledger-secrets.js";
import {
  CHANGES_MAX,
  DIGEST_BYTES,
  ENTRY_BYTES_MAX,
  ENTRY_HEADER_BYTES,
  FLAGS_KNOWN,
  IV_OFFSET,
  MAPS_MAX,
  NAME_BYTES_MAX,
  PUBLIC_LENGTH_OFFSET,
  PUBLIC_OFFSET,
  TAG_BYTES,
  TAG_OFFSET,
} from "./limits.js";
import { compareBytes, findCommonKey, isPublicMap } from "./order.js";

const VERSION = 1;
const ENTRY_TYPE = 4;
/** Entry type, seqno, two digests, reserved. */
const PUBLIC_HEADER_BYTES = 1 + 8 + 2 * DIGEST_BYTES + 8;
/** Name length, read version, read count, write count, remove count. */
const MAP_COUNTS_BYTES = 5 * 8;
const TWO_POW_32 = 0x1_0000_0000;
const NO_CLAIMS = new Uint8Array(DIGEST_BYTES);

/** What an entry is made of. */
export interface EntryInput {
  readonly view: View;
  /** From 1. */
  readonly seqno: Seqno;
  /** At least one change; maps ascending by name, keys ascending and once per map. */
  readonly writeSet: WriteSet;
  /** `FLAG_CHUNK_ENDS_AFTER`, `FLAG_CHUNK_ENDS_BEFORE`. Default 0. */
  readonly flags?: number;
  /** 32 bytes. Default: zeros, "no claims" (§3.1). */
  readonly claimsDigest?: Uint8Array;
}

/** An entry checked and measured, not yet written. */
export interface EntryPlan {
  readonly input: EntryInput;
  /** Of the whole entry. */
  readonly bytes: number;
  readonly publicBytes: number;
  /** UTF-8 of the map names, in the order of the write set. */
  readonly names: readonly Uint8Array[];
}

export interface EntryDigests {
  /** SHA-256 of the whole entry (§2). */
  readonly writeSetDigest: Uint8Array;
  /** The Merkle leaf (§6.1). */
  readonly leaf: Uint8Array;
}

/**
 * The bytes of one entry, encrypted once with the ledger secret in force at its seqno. One (view, seqno) must never be used for two
 * different entries under one secret: it is the nonce (§2.1).
 * @returns Freshly allocated.
 * @throws {LedgerError} `too-large`, `bad-map`, `no-secret`. @throws {RangeError} when a number or length is out of range.
 * @example
 * const bytes = encodeEntry(suite, secrets, { view: view(2), seqno: seqno(1), writeSet: [{ name: "records", writes: [[key, value]], removes: [] }] });
 */
export function encodeEntry(suite: CryptoSuite, secrets: LedgerSecrets, input: EntryInput): Uint8Array {
  const plan = planEntry(input);
  const bytes = new Uint8Array(plan.bytes);
  writeEntry(suite, secrets, plan, bytes);
  return bytes;
}

/** Checks an entry and says how long it will be. Throws what `encodeEntry` throws, except `no-secret`. */
export function planEntry(input: EntryInput): EntryPlan {
  checkInput(input);
  const names: Uint8Array[] = [];
  let publicBytes = PUBLIC_HEADER_BYTES;
  let privateBytes = 0;
  let changes = 0;
  let previous: Uint8Array | undefined;
  for (const map of input.writeSet) {
    const name = utf8(map.name);
    if (name.length > NAME_BYTES_MAX)
      throw new LedgerError("too-large", `a map name has ${name.length} bytes of UTF-8`);
    if (previous !== undefined && compareBytes(previous, name) >= 0) {
      throw new LedgerError("bad-map", `map ${map.name} is out of order or there twice`);
    }
    previous = name;
    names.push(name);
    const mapBytes = measureMap(map, name);
    if (isPublicMap(map.name)) publicBytes += mapBytes;
    else privateBytes += mapBytes;
    changes += map.writes.length + map.removes.length;
  }
  if (input.writeSet.length > MAPS_MAX || changes > CHANGES_MAX) {
    throw new LedgerError("too-large", `an entry has at most ${MAPS_MAX} maps and ${CHANGES_MAX} changes`);
  }
  const bytes = PUBLIC_OFFSET + publicBytes + privateBytes;
  if (bytes > ENTRY_BYTES_MAX)
    throw new LedgerError("too-large", `the entry has ${bytes} bytes of at most ${ENTRY_BYTES_MAX}`);
  return { input, bytes, publicBytes, names };
}

/**
 * Writes a planned entry into `target`.
 * @param target - Exactly `plan.bytes` long. Unspecified afterwards if this throws.
 * @throws {LedgerError} `no-secret`.
 */
export function writeEntry(
  suite: CryptoSuite,
  secrets: LedgerSecrets,
  plan: EntryPlan,
  target: Uint8Array,
): EntryDigests {
  const { input, publicBytes, names } = plan;
  if (target.length !== plan.bytes) throw new RangeError(`the entry needs ${plan.bytes} bytes, got ${target.length}`);
  const { view, seqno, writeSet, claimsDigest = NO_CLAIMS } = input;
  const { aead, evidence } = secrets.keysFor(suite, seqno);
  const evidenceDigest = evidence.digest(input);

  const put = new Put(target);
  put.u8(VERSION);
  put.u8(input.flags ?? 0);
  put.u48(plan.bytes - ENTRY_HEADER_BYTES);
  put.skip(TAG_BYTES);
  put.u64(seqno); // §2.1
  put.u32(view);
  put.u64(publicBytes);
  put.u8(ENTRY_TYPE);
  put.u64(seqno);
  put.bytes(claimsDigest);
  put.bytes(evidenceDigest);
  put.u64(0);
  putMaps(put, writeSet, names, true);
  putMaps(put, writeSet, names, false);

  // §4: the additional data is the public domain alone; §3.3: also without any private map, for the tag.
  const iv = target.subarray(IV_OFFSET, PUBLIC_LENGTH_OFFSET);
  const publicDomain = target.subarray(PUBLIC_OFFSET, PUBLIC_OFFSET + publicBytes);
  const privateDomain = target.subarray(PUBLIC_OFFSET + publicBytes);
  try {
    const { ciphertext, tag } = aead.seal(iv, publicDomain, privateDomain);
    privateDomain.set(ciphertext);
    target.set(tag, TAG_OFFSET);
  } catch (error) {
    suite.wipe(privateDomain); // or the plaintext would stay in memory that is meant for the disk
    throw error;
  }

  const writeSetDigest = suite.sha256(target);
  return { writeSetDigest, leaf: leafHash(suite, writeSetDigest, evidenceDigest, claimsDigest) };
}

function checkInput({ view, seqno, writeSet, flags = 0, claimsDigest }: EntryInput): void {
  if (!Number.isSafeInteger(seqno) || seqno < 1) throw new RangeError(`an entry has a seqno from 1 on, not ${seqno}`);
  if (!Number.isSafeInteger(view) || view < 0 || view > VIEW_MAX)
    throw new RangeError(`view ${view} does not fit 31 bits`);
  // The operator looks at 32 bits, and gives an integer: whatever is more, or none, differs.
  if ((flags & FLAGS_KNOWN) !== flags) throw new RangeError(`unknown entry flags ${flags}`);
  if (claimsDigest !== undefined && claimsDigest.length !== DIGEST_BYTES) {
    throw new RangeError(`a claims digest has ${DIGEST_BYTES} bytes, got ${claimsDigest.length}`);
  }
  // §3.2: such a transaction gets no entry and no seqno.
  if (writeSet.length === 0) throw new LedgerError("bad-map", "a transaction without any change makes no entry");
}

/** Checks one map (§3.2) and returns its bytes. */
function measureMap({ name, writes, removes }: WriteSet[number], nameBytes: Uint8Array): number {
  if (writes.length + removes.length === 0) throw new LedgerError("bad-map", `map ${name} has no change`);
  let bytes = MAP_COUNTS_BYTES + nameBytes.length;
  let previous: Uint8Array | undefined;
  for (const [key, value] of writes) {
    checkKey(name, previous, key);
    previous = key;
    bytes += 16 + key.length + value.length;
  }
  previous = undefined;
  for (const key of removes) {
    checkKey(name, previous, key);
    previous = key;
    bytes += 8 + key.length;
  }
  if (findCommonKey(writes, removes) !== undefined)
    throw new LedgerError("bad-map", `map ${name} writes and removes one key`);
  return bytes;
}

function checkKey(name: string, previous: Uint8Array | undefined, key: Uint8Array): void {
  if (previous !== undefined && compareBytes(previous, key) >= 0) {
    throw new LedgerError("bad-map", `map ${name} has keys out of order or twice`);
  }
}

/** The maps of one domain. */
function putMaps(put: Put, writeSet: WriteSet, names: readonly Uint8Array[], isPublic: boolean): void {
  for (let index = 0; index < writeSet.length; index++) {
    const [map, name] = [writeSet[index], names[index]];
    assert(map !== undefined && name !== undefined, "every map has its name in bytes");
    if (isPublicMap(map.name) === isPublic) putMap(put, map, name);
  }
}

function putMap(put: Put, { writes, removes }: WriteSet[number], name: Uint8Array): void {
  put.blob(name);
  put.u64(0); // read version
  put.u64(0); // read count
  put.u64(writes.length);
  for (const [key, value] of writes) {
    put.blob(key);
    put.blob(value);
  }
  put.u64(removes.length);
  for (const key of removes) put.blob(key);
}

/** Writes fields into memory that is already there; `Writer` of wire makes its own. */
class Put {
  readonly #target: Uint8Array;
  readonly #data: DataView;
  #offset = 0;

  constructor(target: Uint8Array) {
    this.#target = target;
    this.#data = new DataView(target.buffer, target.byteOffset, target.byteLength);
  }

  u8(value: number): void {
    this.#data.setUint8(this.#offset, value);
    this.#offset += 1;
  }

  u32(value: number): void {
    this.#data.setUint32(this.#offset, value, true);
    this.#offset += 4;
  }

  u48(value: number): void {
    this.#data.setUint32(this.#offset, value % TWO_POW_32, true);
    this.#data.setUint16(this.#offset + 4, Math.floor(value / TWO_POW_32), true);
    this.#offset += 6;
  }

  u64(value: number): void {
    this.#data.setUint32(this.#offset, value % TWO_POW_32, true);
    this.#data.setUint32(this.#offset + 4, Math.floor(value / TWO_POW_32), true);
    this.#offset += 8;
  }

  bytes(bytes: Uint8Array): void {
    this.#target.set(bytes, this.#offset);
    this.#offset += bytes.length;
  }

  blob(bytes: Uint8Array): void {
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  skip(count: number): void {
    this.#offset += count;
  }
}
