/** Reading: the same questions, asked of the latest state, of the committed state, or of a transaction in progress. */
import type { TxId } from "@sealane/wire";
import { idOfKey, keyOfId } from "./key-id.js";
import { KEY_BYTES_MAX } from "./limits.js";
import type { MapState, Slot, Version } from "./map-state.js";
import { type MapHandle, TypedReader } from "./typed-map.js";

/** Which state a reader sees: everything applied, or only what is at or below the committed seqno. */
export type StateName = "latest" | "committed";

/**
 * A view of the maps. A map nobody has written is an empty map. Keys are borrowed for the call. Arrays that come out belong to the
 * store: read them, do not write into them.
 */
export abstract class Reader {
  /** The value under `key`, or undefined if the key is absent. */
  abstract get(map: string, key: Uint8Array): Uint8Array | undefined;
  /** The transaction that wrote the present value; undefined if the key is absent. */
  abstract versionOf(map: string, key: Uint8Array): TxId | undefined;
  /** How many keys the map has; takes constant time. */
  abstract size(map: string): number;
  /** The names of all maps with at least one key, ascending. */
  abstract maps(): string[];
  /** The map's keys as ids, in any order. For `entries`. */
  protected abstract ids(map: string): Iterable<string>;

  has(map: string, key: Uint8Array): boolean {
    return this.get(map, key) !== undefined;
  }

  /**
   * All keys and values of a map, ascending by key bytes, so that every replica sees the same order. Which keys there are is decided
   * when the loop begins, and sorting them takes n log n. A key removed while the loop runs is left out.
   */
  *entries(map: string): Generator<[key: Uint8Array, value: Uint8Array], void, undefined> {
    const ids = [...this.ids(map)].sort(); // without an argument: by UTF-16 unit, here the byte
    for (const id of ids) {
      const key = keyOfId(id);
      const value = this.get(map, key);
      if (value !== undefined) yield [key, value];
    }
  }

  /** The map with its keys and values typed. */
  map<K, V>(handle: MapHandle<K, V>): TypedReader<K, V> {
    return new TypedReader(this, handle);
  }
}

/** A live view of a store: it always answers from the state at the time of the call. */
export class StoreReader extends Reader {
  readonly #maps: ReadonlyMap<string, MapState>;
  readonly #state: StateName;

  constructor(maps: ReadonlyMap<string, MapState>, state: StateName) {
    super();
    this.#maps = maps;
    this.#state = state;
  }

  override get(map: string, key: Uint8Array): Uint8Array | undefined {
    return this.#version(map, key)?.value;
  }

  override versionOf(map: string, key: Uint8Array): TxId | undefined {
    const version = this.#version(map, key);
    return version?.value === undefined ? undefined : version.txId;
  }

  override size(map: string): number {
    const state = this.#maps.get(map);
    if (state === undefined) return 0;
    return this.#state === "latest" ? state.latestSize : state.committedSize;
  }

  override maps(): string[] {
    return [...this.#maps.keys()].filter((name) => this.size(name) > 0).sort();
  }

  protected override *ids(map: string): Generator<string, void, undefined> {
    for (const slot of this.#maps.get(map)?.slots.values() ?? []) {
      if (this.#select(slot)?.value !== undefined) yield slot.id;
    }
  }

  #version(map: string, key: Uint8Array): Version | undefined {
    if (key.length > KEY_BYTES_MAX) return undefined; // no such key can have been written
    const slot = this.#maps.get(map)?.slots.get(idOfKey(key));
    return slot === undefined ? undefined : this.#select(slot);
  }

  #select(slot: Slot): Version | undefined {
    return this.#state === "latest" ? slot.newest : slot.committed;
  }
}
