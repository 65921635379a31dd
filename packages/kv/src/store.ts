/**
 * The replicated state: what the ledger's entries add up to. Entries are applied in order; those above the committed seqno can be
 * taken back (`rollback`) until the replication core says that they never will be (`compact`).
 *
 * Pure: no clock, no randomness, no I/O. It does not merge concurrent transactions: a transaction reads one state, and it is refused
 * once another entry has changed that state, so transactions are serialisable because they are serial.
 */
import { seqno as brandSeqno, type Seqno, type TxId, type View, type WriteSet } from "@sealane/wire";
import { checkKey, checkMapName, checkValue, checkWriteSet } from "./check.js";
import { KvError } from "./errors.js";
import { idOfKey, keyOfId } from "./key-id.js";
import { fold, MapState, undo, type Version } from "./map-state.js";
import { type Reader, type StateName, StoreReader } from "./reader.js";
import { Transaction } from "./transaction.js";

export class Store {
  readonly #maps = new Map<string, MapState>();
  /**
   * The versions above the committed seqno, in the order they were made; those before `#folded` are committed already and wait to be
   * dropped in bulk. Invariant: 2 × #folded <= length after every operation.
   */
  readonly #uncommitted: Version[] = [];
  #folded = 0;
  #lastSeqno = brandSeqno(0);
  #committedSeqno = brandSeqno(0);
  /** Counts the changes of the latest state, so that a transaction notices one. */
  #changes = 0;
  readonly #latest = new StoreReader(this.#maps, "latest");
  readonly #committed = new StoreReader(this.#maps, "committed");

  /** Seqno of the last applied entry; 0 before the first. */
  get lastSeqno(): Seqno {
    return this.#lastSeqno;
  }

  /** Up to here nothing can be rolled back. Invariant: committedSeqno <= lastSeqno. */
  get committedSeqno(): Seqno {
    return this.#committedSeqno;
  }

