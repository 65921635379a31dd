/**
 * Starts a node: the first one of a new service, one that joins a service, or one that comes back with its directory. This is what a user of
 * the package calls; `RunningNode` is what comes back.
 */
import { type Curve, createSelfSigned, pemDecode, pemEncode } from "@sealane/crypto";
import { nativeSuite as suite, nativeKeyWrapping as wrapping } from "@sealane/crypto/native";
import { type Address, formatAddress, parseAddress } from "@sealane/wire";
import type { App } from "../core/app.js";
import { type Member, readMember, validity } from "../core/identity.js";
import { recordsApp } from "../core/records-app.js";
import { SIGNING_DEFAULTS, type SigningLimits } from "../core/signing-policy.js";
import type { NodeEvent, Timing } from "../core/types.js";
import type { Voting } from "../core/voting.js";
import { nowMs } from "./clock.js";
import { DataDir, type NodeFile } from "./data-dir.js";
import { NodeError, retiredError } from "./errors.js";
import { foundService, newNodeKeys, privateFile, privatePem, readKeys } from "./membership.js";
import type { NodeSetup, WayIn } from "./node-setup.js";
import { RunningNode } from "./running-node.js";

export interface ListenOptions {
  /** Where to listen. Port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** `host:port` under which others reach it, where that differs. */
  readonly published?: string;
}

export interface NodeOptions extends Voting {
  /** Holds everything of this node; made if need be. One node, one directory. */
  readonly dataDir: string;
  readonly service: /**
   * Found a service. `members`: their certificates (PEM), or with an encryption key (PEM, RSA of 2,048 bits) for a share of the ledger secrets, which
   * `recoveryThreshold` of them can then recover without any node: more than half, unless said otherwise. Without any member a first one's keys
   * are made and kept in the directory. `curve`: of the service's key and of its nodes'. Default P-384, as CCF's; on P-256 a signature costs a
   * tenth, which is for who commits single writes at a high rate.
   */
    | {
        readonly type: "new";
        readonly members?: readonly (string | MemberOptions)[];
        readonly recoveryThreshold?: number;
        readonly curve?: Curve;
      }
    /**
     * Ask a service to join it. `url`: of any of its nodes; `serviceCertificate`: PEM, the only trust in that server. `from`: the newest snapshot
     * that it has, or the ledger's beginning, which takes longer and gives a directory with all of it. Default: a snapshot, if there is one.
     */
    | {
        readonly type: "join";
        readonly url: string;
        readonly serviceCertificate: string;
        readonly from?: "snapshot" | "beginning";
      }
    /** Go on as the node in the directory, listening where it did unless said otherwise. Other nodes learn of a new address by themselves. */
    | { readonly type: "resume" }
    /**
     * Go on alone as the node in the directory, when a majority of the service's nodes is lost for good: with all that this node holds up to its
     * last signature, under a new service identity, which clients, members' ballots and new nodes need from then on. The other nodes are out;
     * what only they had is lost.
     */
    | { readonly type: "recover" };
  /** For other nodes. */
  readonly node?: ListenOptions;
  /** For clients, HTTPS. */
  readonly api?: ListenOptions;
  /** Default: JSON records by key. The same on all nodes of a service. */
  readonly app?: App;
  /** Default 5,000 ms and 100 ms, as CCF's. */
  readonly electionTimeoutMs?: number;
  readonly heartbeatMs?: number;
  /** How long a write waits for its commit before its client is told "no quorum". Default 3,000 ms. */
  readonly commitTimeoutMs?: number;
  readonly signing?: Partial<SigningLimits>;
  /** Entries from one snapshot to the next, at least; `Infinity` for none. Default 10,000. The same on all nodes. */
  readonly snapshotEvery?: number;
  /** Sees what the node does, as it does it. Metadata only; called synchronously, so be quick. */
  readonly observer?: (event: NodeEvent) => void;
  /** Stops the node. */
  readonly signal?: AbortSignal;
}

/** A member of a new service's consortium. */
export interface MemberOptions {
  /** PEM; only its key counts. */
  readonly certificate: string;
  /** PEM. */
  readonly encryptionKey?: string;
}

const LOOPBACK: ListenOptions = { host: "127.0.0.1", port: 0 };
const TIMING_DEFAULTS: Timing = { electionTimeoutMs: 5_000, heartbeatMs: 100, commitTimeoutMs: 3_000 };
/** As CCF's. */
const SNAPSHOT_EVERY_DEFAULT = 10_000;
const MEMBER_DAYS = 3_650;

