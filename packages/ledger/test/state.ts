/** The state a ledger's entries add up to, as a store would hand it out, and snapshots of it. */
import { concatBytes, hex, type Seqno, seqno, utf8 } from "@sealane/wire";
import { receiptOf } from "../src/build-receipt.js";
import { decodeEntry } from "../src/decode-entry.js";
import { splitEntries } from "../src/entry-header.js";
import type { Ledger, LedgerEntry } from "../src/ledger.js";
import { type EncodedSnapshot, encodeSnapshot } from "../src/snapshot/encode-snapshot.js";
import type { SnapshotEntry, SnapshotMapState } from "../src/snapshot/layout.js";
import { snapshotEvidence } from "../src/snapshot/snapshot-evidence.js";
import { decode, secrets, sign, suite } from "./fixture.js";

/** @param entries - From the first one on. */
export function stateOf(entries: readonly Uint8Array[]): SnapshotMapState[] {
  const maps = new Map<string, { changedAt: number; keys: Map<string, SnapshotEntry> }>();
  for (const bytes of entries) {
    const { seqno: writtenAt, writeSet } = decodeEntry(suite, secrets, bytes);
    for (const { name, writes, removes } of writeSet) {
      const map = maps.get(name) ?? { changedAt: 0, keys: new Map<string, SnapshotEntry>() };
      maps.set(name, map);
      map.changedAt = writtenAt;
      for (const [key, value] of writes) map.keys.set(hex(key), { key, value, writtenAt });
      for (const key of removes) map.keys.delete(hex(key));
    }
  }
  return [...maps].map(([name, { changedAt, keys }]) => ({ name, changedAt, entries: [...keys.values()] }));
}

/** Entries 1 to `to` of a ledger that has them all in memory. */
export function entriesOf(ledger: Ledger, to: Seqno = ledger.lastSeqno): Uint8Array[] {
  return splitEntries(concatBytes(...(ledger.range(seqno(1), to) ?? [])));
}

/** A snapshot at a ledger's last entry, a signature. */
export function takeSnapshot(ledger: Ledger, maps = stateOf(entriesOf(ledger))): EncodedSnapshot {
  const last = ledger.lastSeqno;
  const viewHistory = ledger.viewHistory(last);
  return encodeSnapshot(suite, secrets, { seqno: last, leaf: ledger.leaf(last), viewHistory, maps });
}

export interface ProvenSnapshot extends EncodedSnapshot {
  readonly evidence: LedgerEntry;
  readonly signature: LedgerEntry;
  /** UTF-8 JSON. */
  readonly receipt: Uint8Array;
  /** The committed file. */
  readonly file: Uint8Array;
}

/** Takes a snapshot, and appends its evidence and the signature that proves it. */
export function proveSnapshot(ledger: Ledger, snapshot = takeSnapshot(ledger)): ProvenSnapshot {
  const evidence = ledger.append({ view: ledger.lastView, ...snapshotEvidence(snapshot) });
  const signature = sign(ledger, undefined, ledger.lastView);
  const { json } = receiptOf(decode(evidence), decode(signature), { suite, secrets });
  const receipt = utf8(JSON.stringify(json));
  return { ...snapshot, evidence, signature, receipt, file: concatBytes(snapshot.bytes, receipt) };
}

/** One changed bit. */
export function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}