  /**
   * Begins a transaction on the latest state. It costs nothing to drop one.
   * @example
   * const store = new Store();
   * const tx = store.begin();
   * tx.put("records", utf8("ship"), utf8("Vega"));
   * store.apply(tx.writeSet(), { view: view(2), seqno: seqno(1) });
   */
  begin(): Transaction {
    const beganAt = this.#changes;
    return new Transaction(this.#latest, () => this.#changes === beganAt);
  }

  /** A live view: of everything applied, or of what is committed. */
  read(state: StateName): Reader {
    return state === "latest" ? this.#latest : this.#committed;
  }

  /**
   * Makes an entry's changes the latest state; the same path for a transaction of this node and for a replicated entry.
   * @param writeSet - As `Transaction.writeSet` makes it. Keys are copied; a value that fills its buffer is kept (do not write into
   *   it), one that is a view is copied, so that a small value never keeps a whole frame in memory.
   * @param txId - Kept, not copied. Its seqno is `lastSeqno + 1`.
   * @throws {KvError} `bad-seqno`, `bad-write-set`, `bad-map-name`, `key-too-large`, `value-too-large`; nothing has changed then.
   */
  apply(writeSet: WriteSet, txId: TxId): void {
    if (txId.seqno !== this.#lastSeqno + 1) {
      throw new KvError("bad-seqno", `expected seqno ${this.#lastSeqno + 1}, got ${txId.seqno}`);
    }
    checkWriteSet(writeSet);
    for (const { name, writes, removes } of writeSet) {
      const map = this.#mapState(name);
      for (const [key, value] of writes) this.#uncommitted.push(map.push(idOfKey(key), own(value), txId));
      for (const key of removes) this.#uncommitted.push(map.push(idOfKey(key), undefined, txId));
    }
    this.#lastSeqno = txId.seqno;
    this.#changes += 1;
  }

  /**
   * Takes back every entry above `to`, newest first. Takes time proportional to the changes in them.
   * @throws {KvError} `out-of-range` below the committed seqno or above the last one; nothing has changed then.
   */
  rollback(to: Seqno): void {
    if (to < this.#committedSeqno || to > this.#lastSeqno) {
      throw new KvError("out-of-range", `cannot roll back to ${to}: it is not in ${this.#range()}`);
    }
    if (to === this.#lastSeqno) return;
    for (;;) {
      const version = this.#uncommitted.at(-1);
      if (version === undefined || version.txId.seqno <= to) break;
      this.#uncommitted.pop();
      undo(version, this.#committedSeqno);
      this.#dropIfEmpty(version.slot.map);
    }
    this.#trim();
    this.#lastSeqno = to;
    this.#changes += 1;
  }

  /**
   * Makes everything up to `upTo` the committed state and forgets what it replaced. Takes time proportional to the changes that
   * become committed. A seqno that is committed already changes nothing.
   * @throws {KvError} `out-of-range` above the last seqno; nothing has changed then.
   */
  compact(upTo: Seqno): void {
    if (upTo > this.#lastSeqno) {
      throw new KvError("out-of-range", `cannot commit ${upTo}: it is not in ${this.#range()}`);
    }
    if (upTo <= this.#committedSeqno) return;
    for (; ; this.#folded += 1) {
      const version = this.#uncommitted[this.#folded];
      if (version === undefined || version.txId.seqno > upTo) break;
      fold(version);
      this.#dropIfEmpty(version.slot.map);
    }
    this.#trim();
    this.#committedSeqno = upTo;
  }

  /**
   * The committed state, map by map, for a snapshot of it (ledger spec §10.2). Read it before the next `compact`; the arrays in it never
   * change. Maps without a key are left out: nothing tells them from maps that nobody wrote.
   * @example
   * const snapshot = encodeSnapshot(suite, secrets, { seqno: store.committedSeqno, leaf, viewHistory, maps: store.committedMaps() });
   */
  *committedMaps(): Generator<CommittedMap, void, undefined> {
    for (const name of this.#committed.maps()) {
      const map = this.#mapState(name);
      yield { name, changedAt: map.committedChange, entries: committedEntries(map) };
    }
  }

  /**
   * Makes the state of a snapshot the committed and latest state of an empty store, which goes on behind it.
   * @param maps - Private and public ones. Keys are copied, values too unless they fill their buffer.
   * @param at - The snapshot's transaction.
   * @param viewAt - The view of each seqno up to `at`: a snapshot names writes by seqno alone.
   * @throws {KvError} `bad-seqno` when something was applied, or a map is said to have changed behind `at`; `bad-map-name`, `key-too-large`,
   *   `value-too-large`, `bad-write-set` (a map or a key twice). The store is empty then.
   */
  install(maps: Iterable<CommittedMap>, at: TxId, viewAt: (seqno: Seqno) => View): void {
    if (this.#lastSeqno !== 0)
      throw new KvError("bad-seqno", `a snapshot goes into an empty store, not at ${this.#lastSeqno}`);
    try {
      for (const map of maps) this.#installMap(map, at, viewAt);
    } catch (error) {
      this.#maps.clear();
      throw error;
    }
    this.#lastSeqno = at.seqno;
    this.#committedSeqno = at.seqno;
    this.#changes += 1;
  }

  #installMap({ name, changedAt, entries }: CommittedMap, at: TxId, viewAt: (seqno: Seqno) => View): void {
    checkMapName(name);
    if (this.#maps.has(name)) throw new KvError("bad-write-set", `map ${name} is there twice`);
    if (changedAt > at.seqno) throw new KvError("bad-seqno", `map ${name} changed at ${changedAt}, behind ${at.seqno}`);
    const map = new MapState(name);
    for (const { key, value, writtenAt } of entries) {
      checkKey(key);
      checkValue(value);
      if (writtenAt > changedAt)
        throw new KvError("bad-seqno", `map ${name} changed at ${changedAt}, but was written at ${writtenAt}`);
      const id = idOfKey(key);
      if (map.slots.has(id)) throw new KvError("bad-write-set", `map ${name} has a key twice`);
      const written = brandSeqno(writtenAt);
      fold(map.push(id, own(value), { view: viewAt(written), seqno: written }));
    }
    map.committedChange = changedAt;
    if (map.slots.size > 0) this.#maps.set(name, map);
  }

  #mapState(name: string): MapState {
    let map = this.#maps.get(name);
    if (map === undefined) {
      map = new MapState(name);
      this.#maps.set(name, map);
    }
    return map;
  }

  /** A map without a slot has no version in `#uncommitted` either, so nothing refers to it. */
  #dropIfEmpty(map: MapState): void {
    if (map.slots.size === 0) this.#maps.delete(map.name);
  }

  /** Moves at most as many versions as it drops, so its cost vanishes in that of folding or undoing them. */
  #trim(): void {
    if (this.#folded * 2 <= this.#uncommitted.length) return;
    this.#uncommitted.splice(0, this.#folded);
    this.#folded = 0;
  }

  #range(): string {
    return `${this.#committedSeqno}..${this.#lastSeqno}`;
  }
}

/** One map of the committed state. What `decodeSnapshot` of the ledger makes of a map is one. */
export interface CommittedMap {
  readonly name: string;
  /** Seqno of its last change, a removal included. */
  readonly changedAt: number;
  /** Its live keys, in any order; `writtenAt` is the seqno of the write. */
  readonly entries: Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array; readonly writtenAt: number }>;
}

function* committedEntries({ slots }: MapState): Generator<{ key: Uint8Array; value: Uint8Array; writtenAt: number }> {
  for (const { id, committed } of slots.values()) {
    if (committed?.value === undefined) continue;
    yield { key: keyOfId(id), value: committed.value, writtenAt: committed.txId.seqno };
  }
}

function own(value: Uint8Array): Uint8Array {
  return value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value);
}