/**
 * @returns the node once it listens. A new service has then committed its first transaction; a joiner waits to be trusted (`ready`).
 * @throws NodeError; nothing keeps running then.
 * @example
 * const node = await startNode({ dataDir: "data/node0", service: { type: "new" } });
 * console.log(node.apiUrl);
 * await node.stop();
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const dataDir = new DataDir(options.dataDir);
  const lived = await dataDir.holdsNode();
  const comesBack = isHere(options.service);
  if (lived && !comesBack) {
    throw new NodeError(
      "data-dir-in-use",
      `${options.dataDir} holds a node already. Resume it, or choose another directory.`,
    );
  }
  if (!lived && comesBack) {
    throw new NodeError("data-dir-empty", `There is no node in ${options.dataDir}. Start a new service, or join one.`);
  }
  await dataDir.claim();
  try {
    const node = await RunningNode.listen(await setUp(options, dataDir));
    await begin(node, options, dataDir).catch(async (cause: unknown) => {
      await node.stop();
      throw cause;
    });
    return node;
  } catch (cause) {
    await dataDir.release();
    throw cause;
  }
}

/** Whether a directory holds a node, which is then resumed rather than started anew. */
export function holdsNode(dataDir: string): Promise<boolean> {
  return new DataDir(dataDir).holdsNode();
}

/** Whether it is about the node that the directory holds. */
function isHere({ type }: NodeOptions["service"]): boolean {
  return type === "resume" || type === "recover";
}

async function setUp(options: NodeOptions, dataDir: DataDir): Promise<NodeSetup> {
  const { electionTimeoutMs, heartbeatMs, commitTimeoutMs, observer, signal } = options;
  const timing: Timing = {
    electionTimeoutMs: electionTimeoutMs ?? TIMING_DEFAULTS.electionTimeoutMs,
    heartbeatMs: heartbeatMs ?? TIMING_DEFAULTS.heartbeatMs,
    commitTimeoutMs: commitTimeoutMs ?? TIMING_DEFAULTS.commitTimeoutMs,
  };
  const file = isHere(options.service) ? await dataDir.readNode() : undefined;
  const known = file === undefined ? undefined : readKeys(suite, wrapping, await dataDir.readPrivate(), file);
  return {
    suite,
    dataDir,
    keys: known?.node ?? newNodeKeys(suite, wrapping, curveFor(options.service)),
    node: listenOptions(options.node, file?.node, file?.nodeAddress),
    api: listenOptions(options.api, file?.api, file?.apiAddress),
    app: options.app ?? recordsApp,
    timing,
    signing: { ...SIGNING_DEFAULTS, ...options.signing },
    snapshotEvery: options.snapshotEvery ?? SNAPSHOT_EVERY_DEFAULT,
    voting: votingOf(options),
    observer,
    signal,
  };
}

/** A joiner's key is on the curve of the service it joins. @throws NodeError `wrong-service`. */
function curveFor(service: NodeOptions["service"]): Curve {
  if (service.type === "join") return readService(service.serviceCertificate).publicKey.curve;
  return (service.type === "new" ? service.curve : undefined) ?? "P-384";
}

/** @throws {RangeError} for a drift that is no part of the time. */
function votingOf({ preVote, leaderStickiness, readLease }: NodeOptions): Voting {
  if (readLease !== undefined && !(readLease.clockDriftMax >= 0 && readLease.clockDriftMax < 1)) {
    throw new RangeError(
      `a clock's drift is a part of the time, from 0 to less than 1, not ${readLease.clockDriftMax}`,
    );
  }
  return {
    ...(preVote !== undefined && { preVote }),
    ...(leaderStickiness !== undefined && { leaderStickiness }),
    ...(readLease !== undefined && { readLease }),
  };
}

/** A node that comes back listens where it did unless told otherwise, and stays published where it was if that is somewhere else. */
function listenOptions(given: ListenOptions | undefined, before?: Address, published?: string): ListenOptions {
  if (before === undefined || published === undefined) return given ?? LOOPBACK;
  const { host, port } = given === undefined || given.port === 0 ? before : given;
  if (given?.published !== undefined) return { host, port, published: given.published };
  return published === formatAddress(before) ? { host, port } : { host, port, published };
}

