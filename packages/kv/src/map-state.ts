/**
 * One map: for each key the versions that still matter. A slot holds the newest version, from which older ones are reached, and the
 * committed one. Versions below the committed one are forgotten, so a key that nobody writes costs one slot and one version.
 *
 * All three operations (push, undo, fold) take constant time for one change; that is what makes `rollback` and `compact` cost only
 * what they undo or fold.
 */
import type { Seqno, TxId } from "@sealane/wire";
import { assert } from "./errors.js";

/** What one transaction made of one key. `value` is undefined where it removed the key. */
export interface Version {
  readonly slot: Slot;
  readonly txId: TxId;
  readonly value: Uint8Array | undefined;
  /** The version before this one; undefined if there was none, or once this one is committed. */
  older: Version | undefined;
}

/** One key of one map. Invariant: a slot is in its map while its newest version is a value or is not committed. */
export interface Slot {
  readonly map: MapState;
  readonly id: string;
  newest: Version | undefined;
  /** The newest committed version, which may be a removal; undefined before the first. */
  committed: Version | undefined;
}

export class MapState {
  readonly name: string;
  readonly slots = new Map<string, Slot>();
  /** Keys present in the latest state. */
  latestSize = 0;
  /** Keys present in the committed state. */
  committedSize = 0;
  /** Seqno of the last committed change, a removal included; 0 before the first. */
  committedChange = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Puts a version on top. @param value - Undefined removes the key. */
  push(id: string, value: Uint8Array | undefined, txId: TxId): Version {
    let slot = this.slots.get(id);
    if (slot === undefined) {
      slot = { map: this, id, newest: undefined, committed: undefined };
      this.slots.set(id, slot);
    }
    const version: Version = { slot, txId, value, older: slot.newest };
    this.latestSize += presence(version) - presence(slot.newest);
    slot.newest = version;
    return version;
  }
}

/** Takes the newest version of its key off again. @param committedSeqno - Of the store. */
export function undo(version: Version, committedSeqno: Seqno): void {
  const { slot, older } = version;
  assert(slot.newest === version, "versions are undone in the reverse order of their making");
  slot.newest = older;
  slot.map.latestSize += presence(older) - presence(version);
  const committedRemoval = older !== undefined && older.value === undefined && older.txId.seqno <= committedSeqno;
  if (older === undefined || committedRemoval) slot.map.slots.delete(slot.id);
}

/** Makes a version the committed one of its key and forgets what came before it. */
export function fold(version: Version): void {
  const { slot } = version;
  slot.map.committedSize += presence(version) - presence(slot.committed);
  slot.map.committedChange = version.txId.seqno; // versions are folded in their order
  slot.committed = version;
  version.older = undefined;
  if (version.value === undefined && slot.newest === version) slot.map.slots.delete(slot.id);
}

function presence(version: Version | undefined): 0 | 1 {
  return version?.value === undefined ? 0 : 1;
}
