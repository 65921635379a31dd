/** What a simulated node finds when it comes back: its ledger, from its newest usable snapshot on (node `host/read-back.ts`). */
import { LedgerError } from "@sealane/ledger";
import { type CoreConfig, FaultError, Replay, type StartSnapshot } from "@sealane/node/core";
import { seqno } from "@sealane/wire";
import type { SimulatedDisk } from "./simulated-disk.js";
import type { SimulatedSnapshots } from "./simulated-snapshots.js";

/** What opens its log. */
type ReadBackKeys = Pick<CoreConfig, "suite" | "id" | "ledgerSecrets" | "encryption">;

export type ReadBack =
  | {
      readonly type: "read";
      readonly replay: Replay;
      /** It goes on from a snapshot; how many newer ones were stepped over. */
      readonly fromSnapshot: boolean;
      readonly unusable: number;
      readonly lostSynced: boolean;
    }
  | { readonly type: "unreadable" | "damaged" };

export function readBack(config: ReadBackKeys, disk: SimulatedDisk, snapshots: SimulatedSnapshots): ReadBack {
  const keys = { ...config, ledgerSecrets: disk.secrets ?? config.ledgerSecrets };
  const judge = new Replay(keys, disk.hardState);
  const opened = disk.open((entry) => judge.isIntact(entry));
  if (opened.type === "refused") return { type: opened.why === "corrupt" ? "damaged" : "unreadable" };
  const { hardState, lostSynced } = opened;
  const isEmpty = disk.lastSeqno < disk.firstSeqno;
  const range = isEmpty
    ? { from: 1, to: Number.MAX_SAFE_INTEGER }
    : { from: Math.max(1, disk.firstSeqno - 1), to: disk.lastSeqno };
  const { found, unusable } = snapshots.find(range, config.suite, keys.ledgerSecrets);
  if (isEmpty) {
    const start = found?.base.seqno ?? 0;
    if (start < hardState.commitSeqno) return { type: "damaged" };
    disk.startAfter(seqno(start));
  }
  const resumed = goOnFrom(found, (snapshot) => new Replay(keys, hardState, snapshot));
  const replay = resumed ?? new Replay(keys, hardState);
  if (replay.state.ledger.lastSeqno + 1 < disk.firstSeqno) return { type: "damaged" };
  const behind = replay.state.ledger.lastSeqno + 1 - disk.firstSeqno;
  try {
    for (const entry of disk.entries.slice(behind)) replay.handleEntry(entry);
  } catch (error) {
    if (error instanceof FaultError) return { type: "damaged" };
    throw error;
  }
  // Nobody reads what the snapshot stands for, so damage there goes unnoticed.
  const hasHoles = disk.entries.slice(0, behind).some((entry) => !judge.isIntact(entry));
  return { type: "read", replay, fromSnapshot: resumed !== undefined, unusable, lostSynced: lostSynced || hasHoles };
}

/** @returns undefined without a snapshot, or for one that this node cannot go on from. */
function goOnFrom(found: StartSnapshot | undefined, make: (snapshot: StartSnapshot) => Replay): Replay | undefined {
  try {
    return found === undefined ? undefined : make(found);
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}
