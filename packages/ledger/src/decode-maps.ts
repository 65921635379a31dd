/**
 * The maps of one domain (ledger spec §3.2), strictly: whatever passes here, `encodeEntry` writes back as the same bytes. One walk for who
 * wants the maps and for who only wants to know that they are well-formed, so that both refuse the same.
 */
import { fromUtf8, type MapWrites, PUBLIC_PREFIX, utf8, type WriteSet } from "@sealane/wire";
import { LedgerError } from "./errors.js";
import { CHANGES_MAX, MAPS_MAX, NAME_BYTES_MAX } from "./limits.js";
import { compareRanges } from "./order.js";
import type { Span } from "./span.js";

/** A write has at least its two lengths, a remove its one. */
const WRITE_BYTES_MIN = 16;
const REMOVE_BYTES_MIN = 8;
const LENGTH_BYTES = 8;
const PUBLIC_PREFIX_BYTES = utf8(PUBLIC_PREFIX);

type Domain = "public" | "private";

type Write = [key: Uint8Array, value: Uint8Array];

/**
 * Reads maps until the span ends.
 * @param domain - Every map must belong to it: a `public:` map in the private domain, or another one in the public domain, is refused.
 * @returns Names are text; keys and values are views of the span's bytes.
 * @throws {LedgerError} `bad-map`, `too-large`. @throws {WireError} for fields that are cut short or out of range.
 */
export function decodeMaps(span: Span, domain: Domain): WriteSet {
  const maps: MapWrites[] = [];
  walkMaps(span, domain, maps);
  return maps;
}

/** Throws where `decodeMaps` does, and makes nothing. @returns how many maps there are. */
export function checkMaps(span: Span, domain: Domain): number {
  return walkMaps(span, domain, undefined);
}

/** @param sink - Takes the maps, if anyone wants them. */
function walkMaps(span: Span, domain: Domain, sink: MapWrites[] | undefined): number {
  const { bytes } = span;
  let maps = 0;
  let changes = 0;
  let previous = 0;
  let previousEnd = 0;
  for (; span.remaining > 0; maps++) {
    const name = span.skipBlob("map name", NAME_BYTES_MAX);
    const nameEnd = span.offset;
    const text = sink === undefined ? checkText(bytes, name, nameEnd) : fromUtf8(bytes.subarray(name, nameEnd));
    if (isPublic(bytes, name, nameEnd) !== (domain === "public"))
      throw refusal(bytes, name, nameEnd, `is in the ${domain} domain`);
    if (maps > 0 && compareRanges(bytes, previous, previousEnd, name, nameEnd) >= 0)
      throw refusal(bytes, name, nameEnd, "is out of order or there twice");
    previous = name;
    previousEnd = nameEnd;
    if (span.u64("read version") !== 0 || span.u64("read count") !== 0)
      throw refusal(bytes, name, nameEnd, "has read records");

    const writeCount = takeCount(span, WRITE_BYTES_MIN, "write count");
    const firstWrite = span.offset;
    const writes: Write[] | undefined = sink === undefined ? undefined : [];
    if (!walkWrites(span, writeCount, writes)) throw refusal(bytes, name, nameEnd, "has keys out of order or twice");
    const removeCount = takeCount(span, REMOVE_BYTES_MIN, "remove count");
    const firstRemove = span.offset;
    const removes: Uint8Array[] | undefined = sink === undefined ? undefined : [];
    if (!walkRemoves(span, removeCount, removes)) throw refusal(bytes, name, nameEnd, "has keys out of order or twice");

    changes += writeCount + removeCount;
    if (changes > CHANGES_MAX || maps >= MAPS_MAX)
      throw new LedgerError("too-large", "an entry with too many maps or changes");
    if (writeCount + removeCount === 0) throw refusal(bytes, name, nameEnd, "has no change");
    if (hasCommonKey(span, firstWrite, writeCount, firstRemove, removeCount))
      throw refusal(bytes, name, nameEnd, "writes and removes one key");
    if (text !== undefined && writes !== undefined && removes !== undefined)
      sink?.push({ name: text, writes, removes });
  }
  return maps;
}

