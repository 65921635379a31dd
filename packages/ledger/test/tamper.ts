/**
 * A ledger of exactly 64 KiB, and everything that can be done to it in one step: for the tests that find each change, or know why it cannot
 * be found.
 */
import { concatBytes, view } from "@sealane/wire";
import { SignatureChecker } from "../src/check-signature.js";
import type { Ledger, LedgerEntry } from "../src/ledger.js";
import { memorySource } from "../src/ledger-source.js";
import type { VerifyResult } from "../src/verification.js";
import { verifiedEntries, verifyLedger } from "../src/verify-ledger.js";
import { createLedger, genesis, node, put, secrets, serviceSigner, suite, V2 } from "./fixture.js";
import { flip } from "./state.js";

export const LEDGER_BYTES = 65_536;
const HANDED_OUT_EVERY = 4;
const TABLE_OFFSET_BYTES = 8;
const POSITION_BYTES = 4;

export type Files = ReadonlyMap<string, Uint8Array>;

/** The entries of one chunk file, and whether it is finished and committed. */
export interface ChunkParts {
  readonly entries: readonly Uint8Array[];
  readonly finished: boolean;
  readonly committed: boolean;
}

/**
 * Three committed chunks, one that is finished by the last signature, and an open one behind it. Public and private maps, two views, some
 * signatures with the COSE form.
 */
function writeEntries(lastValueChars: number): LedgerEntry[] {
  const ledger = createLedger({ chunkBytes: 14_000 });
  const entries = [ledger.append({ view: V2, writeSet: genesis() })];
  const add = (round: number, chars: number) => {
    const at = round < 6 ? V2 : view(4);
    entries.push(ledger.append({ view: at, writeSet: put(`public ${round}`, "p".repeat(90), "public:notes") }));
    entries.push(ledger.append({ view: at, writeSet: put(`private ${round}`, "s".repeat(chars)) }));
  };
  const sign = (round: number) => entries.push(appendSignature(ledger, round));
  for (let round = 0; round < 10; round++) {
    add(round, 3_400);
    sign(round);
  }
  add(10, lastValueChars);
  return entries;
}

function appendSignature(ledger: Ledger, round: number): LedgerEntry {
  const at = round < 6 ? V2 : view(4);
  return ledger.appendSignature({
    view: at,
    ...node,
    endsChunk: round === 9,
    ...(round % 3 === 0 ? { service: serviceSigner() } : {}),
  });
}

/** Where a chunk ends, its entries' flags say. */
function chunksOf(entries: readonly LedgerEntry[]): ChunkParts[] {
  const chunks: { entries: Uint8Array[]; finished: boolean; committed: boolean }[] = [];
  for (const { bytes, flags } of entries) {
    let chunk = chunks.at(-1);
    if (chunk === undefined || chunk.finished) {
      chunk = { entries: [], finished: false, committed: false };
      chunks.push(chunk);
    }
    chunk.entries.push(bytes);
    if ((flags & 1) !== 0) chunk.finished = true;
  }
  return chunks.map((chunk, index) => ({ ...chunk, committed: chunk.finished && index < 3 }));
}

