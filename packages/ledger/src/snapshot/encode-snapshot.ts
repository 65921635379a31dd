/**
 * Writing a snapshot (ledger spec §10.2): the whole state at one seqno as one encrypted entry of type 1.
 *
 * It can be long work, and a node has other things to do meanwhile: `snapshotSteps` does a bounded piece at a time. The state is read before
 * the first pause, by reference, so that it may change from then on; arrays must not be written into. Sealing and hashing at the end are one
 * call each, as the suite has them. Memory: the entry, the private plaintext, and three words for each key.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { type Seqno, utf8 } from "@sealane/wire";
import { LedgerError } from "../errors.js";
import type { LedgerSecrets } from "../ledger-secrets.js";
import {
  DIGEST_BYTES,
  ENTRY_HEADER_BYTES,
  IV_OFFSET,
  NAME_BYTES_MAX,
  PUBLIC_LENGTH_OFFSET,
  PUBLIC_OFFSET,
  SNAPSHOT_BYTES_MAX,
  SNAPSHOT_KEYS_MAX,
  SNAPSHOT_MAPS_MAX,
  TAG_BYTES,
  TAG_OFFSET,
  VIEWS_MAX,
} from "../limits.js";
import { compareBytes, isPublicMap } from "../order.js";
import { compareRanked, keyRank } from "./key-order.js";
import { padded, SNAPSHOT_IV_VIEW, SNAPSHOT_TYPE, type SnapshotEntry, type SnapshotMapState } from "./layout.js";

const VERSION = 1;
const TWO_POW_32 = 0x1_0000_0000;
/** Entry type, seqno, reserved, and the lengths of leaf and view history. */
const PUBLIC_HEADER_BYTES = 1 + 8 + 8 + 8 + DIGEST_BYTES + 8;
/** Name length, last change, length of the state. */
const MAP_HEADER_BYTES = 3 * 8;
/** Key length, value length, seqno of the write. */
const KEY_HEADER_BYTES = 3 * 8;
/** Work between two pauses, some milliseconds each. Reading the state, sorting the keys of one map, and sealing are one piece whatever their size. */
const STEP_KEYS = 2_048;
const STEP_BYTES = 1024 * 1024;

export interface SnapshotInput {
  /** Of a committed signature entry. */
  readonly seqno: Seqno;
  /** The Merkle leaf of that entry, 32 bytes: `ledger.leaf(seqno)`. */
  readonly leaf: Uint8Array;
  /** First seqno of each view, from view 1 on: `ledger.viewHistory(seqno)`. */
  readonly viewHistory: readonly number[];
  /** All maps, public and private, in any order, as they are at that seqno. */
  readonly maps: Iterable<SnapshotMapState>;
}

export interface EncodedSnapshot {
  readonly seqno: Seqno;
  /** The entry: the contents of a provisional snapshot file. */
  readonly bytes: Uint8Array;
  /** SHA-256 of it: the claims digest of the evidence transaction. */
  readonly digest: Uint8Array;
}

/**
 * Encodes a snapshot in one go.
 * @throws {LedgerError} `bad-map` (a map or a key twice), `too-large`, `no-secret`. @throws {RangeError} for numbers and lengths.
 * @example
 * const { bytes, digest } = encodeSnapshot(suite, secrets, { seqno, leaf: ledger.leaf(seqno), viewHistory: ledger.viewHistory(seqno), maps });
 */