/** @returns whether the keys ascend. */
function walkWrites(span: Span, count: number, writes: Write[] | undefined): boolean {
  const { bytes } = span;
  let [previous, previousEnd] = [0, 0];
  for (let index = 0; index < count; index++) {
    const key = span.skipBlob("key");
    const keyEnd = span.offset;
    if (index > 0 && compareRanges(bytes, previous, previousEnd, key, keyEnd) >= 0) return false;
    previous = key;
    previousEnd = keyEnd;
    const value = span.skipBlob("value");
    writes?.push([bytes.subarray(key, keyEnd), bytes.subarray(value, span.offset)]);
  }
  return true;
}

/** @returns whether the keys ascend. */
function walkRemoves(span: Span, count: number, removes: Uint8Array[] | undefined): boolean {
  const { bytes } = span;
  let [previous, previousEnd] = [0, 0];
  for (let index = 0; index < count; index++) {
    const key = span.skipBlob("removed key");
    const keyEnd = span.offset;
    if (index > 0 && compareRanges(bytes, previous, previousEnd, key, keyEnd) >= 0) return false;
    previous = key;
    previousEnd = keyEnd;
    removes?.push(bytes.subarray(key, keyEnd));
  }
  return true;
}

/** A count that the bytes left can hold, and below the bound: a hostile one costs no memory and no time. */
function takeCount(span: Span, bytesMin: number, field: string): number {
  const count = span.u64(field);
  if (count > CHANGES_MAX) throw new LedgerError("too-large", `${field} ${count} is above ${CHANGES_MAX}`);
  if (count * bytesMin > span.remaining)
    throw new LedgerError("truncated", `${field} ${count} does not fit the bytes left`);
  return count;
}

/**
 * Whether a key is both written and removed. Both lists ascend, so one walk along both suffices; they have been read before.
 * @param write - Where the first write starts. @param remove - The first remove.
 */
function hasCommonKey(span: Span, write: number, writeCount: number, remove: number, removeCount: number): boolean {
  let [writesLeft, removesLeft] = [writeCount, removeCount];
  let [writeAt, removeAt] = [write, remove];
  while (writesLeft > 0 && removesLeft > 0) {
    const writeKey = writeAt + LENGTH_BYTES;
    const writeKeyEnd = writeKey + span.u64At(writeAt, "key");
    const removeKey = removeAt + LENGTH_BYTES;
    const removeKeyEnd = removeKey + span.u64At(removeAt, "removed key");
    const order = compareRanges(span.bytes, writeKey, writeKeyEnd, removeKey, removeKeyEnd);
    if (order === 0) return true;
    if (order < 0) {
      writeAt = writeKeyEnd + LENGTH_BYTES + span.u64At(writeKeyEnd, "value");
      writesLeft--;
    } else {
      removeAt = removeKeyEnd;
      removesLeft--;
    }
  }
  return false;
}

function isPublic(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < PUBLIC_PREFIX_BYTES.length) return false;
  for (let index = 0; index < PUBLIC_PREFIX_BYTES.length; index++)
    if (bytes[start + index] !== PUBLIC_PREFIX_BYTES[index]) return false;
  return true;
}

/** @throws {WireError} `utf8` for bytes that are no text. */
function checkText(bytes: Uint8Array, start: number, end: number): undefined {
  for (let index = start; index < end; index++) {
    if ((bytes[index] ?? 0) <= 0x7f) continue; // ASCII is always well-formed
    fromUtf8(bytes.subarray(start, end));
    return;
  }
}

function refusal(bytes: Uint8Array, name: number, nameEnd: number, what: string): LedgerError {
  return new LedgerError("bad-map", `map ${fromUtf8(bytes.subarray(name, nameEnd))} ${what}`);
}
