/** The live keys of a ledger's tables, replayed from write sets, and their digest. */
import type { CryptoSuite } from "@sealane/crypto";
import { hex, utf8, type WriteSet } from "@sealane/wire";
import { compareBytes } from "../order.js";
import type { SnapshotMap } from "../snapshot/decode-snapshot.js";

interface Live {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export class TableState {
  /** Tables that were ever written to, also those that are empty now. */
  readonly #tables = new Map<string, Map<string, Live>>();

  apply(writeSet: WriteSet): void {
    for (const { name, writes, removes } of writeSet) {
      const table = this.#tables.get(name) ?? new Map<string, Live>();
      this.#tables.set(name, table);
      // Copies: the entry's bytes are views of a window over the file.
      for (const [key, value] of writes) table.set(hex(key), { key: key.slice(), value: value.slice() });
      for (const key of removes) table.delete(hex(key));
    }
  }

  /** Takes over what a snapshot has, into empty tables. */
  install(maps: readonly SnapshotMap[]): void {
    for (const { name, entries } of maps) {
      this.#tables.set(name, new Map(entries.map(({ key, value }) => [hex(key), { key, value }])));
    }
  }

  /** Ascending. */
  get names(): string[] {
    return [...this.#tables.keys()].sort((a, b) => compareBytes(utf8(a), utf8(b)));
  }

  /** Live keys by table, ascending. */
  get sizes(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.names.map((name) => [name, this.#tables.get(name)?.size ?? 0]));
  }

  get entries(): number {
    return [...this.#tables.values()].reduce((sum, table) => sum + table.size, 0);
  }

  /**
   * SHA-256 over, for each table and each live key in ascending order, the table's name, the key and the value, each behind its length as
   * u64 little-endian. Takes as much memory again as the state.
   */
  digest(suite: CryptoSuite): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const name of this.names) {
      const live = [...(this.#tables.get(name)?.values() ?? [])].sort((a, b) => compareBytes(a.key, b.key));
      for (const { key, value } of live) parts.push(utf8(name), key, value);
    }
    const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + 8 + length, 0));
    const data = new DataView(bytes.buffer);
    let offset = 0;
    for (const part of parts) {
      data.setBigUint64(offset, BigInt(part.length), true);
      bytes.set(part, offset + 8);
      offset += 8 + part.length;
    }
    return suite.sha256(bytes);
  }
}