export function encodeSnapshot(suite: CryptoSuite, secrets: LedgerSecrets, input: SnapshotInput): EncodedSnapshot {
  const steps = snapshotSteps(suite, secrets, input);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * The same in steps. The maps have all been read once the first step is done.
 * @returns by `return`. @throws as `encodeSnapshot`.
 */
export function* snapshotSteps(
  suite: CryptoSuite,
  secrets: LedgerSecrets,
  input: SnapshotInput,
): Generator<undefined, EncodedSnapshot, undefined> {
  checkInput(input);
  const { seqno, leaf, viewHistory } = input;
  const maps = readMaps(input.maps);
  const plans: MapPlan[] = [];
  let publicBytes = PUBLIC_HEADER_BYTES + 8 * viewHistory.length;
  let privateBytes = 0;
  for (const map of maps) {
    const plan = yield* planMap(map);
    plans.push(plan);
    const bytes = MAP_HEADER_BYTES + map.nameBytes.length + plan.stateBytes;
    if (isPublicMap(map.name)) publicBytes += bytes;
    else privateBytes += bytes;
  }
  const total = PUBLIC_OFFSET + publicBytes + privateBytes;
  if (total > SNAPSHOT_BYTES_MAX)
    throw new LedgerError("too-large", `the snapshot has ${total} bytes of at most ${SNAPSHOT_BYTES_MAX}`);

  const bytes = new Uint8Array(total);
  const entry = new Put(bytes);
  entry.u8(VERSION);
  entry.u8(0); // §10.2: no flags
  entry.u32(total - ENTRY_HEADER_BYTES); // the low four bytes of the u48
  entry.skip(2 + TAG_BYTES);
  entry.u64(seqno); // §2.1
  entry.u32(SNAPSHOT_IV_VIEW);
  entry.u64(publicBytes);
  entry.u8(SNAPSHOT_TYPE);
  entry.u64(seqno);
  entry.u64(0);
  entry.blob(leaf);
  entry.u64(8 * viewHistory.length);
  for (const start of viewHistory) entry.u64(start);
  const plaintext = new Uint8Array(privateBytes);
  const privateDomain = new Put(plaintext);
  for (const plan of plans) yield* putMap(isPublicMap(plan.map.name) ? entry : privateDomain, plan);

  const iv = bytes.subarray(IV_OFFSET, PUBLIC_LENGTH_OFFSET);
  const publicDomain = bytes.subarray(PUBLIC_OFFSET, PUBLIC_OFFSET + publicBytes);
  const { ciphertext, tag } = secrets.keysFor(suite, seqno).aead.seal(iv, publicDomain, plaintext);
  suite.wipe(plaintext);
  bytes.set(tag, TAG_OFFSET);
  bytes.set(ciphertext, PUBLIC_OFFSET + publicBytes);
  yield undefined;
  return { seqno, bytes, digest: suite.sha256(bytes) };
}

function checkInput({ seqno, leaf, viewHistory }: SnapshotInput): void {
  if (!Number.isSafeInteger(seqno) || seqno < 1) throw new RangeError(`a snapshot has a seqno from 1 on, not ${seqno}`);
  if (leaf.length !== DIGEST_BYTES) throw new RangeError(`a leaf has ${DIGEST_BYTES} bytes, got ${leaf.length}`);
  if (viewHistory.length > VIEWS_MAX) throw new LedgerError("too-large", `${viewHistory.length} views in a snapshot`);
  let previous = 1;
  for (const start of viewHistory) {
    if (!Number.isSafeInteger(start) || start < previous || start > seqno)
      throw new RangeError(`a view that starts at ${start}, behind ${previous}, in a snapshot at ${seqno}`);
    previous = start;
  }
  if (viewHistory.length === 0) throw new RangeError("a snapshot has at least one view");
}

interface ReadMap {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly changedAt: number;
  readonly entries: readonly SnapshotEntry[];
}

/** References to all that is live, by name. */
function readMaps(states: Iterable<SnapshotMapState>): ReadMap[] {
  const maps: ReadMap[] = [];
  const counts = { public: 0, private: 0 };
  for (const { name, changedAt, entries } of states) {
    const nameBytes = utf8(name);
    if (nameBytes.length > NAME_BYTES_MAX)
      throw new LedgerError("too-large", `a map name has ${nameBytes.length} bytes of UTF-8`);
    maps.push({ name, nameBytes, changedAt, entries: [...entries] });
    if (++counts[isPublicMap(name) ? "public" : "private"] > SNAPSHOT_MAPS_MAX)
      throw new LedgerError("too-large", `a snapshot has at most ${SNAPSHOT_MAPS_MAX} maps of a kind`);
  }
  maps.sort((a, b) => compareBytes(a.nameBytes, b.nameBytes));
  const twice = maps.find(({ name }, index) => maps[index + 1]?.name === name);
  if (twice !== undefined) throw new LedgerError("bad-map", `map ${twice.name} is there twice`);
  return maps;
}

type RankedEntry = SnapshotEntry & { readonly rank: number };

interface MapPlan {
  readonly map: ReadMap;
  /** In the order of the file. */
  readonly entries: readonly RankedEntry[];
  readonly stateBytes: number;
}

function* planMap(map: ReadMap): Generator<undefined, MapPlan, undefined> {
  if (map.entries.length > SNAPSHOT_KEYS_MAX)
    throw new LedgerError(
      "too-large",
      `map ${map.name} has ${map.entries.length} keys of at most ${SNAPSHOT_KEYS_MAX}`,
    );
  const entries: RankedEntry[] = [];
  let stateBytes = 0;
  for (const { key, value, writtenAt } of map.entries) {
    stateBytes += KEY_HEADER_BYTES + padded(key.length) + padded(value.length);
    if (entries.push({ key, value, writtenAt, rank: keyRank(key) }) % STEP_KEYS === 0) yield undefined;
  }
  entries.sort(compareRanked);
  for (const [index, entry] of entries.entries()) {
    const next = entries[index + 1];
    if (next !== undefined && compareRanked(entry, next) === 0)
      throw new LedgerError("bad-map", `map ${map.name} has a key twice`);
  }
  yield undefined;
  return { map, entries, stateBytes };
}

function* putMap(put: Put, { map, entries, stateBytes }: MapPlan): Generator<undefined, void, undefined> {
  put.blob(map.nameBytes);
  put.u64(map.changedAt);
  put.u64(stateBytes);
  let pause = put.offset + STEP_BYTES;
  for (const { key, value, writtenAt } of entries) {
    put.blob(key);
    put.skip(padded(key.length) - key.length);
    put.u64(8 + value.length); // §10.2: the seqno counts, the padding does not
    put.u64(writtenAt);
    put.bytes(value);
    put.skip(padded(value.length) - value.length);
    if (put.offset < pause) continue;
    pause = put.offset + STEP_BYTES;
    yield undefined;
  }
}

/** Writes fields into zeros that are already there. */
class Put {
  readonly #target: Uint8Array;
  readonly #data: DataView;
  offset = 0;

  constructor(target: Uint8Array) {
    this.#target = target;
    this.#data = new DataView(target.buffer, target.byteOffset, target.byteLength);
  }

  u8(value: number): void {
    this.#data.setUint8(this.offset, value);
    this.offset += 1;
  }

  u32(value: number): void {
    this.#data.setUint32(this.offset, value, true);
    this.offset += 4;
  }

  /** @throws {RangeError} when `value` is no integer from 0 to 2^53 − 1. */
  u64(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a seqno or length: ${value}`);
    this.#data.setUint32(this.offset, value % TWO_POW_32, true);
    this.#data.setUint32(this.offset + 4, Math.floor(value / TWO_POW_32), true);
    this.offset += 8;
  }

  bytes(bytes: Uint8Array): void {
    this.#target.set(bytes, this.offset);
    this.offset += bytes.length;
  }

  blob(bytes: Uint8Array): void {
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  skip(count: number): void {
    this.offset += count;
  }
}
