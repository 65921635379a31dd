/** Reading the maps of one domain (ledger spec §3.2), strictly: whatever this accepts, `encodeEntry` writes back as the same bytes. */
import { fromUtf8, type MapWrites, type Reader, type WriteSet } from "@sealane/wire";
import { LedgerError } from "./errors.js";
import { CHANGES_MAX, MAPS_MAX, NAME_BYTES_MAX } from "./limits.js";
import { compareBytes, findCommonKey, isPublicMap } from "./order.js";

/** A write has at least its two lengths, a remove its one. */
const WRITE_BYTES_MIN = 16;
const REMOVE_BYTES_MIN = 8;

/**
 * Reads maps until the reader's bytes end.
 * @param domain - Every map must belong to it: a `public:` map in the private domain, or another one in the public domain, is refused.
 * @returns Names are text; keys and values are views of the reader's bytes.
 * @throws {LedgerError} `bad-map`, `too-large`. @throws {WireError} for fields that are cut short or out of range.
 */
export function decodeMaps(reader: Reader, domain: "public" | "private"): WriteSet {
  const maps: MapWrites[] = [];
  let previousName: Uint8Array | undefined;
  let changes = 0;
  while (reader.remaining > 0) {
    const nameBytes = reader.blob64(NAME_BYTES_MAX, "map name");
    const name = fromUtf8(nameBytes);
    if (isPublicMap(name) !== (domain === "public"))
      throw new LedgerError("bad-map", `map ${name} is in the ${domain} domain`);
    if (previousName !== undefined && compareBytes(previousName, nameBytes) >= 0) {
      throw new LedgerError("bad-map", `map ${name} is out of order or there twice`);
    }
    previousName = nameBytes;
    if (reader.u64("read version") !== 0 || reader.u64("read count") !== 0) {
      throw new LedgerError("bad-map", `map ${name} has read records`);
    }
    const map = { name, writes: decodeWrites(reader, name), removes: decodeRemoves(reader, name) };
    changes += map.writes.length + map.removes.length;
    if (changes > CHANGES_MAX || maps.length >= MAPS_MAX)
      throw new LedgerError("too-large", "an entry with too many maps or changes");
    if (map.writes.length + map.removes.length === 0) throw new LedgerError("bad-map", `map ${name} has no change`);
    if (findCommonKey(map.writes, map.removes) !== undefined) {
      throw new LedgerError("bad-map", `map ${name} writes and removes one key`);
    }
    maps.push(map);
  }
  return maps;
}

function decodeWrites(reader: Reader, name: string): [Uint8Array, Uint8Array][] {
  const count = decodeCount(reader, WRITE_BYTES_MIN, "write count");
  const writes: [Uint8Array, Uint8Array][] = [];
  let previous: Uint8Array | undefined;
  for (let index = 0; index < count; index++) {
    const key = reader.blob64(undefined, "key");
    checkAscending(name, previous, key);
    previous = key;
    writes.push([key, reader.blob64(undefined, "value")]);
  }
  return writes;
}

function decodeRemoves(reader: Reader, name: string): Uint8Array[] {
  const count = decodeCount(reader, REMOVE_BYTES_MIN, "remove count");
  const removes: Uint8Array[] = [];
  let previous: Uint8Array | undefined;
  for (let index = 0; index < count; index++) {
    const key = reader.blob64(undefined, "removed key");
    checkAscending(name, previous, key);
    previous = key;
    removes.push(key);
  }
  return removes;
}

/** A count that the bytes left can hold, and below the bound: a hostile one costs no memory and no time. */
function decodeCount(reader: Reader, bytesMin: number, field: string): number {
  const count = reader.u64(field);
  if (count > CHANGES_MAX) throw new LedgerError("too-large", `${field} ${count} is above ${CHANGES_MAX}`);
  if (count * bytesMin > reader.remaining)
    throw new LedgerError("truncated", `${field} ${count} does not fit the bytes left`);
  return count;
}

function checkAscending(name: string, previous: Uint8Array | undefined, key: Uint8Array): void {
  if (previous !== undefined && compareBytes(previous, key) >= 0) {
    throw new LedgerError("bad-map", `map ${name} has keys out of order or twice`);
  }
}