async function begin(node: RunningNode, options: NodeOptions, dataDir: DataDir): Promise<void> {
  const { service } = options;
  if (service.type === "new") {
    const members = await consortium(service.members ?? [], dataDir);
    const threshold = checkThreshold(members, service.recoveryThreshold);
    const membership = foundService(suite, node.keys, parseAddress(node.apiAddress).host, nowMs());
    await node.record.noteMember(membership);
    await dataDir.writePrivate(privateFile(suite, node.keys, membership)); // last: with it the directory holds a node
    await node.activate(membership, { type: "new", members, ...(threshold === undefined ? {} : { threshold }) });
    await node.ready;
    return;
  }
  if (service.type === "join") {
    const certificate = pinnedCertificate(service.serviceCertificate);
    const way = { joinUrl: service.url, ...(service.from === "beginning" ? { fromBeginning: true as const } : {}) };
    await node.record.noteJoining(certificate, way);
    await dataDir.writePrivate(privateFile(suite, node.keys)); // last: with it the directory holds a node
    node.join(certificate, way);
    return;
  }
  const file = await dataDir.readNode();
  const { membership } = readKeys(suite, wrapping, await dataDir.readPrivate(), file);
  if (file.retired) throw retiredError(file.nodeId);
  if (service.type === "recover") {
    if (membership === undefined) {
      throw new NodeError(
        "data-dir-empty",
        "This node was never trusted, so it holds nothing of its service to recover.",
      );
    }
    await node.recover(membership);
    return;
  }
  if (file.recovering) {
    throw new NodeError(
      "recovery-unfinished",
      "The recovery of this node's service was cut short. Recover it once more.",
    );
  }
  if (membership !== undefined) await node.resume(membership);
  else node.join(file.serviceCertificate, wayIn(file));
}

function wayIn({ joinUrl, fromBeginning }: NodeFile): WayIn {
  if (joinUrl !== undefined) return { joinUrl, ...(fromBeginning === undefined ? {} : { fromBeginning }) };
  throw new NodeError(
    "data-dir-damaged",
    "This node was neither trusted nor asked to join anywhere. Remove its directory and join anew.",
  );
}

/** The PEM as this project writes it. @throws NodeError `wrong-service`. */
function pinnedCertificate(pem: string): string {
  return pemEncode("CERTIFICATE", pemDecode("CERTIFICATE", readService(pem).certificate));
}

/** @throws NodeError `wrong-service` for anything but one certificate. */
function readService(pem: string): ReturnType<typeof readMember> {
  try {
    return readMember(suite, pem);
  } catch (cause) {
    throw new NodeError(
      "wrong-service",
      "The service certificate is not a certificate in PEM that a service could have.",
      { cause },
    );
  }
}

/** @throws NodeError `wrong-service` when a member's certificate is none. */
async function consortium(members: readonly (string | MemberOptions)[], dataDir: DataDir): Promise<Member[]> {
  if (members.length > 0) return members.map(givenMember);
  const keyPair = suite.generateKeyPair("P-384");
  const der = createSelfSigned(suite, keyPair, { name: "member0", hosts: [], ...validity(nowMs(), MEMBER_DAYS) });
  const certificate = pemEncode("CERTIFICATE", der);
  const encryption = wrapping.generateKeyPair();
  await dataDir.writeMember("member0", certificate, privatePem(suite, keyPair));
  await dataDir.writeMemberEncryption("member0", encryption.publicKey, pemEncode("PRIVATE KEY", encryption.privateKey));
  return [{ ...readMember(suite, certificate), encryptionKey: encryption.publicKey }];
}

function givenMember(member: string | MemberOptions): Member {
  const { certificate, encryptionKey } = typeof member === "string" ? { certificate: member } : member;
  let read: Member;
  try {
    read = readMember(suite, certificate);
  } catch (cause) {
    const message = "A member's certificate is not a certificate in PEM on P-384 or P-256.";
    throw new NodeError("wrong-service", message, { cause });
  }
  if (encryptionKey === undefined) return read;
  try {
    wrapping.wrap(encryptionKey, new Uint8Array(1)); // it is used once the service runs, and then it is too late
  } catch (cause) {
    const message = "A member's encryption key is not a public key in PEM of RSA with 2,048 bits.";
    throw new NodeError("wrong-service", message, { cause });
  }
  return { ...read, encryptionKey };
}

/** @throws NodeError `wrong-service` when so many shares can never be brought together. */
function checkThreshold(members: readonly Member[], threshold: number | undefined): number | undefined {
  const holders = members.filter(({ encryptionKey }) => encryptionKey !== undefined).length;
  if (threshold === undefined || (Number.isInteger(threshold) && threshold >= 1 && threshold <= holders))
    return threshold;
  const message = `The recovery threshold is a number from 1 to that of the members with encryption keys, ${holders}.`;
  throw new NodeError("wrong-service", message);
}
