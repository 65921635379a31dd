/** The checks a name, a key, a value and a whole write set pass before they change anything (ledger spec §3.2). */
import type { MapWrites, WriteSet } from "@sealane/wire";
import { KvError } from "./errors.js";
import { compareKeys } from "./key-id.js";
import { KEY_BYTES_MAX, MAP_NAME_CHARS_MAX, VALUE_BYTES_MAX } from "./limits.js";

const PRINTABLE_ASCII = /^[ -~]+$/;

/** @throws {KvError} `bad-map-name` unless `name` is 1 to `MAP_NAME_CHARS_MAX` printable ASCII characters. */
export function checkMapName(name: string): void {
  if (name.length > MAP_NAME_CHARS_MAX || !PRINTABLE_ASCII.test(name)) {
    throw new KvError("bad-map-name", `a map name is 1 to ${MAP_NAME_CHARS_MAX} printable ASCII characters`);
  }
}

/** @throws {KvError} `key-too-large` */
export function checkKey(key: Uint8Array): void {
  if (key.length > KEY_BYTES_MAX) {
    throw new KvError("key-too-large", `a key has at most ${KEY_BYTES_MAX} bytes, this one has ${key.length}`);
  }
}

/** @throws {KvError} `value-too-large` */
export function checkValue(value: Uint8Array): void {
  if (value.length > VALUE_BYTES_MAX) {
    throw new KvError("value-too-large", `a value has at most ${VALUE_BYTES_MAX} bytes, this one has ${value.length}`);
  }
}

/**
 * Refuses what no transaction of ours can have produced. A write set may come from another node, so it is checked whole before the
 * first change is made.
 * @throws {KvError} `bad-write-set`, `bad-map-name`, `key-too-large`, `value-too-large`
 */
export function checkWriteSet(writeSet: WriteSet): void {
  let previousName: string | undefined;
  for (const changes of writeSet) {
    checkMapName(changes.name);
    if (previousName !== undefined && changes.name <= previousName) throw badWriteSet("maps do not ascend by name");
    previousName = changes.name;
    checkChanges(changes);
  }
}

function checkChanges({ writes, removes }: MapWrites): void {
  if (writes.length + removes.length === 0) throw badWriteSet("a map without a change is listed");
  let previous: Uint8Array | undefined;
  for (const [key, value] of writes) {
    checkKey(key);
    checkValue(value);
    if (previous !== undefined && compareKeys(previous, key) >= 0) throw badWriteSet("written keys do not ascend");
    previous = key;
  }
  previous = undefined;
  // Both lists ascend, so one walk over both finds a key that is in each of them.
  let nextWrite = 0;
  for (const key of removes) {
    checkKey(key);
    if (previous !== undefined && compareKeys(previous, key) >= 0) throw badWriteSet("removed keys do not ascend");
    previous = key;
    for (; nextWrite < writes.length; nextWrite += 1) {
      const written = writes[nextWrite]?.[0];
      const order = written === undefined ? 1 : compareKeys(written, key);
      if (order === 0) throw badWriteSet("a key is both written and removed");
      if (order > 0) break;
    }
  }
}

function badWriteSet(what: string): KvError {
  return new KvError("bad-write-set", `write set refused: ${what}`);
}
