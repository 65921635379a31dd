/**
 * A transaction: reads of the state it began on, with its own changes on top, and a write set at the end (ledger spec §3.2).
 * Nobody else sees the changes before `Store.apply`.
 */
import { type MapWrites, PUBLIC_PREFIX, type TxId, type WriteSet } from "@sealane/wire";
import { checkKey, checkMapName, checkValue } from "./check.js";
import { KvError } from "./errors.js";
import { idOfKey, keyOfId } from "./key-id.js";
import { BLOB_OVERHEAD_BYTES, KEY_BYTES_MAX, MAP_OVERHEAD_BYTES, TRANSACTION_BYTES_MAX } from "./limits.js";
import { Reader, type StoreReader } from "./reader.js";
import { type MapHandle, TypedMap } from "./typed-map.js";

/** A map's pending changes by key id; undefined stands for a removal. */
type Changes = Map<string, Uint8Array | undefined>;

export class Transaction extends Reader {
  readonly #base: StoreReader;
  readonly #isCurrent: () => boolean;
  readonly #pending = new Map<string, Changes>();
  /** Size of the pending changes as the ledger will serialise them. Invariant: at most TRANSACTION_BYTES_MAX. */
  #bytes = 0;

  /** @internal Transactions are made by `Store.begin`. */
  constructor(base: StoreReader, isCurrent: () => boolean) {
    super();
    this.#base = base;
    this.#isCurrent = isCurrent;
  }

  /**
   * Sets `key` to a copy of `value`; the last write of a key wins.
   * @param map - Public, and so readable in the ledger by everybody, if it starts with `public:`; encrypted otherwise.
   * @throws {KvError} `bad-map-name`, `key-too-large`, `value-too-large`, `transaction-too-large`, `stale-transaction`; the
   *   transaction is as it was.
   */
  put(map: string, key: Uint8Array, value: Uint8Array): void {
    checkMapName(map);
    checkKey(key);
    checkValue(value);
    this.#change(map, idOfKey(key), new Uint8Array(value));
  }

  /**
   * Removes `key`. Removing an absent key is no change and leaves no trace in the write set.
   * @returns whether the key was present.
   * @throws {KvError} `bad-map-name`, `key-too-large`, `transaction-too-large`, `stale-transaction`
   */
  remove(map: string, key: Uint8Array): boolean {
    checkMapName(map);
    checkKey(key);
    const present = this.has(map, key);
    if (!present) return false;
    if (this.#base.has(map, key)) this.#change(map, idOfKey(key), undefined);
    else this.#forget(map, idOfKey(key)); // written by this transaction alone: the two cancel out
    return true;
  }

  /** Removes every key of a map. Takes time proportional to the map. @throws {KvError} as `remove` does */
  clear(map: string): void {
    checkMapName(map);
    for (const id of [...this.ids(map)]) this.remove(map, keyOfId(id));
  }

  /** @throws {KvError} `stale-transaction`, as every method of a transaction */
  override get(map: string, key: Uint8Array): Uint8Array | undefined {
    this.#requireCurrent();
    if (key.length > KEY_BYTES_MAX) return undefined;
    const changes = this.#pending.get(map);
    if (changes !== undefined) {
      const id = idOfKey(key);
      if (changes.has(id)) return changes.get(id);
    }
    return this.#base.get(map, key);
  }

  /** Undefined as well for a key that this transaction has changed: its version is not known before `apply`. */
  override versionOf(map: string, key: Uint8Array): TxId | undefined {
    this.#requireCurrent();
    if (key.length > KEY_BYTES_MAX || this.#pending.get(map)?.has(idOfKey(key))) return undefined;
    return this.#base.versionOf(map, key);
  }

  override size(map: string): number {
    this.#requireCurrent();
    let size = this.#base.size(map);
    for (const [id, value] of this.#pending.get(map) ?? []) {
      if (value === undefined)
        size -= 1; // a removal is pending only for a key of the base
      else if (!this.#base.has(map, keyOfId(id))) size += 1;
    }
    return size;
  }

  override maps(): string[] {
    const names = new Set([...this.#base.maps(), ...this.#pending.keys()]);
    return [...names].filter((name) => this.size(name) > 0).sort();
  }

  /** The map with its keys and values typed, to read and to write. */
  override map<K, V>(handle: MapHandle<K, V>): TypedMap<K, V> {
    return new TypedMap(this, handle);
  }

  /**
   * The changes in the order the ledger wants: maps ascending by name, keys ascending bytewise, each key once, no map without a
   * change. An empty array means there is nothing to replicate: such a transaction makes no entry and takes no seqno.
   * @throws {KvError} `stale-transaction`
   */
  writeSet(): WriteSet {
    this.#requireCurrent();
    const names = [...this.#pending.keys()].sort();
    return names.map((name) => inLedgerOrder(name, this.#pending.get(name) ?? new Map()));
  }

  protected override *ids(map: string): Generator<string, void, undefined> {
    this.#requireCurrent();
    const changes = this.#pending.get(map);
    for (const [key] of this.#base.entries(map)) {
      const id = idOfKey(key);
      if (changes?.has(id) !== true) yield id;
    }
    for (const [id, value] of changes ?? []) {
      if (value !== undefined) yield id;
    }
  }

  #change(map: string, id: string, value: Uint8Array | undefined): void {
    this.#requireCurrent();
    const changes = this.#pending.get(map);
    const mapBytes = changes === undefined ? MAP_OVERHEAD_BYTES + map.length : 0;
    const replacedBytes = changes?.has(id) ? changeBytes(id, changes.get(id)) : 0;
    const bytes = this.#bytes + mapBytes + changeBytes(id, value) - replacedBytes;
    if (bytes > TRANSACTION_BYTES_MAX) {
      throw new KvError("transaction-too-large", `a transaction has at most ${TRANSACTION_BYTES_MAX} bytes`);
    }
    this.#bytes = bytes;
    if (changes === undefined) this.#pending.set(map, new Map([[id, value]]));
    else changes.set(id, value);
  }

  #forget(map: string, id: string): void {
    const changes = this.#pending.get(map);
    if (changes === undefined) return;
    this.#bytes -= changeBytes(id, changes.get(id));
    changes.delete(id);
    if (changes.size > 0) return;
    this.#pending.delete(map); // a map without a change is not listed
    this.#bytes -= MAP_OVERHEAD_BYTES + map.length;
  }

  #requireCurrent(): void {
    if (this.#isCurrent()) return;
    throw new KvError("stale-transaction", "the state has changed since the transaction began: begin a new one");
  }
}

/** Whether a map's changes stand in the ledger for everybody to read (ledger spec §3.2). */
export function isPublicMap(name: string): boolean {
  return name.startsWith(PUBLIC_PREFIX);
}

function inLedgerOrder(name: string, changes: Changes): MapWrites {
  const writes: [key: Uint8Array, value: Uint8Array][] = [];
  const removes: Uint8Array[] = [];
  for (const id of [...changes.keys()].sort()) {
    const value = changes.get(id);
    if (value === undefined) removes.push(keyOfId(id));
    else writes.push([keyOfId(id), value]);
  }
  return { name, writes, removes };
}

function changeBytes(id: string, value: Uint8Array | undefined): number {
  return BLOB_OVERHEAD_BYTES + id.length + (value === undefined ? 0 : BLOB_OVERHEAD_BYTES + value.length);
}