/** The files of some chunks, with names and tables that fit: what a careful forger writes. */
export function pack(chunks: readonly ChunkParts[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let first = 1;
  for (const { entries, finished, committed } of chunks) {
    if (entries.length === 0) continue;
    const last = first + entries.length - 1;
    files.set(committed ? `ledger_${first}-${last}.committed` : `ledger_${first}`, packOne(entries, finished));
    first = last + 1;
  }
  return files;
}

function packOne(entries: readonly Uint8Array[], finished: boolean): Uint8Array {
  const body = concatBytes(...entries);
  const header = new Uint8Array(TABLE_OFFSET_BYTES);
  if (!finished) return concatBytes(header, body);
  const table = new DataView(new ArrayBuffer(POSITION_BYTES * entries.length));
  let offset = TABLE_OFFSET_BYTES;
  for (const [index, { length }] of entries.entries()) {
    table.setUint32(POSITION_BYTES * index, offset, true);
    offset += length;
  }
  new DataView(header.buffer).setBigUint64(0, BigInt(offset), true);
  return concatBytes(header, body, new Uint8Array(table.buffer));
}

export interface TamperWorld {
  readonly entries: readonly LedgerEntry[];
  readonly chunks: readonly ChunkParts[];
  readonly files: Files;
  /** Seqnos of the signature entries, ascending. */
  readonly signatures: readonly number[];
  readonly lastSignature: number;
}

export function tamperWorld(): TamperWorld {
  const sizeOf = (chars: number) =>
    [...pack(chunksOf(writeEntries(chars))).values()].reduce((sum, { length }) => sum + length, 0);
  // Every byte of the value is a byte of the file. ECDSA signatures in DER vary by a byte or two, so it is fitted to what was written.
  for (;;) {
    const entries = writeEntries(LEDGER_BYTES - sizeOf(0));
    const chunks = chunksOf(entries);
    const files = pack(chunks);
    if ([...files.values()].reduce((sum, { length }) => sum + length, 0) !== LEDGER_BYTES) continue;
    const signatures = entries.flatMap(({ isSignature, seqno }) => (isSignature ? [seqno] : []));
    return { entries, chunks, files, signatures, lastSignature: signatures.at(-1) ?? 0 };
  }
}

/** Where a byte of one file belongs. `seqno`: the entry that is bad if it changes; of a header the first of the chunk. */
export interface Place {
  readonly type: "header" | "table" | "entry";
  readonly file: string;
  readonly seqno: number;
  /** In the entry. */
  readonly byte: number;
}

export function placeOf({ files }: TamperWorld, name: string, byte: number): Place {
  const file = files.get(name) ?? new Uint8Array();
  const data = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const table = Number(data.getBigUint64(0, true)) || file.length;
  let at = Number(/\d+/.exec(name)?.[0]);
  if (byte < TABLE_OFFSET_BYTES) return { type: "header", file: name, seqno: at, byte };
  if (byte >= table)
    return { type: "table", file: name, seqno: at + Math.floor((byte - table) / POSITION_BYTES), byte };
  for (let offset = TABLE_OFFSET_BYTES; ; at++) {
    const length = data.getUint32(offset + 2, true) + 8;
    if (byte < offset + length) return { type: "entry", file: name, seqno: at, byte: byte - offset };
    offset += length;
  }
}

const FLAGS_BYTE = 1;

/**
 * Why a changed bit cannot be found, or `undefined` for one that must be. The last signature entry and those behind it are covered by no
 * signature. AES-256-GCM covers all of them but the 8 bytes in front; of these the length and the version must fit, and what is left is
 * flags: "chunk ends after me" of the last signature, if another chunk follows anyway, and "chunk ends before me" where one does.
 */
export function whyUndetectable(
  world: TamperWorld,
  place: Place,
  bit: number,
  withSecrets: boolean,
): string | undefined {
  const { type, seqno, byte } = place;
  if (type !== "entry" || seqno < world.lastSignature) return undefined;
  if (!withSecrets) return "behind the last root that was signed, and without the secrets no tag tells";
  if (byte !== FLAGS_BYTE) return undefined;
  if (seqno === world.lastSignature && bit === 0) return "the flag that ended the chunk of the last signature";
  if (seqno === world.lastSignature + 1 && bit === 1) return "the flag that would end the chunk before the open one";
  return undefined;
}

/** Whether `found` is where the change must be noticed: with the secrets at once, but for flags; otherwise by the next signature. */
export function isWhere(
  world: TamperWorld,
  place: Place,
  found: { seqno: number; file: string },
  withSecrets: boolean,
): boolean {
  if (place.type !== "entry")
    return found.file === place.file && (place.type === "header" || found.seqno === place.seqno);
  if (withSecrets && place.byte !== FLAGS_BYTE) return found.file === place.file && found.seqno === place.seqno;
  // Behind the last signature the file ends it: what is left over of a last entry that was made shorter is read as one more.
  const signature = world.signatures.find((at) => at > place.seqno) ?? world.entries.length + 1;
  return found.seqno >= place.seqno && found.seqno <= signature;
}

/** Every `stride`th bit of the ledger from `start` on, changed alone. @returns The accepted changes, one line each; throws for a wrong verdict. */
export async function checkFlips(
  world: TamperWorld,
  withSecrets: boolean,
  stride: number,
  start = 0,
): Promise<{ tried: number; accepted: string[] }> {
  const verify = quickVerifier(withSecrets);
  const accepted: string[] = [];
  let tried = 0;
  let next = start;
  for (const [name, file] of world.files) {
    for (; next < 8 * file.length; next += stride) {
      const place = placeOf(world, name, next >> 3);
      const result = await verify(new Map(world.files).set(name, flip(file, next)));
      const what = `${place.type} ${place.seqno} of ${name}, byte ${place.byte}, bit ${next & 7}`;
      const why = whyUndetectable(world, place, next & 7, withSecrets);
      if (result.ok && why === undefined) throw new Error(`not found: ${what}`);
      if (!result.ok && !isWhere(world, place, result.at, withSecrets))
        throw new Error(`${what} is found at ${JSON.stringify(result.at)}: ${result.message}`);
      if (result.ok) accepted.push(what);
      tried++;
    }
    next -= 8 * file.length;
  }
  return { tried, accepted };
}

/**
 * A verifier of many variants of one ledger: ECDSA verdicts and parsed certificates are remembered, as nearly all of them come again.
 * Everything else is done anew each time. Each fourth variant is also verified by handing out its entries, which must find the same.
 */
export function quickVerifier(withSecrets: boolean): (files: Files) => Promise<VerifyResult> {
  const verdicts = new Map<string, boolean>();
  const remembering: typeof suite = {
    ...suite,
    verify: (key, message, signature, hash) => {
      const what = [key.spki, message, signature].map((bytes) => String.fromCharCode(...bytes)).join("|") + hash;
      const known = verdicts.get(what);
      if (known !== undefined) return known;
      const verdict = suite.verify(key, message, signature, hash);
      if (verdict) verdicts.set(what, verdict); // false ones hardly come again
      return verdict;
    },
  };
  const checker = new SignatureChecker(remembering);
  const options = { suite: remembering, ...(withSecrets ? { secrets } : {}) };
  let variants = 0;
  return async (files) => {
    const result = await verifyLedger(memorySource(files), options, { checker });
    if (variants++ % HANDED_OUT_EVERY > 0) return result;
    const entries = verifiedEntries(memorySource(files), options, { checker });
    for (;;) {
      const step = await entries.next();
      if (step.done !== true) continue;
      const [one, other] = [result, step.value].map((verdict) => JSON.stringify(verdict));
      if (one !== other) throw new Error(`two verdicts on one ledger: ${one} and ${other}`);
      return result;
    }
  };
}
