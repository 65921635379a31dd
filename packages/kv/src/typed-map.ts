/** Maps with typed keys and values: a handle names the map and its codecs once, and every reader and transaction can open it. */
import type { TxId } from "@sealane/wire";
import type { Codec } from "./codecs.js";

/** What a typed map needs of a `Reader`; declared here because readers in turn make typed maps. */
interface ByteReader {
  get(map: string, key: Uint8Array): Uint8Array | undefined;
  has(map: string, key: Uint8Array): boolean;
  versionOf(map: string, key: Uint8Array): TxId | undefined;
  size(map: string): number;
  entries(map: string): Iterable<[key: Uint8Array, value: Uint8Array]>;
}

/** What a typed map needs of a `Transaction` besides. */
interface ByteWriter extends ByteReader {
  put(map: string, key: Uint8Array, value: Uint8Array): void;
  remove(map: string, key: Uint8Array): boolean;
  clear(map: string): void;
}

/** A map's name and codecs. Holds no data. */
export interface MapHandle<K, V> {
  readonly name: string;
  readonly key: Codec<K>;
  readonly value: Codec<V>;
}

/**
 * Declares a typed map.
 * @param name - 1 to `MAP_NAME_CHARS_MAX` printable ASCII characters; public if it starts with `public:`.
 * @example
 * const ships = map("ships", { key: utf8Text, value: u64 });
 * tx.map(ships).put("Vega", 42);
 */
export function map<K, V>(name: string, codecs: { readonly key: Codec<K>; readonly value: Codec<V> }): MapHandle<K, V> {
  return { name, key: codecs.key, value: codecs.value };
}

/** Reads one map. Every method throws `KvError` `malformed` if stored bytes are not what the codec writes. */
export class TypedReader<K, V> {
  protected readonly handle: MapHandle<K, V>;
  readonly #reader: ByteReader;

  constructor(reader: ByteReader, handle: MapHandle<K, V>) {
    this.handle = handle;
    this.#reader = reader;
  }

  get(key: K): V | undefined {
    const bytes = this.#reader.get(this.handle.name, this.handle.key.encode(key));
    return bytes === undefined ? undefined : this.handle.value.decode(bytes);
  }

  has(key: K): boolean {
    return this.#reader.has(this.handle.name, this.handle.key.encode(key));
  }

  versionOf(key: K): TxId | undefined {
    return this.#reader.versionOf(this.handle.name, this.handle.key.encode(key));
  }

  get size(): number {
    return this.#reader.size(this.handle.name);
  }

  /** Ascending by the bytes of the keys. */
  *entries(): Generator<[key: K, value: V], void, undefined> {
    for (const [key, value] of this.#reader.entries(this.handle.name)) {
      yield [this.handle.key.decode(key), this.handle.value.decode(value)];
    }
  }
}

/** Reads and writes one map inside a transaction. Errors are those of `Transaction`, and `malformed` from the codecs. */
export class TypedMap<K, V> extends TypedReader<K, V> {
  readonly #transaction: ByteWriter;

  constructor(transaction: ByteWriter, handle: MapHandle<K, V>) {
    super(transaction, handle);
    this.#transaction = transaction;
  }

  put(key: K, value: V): void {
    const { name, key: keys, value: values } = this.handle;
    this.#transaction.put(name, keys.encode(key), values.encode(value));
  }

  /** @returns whether the key was present. */
  delete(key: K): boolean {
    return this.#transaction.remove(this.handle.name, this.handle.key.encode(key));
  }

  clear(): void {
    this.#transaction.clear(this.handle.name);
  }
}
