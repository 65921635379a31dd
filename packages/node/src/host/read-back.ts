/** What a node finds in its directory when it comes back: its ledger, read through, or from its newest snapshot on. */
import { type CryptoSuite, pemEncode } from "@sealane/crypto";
import { LedgerError, type VerifiedSnapshot } from "@sealane/ledger";
import { type FileLedger, type OpenedLedger, openLedger, type UnusableSnapshot } from "@sealane/ledger/files";
import { seqno, view } from "@sealane/wire";
import { FaultError } from "../core/errors.js";
import { type HardState, type LogKeys, Replay } from "../core/log-state.js";
import type { KeptSecret } from "../core/rotating-secrets.js";
import type { DataDir } from "./data-dir.js";
import { NodeError } from "./errors.js";
import type { Membership, NodeKeys } from "./membership.js";
import { SnapshotStore } from "./snapshot-store.js";

type Keys = Omit<LogKeys, "ledgerSecrets"> & { readonly ledgerSecrets: readonly KeptSecret[] };

const ANYWHERE = { first: 1, last: Number.MAX_SAFE_INTEGER };

/** Of a node that has kept nothing yet. */
export const NOTHING_YET: HardState = { view: view(0), votedFor: undefined, commitSeqno: seqno(0) };

/** Whose directory it is. */
export interface Owner {
  readonly suite: CryptoSuite;
  readonly keys: Pick<NodeKeys, "id" | "encryption">;
  readonly membership: Membership;
}

export interface ReadBack {
  readonly replay: Replay;
  readonly ledger: FileLedger;
  readonly snapshots: SnapshotStore;
}

/**
 * Every entry behind the snapshot is checked as a backup checks it; the snapshot, by its receipt. One that does not verify is stepped over:
 * the ledger alone says the same, as long as it is whole.
 * @throws NodeError `fault` when the ledger cannot be opened or does not verify, or does not begin at 1 and no snapshot stands before it.
 */
export async function readBack(dataDir: DataDir, { suite, keys: own, membership }: Owner): Promise<ReadBack> {
  const keys: Keys = { suite, id: own.id, encryption: own.encryption, ledgerSecrets: membership.ledgerSecrets };
  const services = [membership.service.certificate, ...(membership.formerServices ?? [])];
  const hardState = await readHardState(dataDir);
  const judge = new Replay(keys, hardState);
  const { opened, snapshots } = await openAll(dataDir, judge).catch((cause: unknown) => {
    throw new NodeError("fault", `The ledger of this node cannot be opened: ${reason(cause)}`, { cause });
  });
  const ledger = opened.storage;
  try {
    const isEmpty = ledger.lastSeqno < ledger.firstSeqno;
    const { found, unusable } = await snapshots.newest(
      isEmpty ? ANYWHERE : { first: ledger.firstSeqno, last: ledger.lastSeqno },
      {
        suite,
        secrets: keys.ledgerSecrets,
        serviceCertificates: services.map((der) => pemEncode("CERTIFICATE", der)),
      },
    );
    if (isEmpty) startBehind(ledger, found, hardState, unusable);
    const replay = goOnFrom(found, keys, hardState) ?? new Replay(keys, hardState);
    const from = seqno(replay.state.ledger.lastSeqno + 1);
    if (from < ledger.firstSeqno) throw beginsTooLate(ledger, unusable);
    for await (const entry of opened.entriesFrom(from)) replay.handleEntry(entry);
    return { replay, ledger, snapshots };
  } catch (cause) {
    await ledger.close();
    throw cause instanceof FaultError ? new NodeError("fault", cause.message, { cause }) : cause;
  }
}

async function readHardState(dataDir: DataDir): Promise<HardState> {
  const file = await dataDir.readState();
  if (file === undefined) return NOTHING_YET;
  return { view: file.view, votedFor: file.votedFor ?? undefined, commitSeqno: file.commitSeqno };
}

/** A node that joined from a snapshot and has received nothing since: what it had promised to hold, the snapshot must hold. */
function startBehind(
  ledger: FileLedger,
  found: VerifiedSnapshot | undefined,
  { commitSeqno }: HardState,
  unusable: readonly UnusableSnapshot[],
): void {
  const start = seqno(found?.snapshot.seqno ?? 0);
  if (start < commitSeqno) {
    const what = `The ledger of this node is empty, and no snapshot has what it had committed, up to ${commitSeqno}.`;
    throw new NodeError("fault", `${what}${reasonsOf(unusable)} Remove its directory and join anew.`);
  }
  ledger.startAfter(start);
}

async function openAll(
  dataDir: DataDir,
  judge: Replay,
): Promise<{ readonly opened: OpenedLedger; readonly snapshots: SnapshotStore }> {
  const snapshots = await SnapshotStore.open(dataDir.snapshotsPath);
  const newest = await snapshots.newestName();
  const opened = await openLedger(dataDir.ledgerPath, {
    durable: judge.hardState.commitSeqno,
    isIntact: (entry) => judge.isIntact(entry),
    snapshot: seqno(newest?.seqno ?? 0), // stands for an empty ledger only; whether it can be used is seen later
  });
  return { opened, snapshots };
}

/** @returns undefined without a snapshot, or for one that this node cannot go on from. */
function goOnFrom(snapshot: VerifiedSnapshot | undefined, keys: Keys, hardState: HardState): Replay | undefined {
  try {
    return snapshot === undefined ? undefined : new Replay(keys, hardState, snapshot);
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}

function beginsTooLate(ledger: FileLedger, unusable: readonly UnusableSnapshot[]): NodeError {
  const what = `The ledger of this node begins at entry ${ledger.firstSeqno}, and no snapshot stands before it that can be used.`;
  return new NodeError("fault", `${what}${reasonsOf(unusable)} Bring the archived chunks back.`);
}

function reasonsOf(unusable: readonly UnusableSnapshot[]): string {
  return unusable.map(({ name, error }) => ` ${name}: ${error.message}.`).join("");
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
