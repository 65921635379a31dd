/**
 * A node's way into a service (ledger spec §12): it fetches the newest snapshot, asks to join from there until it is trusted, and holds the snapshot
 * against the ledger secrets it is told then. A snapshot that has become too old, or that does not open, is replaced by a newer one.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type CryptoSuite, pemDecode } from "@sealane/crypto";
import type { SnapshotName } from "@sealane/ledger";
import { type Seqno, seqno } from "@sealane/wire";
import { askNetwork } from "./ask-network.js";
import { nowMs } from "./clock.js";
import { NodeError } from "./errors.js";
import { fetchSnapshot } from "./fetch-snapshot.js";
import { type JoinOptions, joinService } from "./join-service.js";
import { acceptMembership, type Membership, type NodeKeys } from "./membership.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** Snapshots tried until one is neither too old nor another service's. */
const TRIES_MAX = 5;
/** Between two of those, in ms: the service may be taking a newer one. */
const RETRY_MS = 500;
/** The consortium may take days. A snapshot fetched longer ago than this, in ms, gives way to a newer one, if there is one. */
const STALE_MS = 300_000;

export interface AdmissionOptions extends Omit<JoinOptions, "request"> {
  readonly suite: CryptoSuite;
  readonly keys: NodeKeys;
  readonly request: Omit<JoinOptions["request"], "startupSeqno">;
  /** Where the snapshot is kept; undefined to replay the ledger from its beginning. */
  readonly snapshots: SnapshotStore | undefined;
  /** The least seqno that will do, when it is known. */
  readonly since?: Seqno;
}

/**
 * @returns what makes this node a member. The snapshot it was let in with, if any, is in `snapshots`, durable and verified.
 * @throws NodeError `snapshot-too-old`, and as `joinService`, `fetchSnapshot`, `acceptMembership`.
 */
export async function enter(options: AdmissionOptions): Promise<Membership> {
  const { suite, keys, serviceCertificate, snapshots, signal } = options;
  let since = options.since ?? seqno(0);
  for (let tries = 1; ; tries++) {
    const snapshot = snapshots === undefined ? undefined : await obtain(snapshots, since, options);
    const obtainedMs = nowMs();
    const startup = snapshot === undefined ? {} : { startupSeqno: seqno(snapshot.seqno) };
    try {
      const network = await joinService({ ...options, request: { ...options.request, ...startup } });
      const membership = acceptMembership(suite, keys, pemDecode("CERTIFICATE", serviceCertificate), network);
      if (snapshots === undefined || snapshot === undefined) return membership;
      const isStale = nowMs() - obtainedMs > STALE_MS && tries < TRIES_MAX;
      const newer = isStale ? await obtain(snapshots, seqno(snapshot.seqno + 1), options) : undefined;
      if (newer !== undefined) continue; // asked again: it may be behind a ledger secret that this answer does not have
      if (await opens(snapshots, snapshot, membership, options)) return membership;
      if (tries >= TRIES_MAX) throw doesNotOpen(snapshot);
      since = seqno(snapshot.seqno + 1);
    } catch (cause) {
      const isOld = cause instanceof NodeError && cause.code === "snapshot-too-old";
      if (!isOld || snapshots === undefined || tries >= TRIES_MAX) throw cause;
      since = seqno((snapshot?.seqno ?? 0) + 1);
      await delay(RETRY_MS, undefined, { signal }).catch(() => {
        throw new NodeError("aborted", "The node was stopped before the service trusted it.");
      });
    }
  }
}

/** The newest snapshot there is: the service's, or one that was fetched before and is as new. */
async function obtain(
  snapshots: SnapshotStore,
  since: Seqno,
  options: AdmissionOptions,
): Promise<SnapshotName | undefined> {
  const { suite, serviceCertificate, identity, url, signal } = options;
  const of = { suite, serviceCertificates: [serviceCertificate] };
  const { found } = await snapshots.newest({ first: 1, last: Number.MAX_SAFE_INTEGER }, of);
  const own = found !== undefined && found.name.seqno >= since ? found.name : undefined;
  const atLeast = own === undefined ? since : seqno(own.seqno + 1);
  const urls = await nodesOf(url, serviceCertificate, signal);
  const fetched = await fetchSnapshot({ suite, urls, serviceCertificate, identity, since: atLeast, signal });
  if (fetched === undefined) return own;
  await snapshots.keep(fetched);
  return fetched.name;
}

/** The node that was named, and those it says there are. */
async function nodesOf(url: string, serviceCertificate: string, signal: AbortSignal): Promise<string[]> {
  const { host, origin } = new URL(url);
  const nodes = (await askNetwork(host, serviceCertificate, signal)) ?? [];
  const others = nodes.filter(({ status, apiAddress }) => status === "trusted" && apiAddress !== host);
  return [origin, ...others.map(({ apiAddress }) => `https://${apiAddress}`)];
}

/** With the secrets the tag tells what a receipt alone does not: that a node of the service made it. One that does not open is removed. */
async function opens(
  snapshots: SnapshotStore,
  snapshot: SnapshotName,
  { ledgerSecrets }: Membership,
  { suite, serviceCertificate }: AdmissionOptions,
): Promise<boolean> {
  const of = { suite, secrets: ledgerSecrets, serviceCertificates: [serviceCertificate] };
  const range = { first: snapshot.seqno + 1, last: snapshot.seqno };
  const { found } = await snapshots.newest(range, of);
  if (found !== undefined) return true;
  await snapshots.remove(snapshot);
  return false;
}

function doesNotOpen({ name }: SnapshotName): NodeError {
  return new NodeError("bad-snapshot", `${name} does not open with the ledger secrets of the service; it was removed.`);
}
