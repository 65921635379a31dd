/**
 * What changes who belongs to the service, as transactions: the first one, a join request, a ballot. The consortium decides; a node only
 * counts signatures (design.md §1, sentence 2; ledger spec §12).
 */
import { type CryptoSuite, type PublicKey, pemEncode } from "@sealane/crypto";
import type { Transaction } from "@sealane/kv";
import {
  type Ballot,
  ballotBytes,
  base64,
  fromBase64,
  type JoinRequest,
  type NetworkNode,
  type NodeAddresses,
  type NodeId,
  parseAddress,
  type View,
} from "@sealane/wire";
import { RequestError } from "./errors.js";
import { endorseNode, type Member, readMember, type ServiceKeys } from "./identity.js";
import { mayRotate, rotateLedgerSecret, type SecretsState } from "./rotate-ledger-secret.js";
import {
  ballots,
  configuration,
  endorsedCertificates,
  isTakingPart,
  memberCertificates,
  type NodeInfo,
  networkNodes,
  nodeInfos,
  SINGLE,
  serviceInfo,
  succession,
} from "./tables.js";

/** At most this many nodes wait for the consortium; a further request is refused, so that strangers cannot fill the ledger. */
export const PENDING_NODES_MAX = 100;

/** At most this many nodes are trusted: every one more makes every write dearer, and has a channel at every other. */
export const TRUSTED_NODES_MAX = 64;

/** Writes the first transaction of a service: the service, its members, its first node, the configuration of one. */
export function writeGenesis(
  tx: Transaction,
  genesis: {
    readonly id: NodeId;
    readonly publicKey: PublicKey;
    readonly nodeAddress: string;
    readonly apiAddress: string;
    readonly certificate: Uint8Array;
    readonly serviceCertificate: Uint8Array;
    readonly members: readonly Member[];
    /** PEM. */
    readonly encryptionKey?: string;
  },
): void {
  tx.map(nodeInfos).put(genesis.id, {
    status: "Trusted",
    public_key: base64(genesis.publicKey.spki),
    node_address: genesis.nodeAddress,
    api_address: genesis.apiAddress,
    ...(genesis.encryptionKey === undefined ? {} : { encryption_pub_key: genesis.encryptionKey }),
    joined: true,
  });
  tx.map(endorsedCertificates).put(genesis.id, pemEncode("CERTIFICATE", genesis.certificate));
  tx.map(serviceInfo).put(SINGLE, { cert: pemEncode("CERTIFICATE", genesis.serviceCertificate), status: "Open" });
  for (const member of genesis.members) tx.map(memberCertificates).put(member.id, member.certificate);
  tx.map(configuration).put(SINGLE, { nodes: [genesis.id] });
}

/**
 * Records a node that asks to join, as `Pending`. A repeated request with other addresses replaces them as long as nobody has trusted it.
 * @throws RequestError `conflict` when the id was removed, or another node publishes the same address; `overloaded` when too many wait.
 */
export function recordJoin(tx: Transaction, id: NodeId, request: JoinRequest): void {
  const known = tx.map(nodeInfos).get(id);
  if (known?.status === "Retired") {
    throw new RequestError("conflict", "This node was removed from the service, for good: join anew, with a new key.");
  }
  if (known?.status === "Trusted") return; // decided, and told as soon as that stands under a signature
  if (known?.node_address === request.nodeAddress && known.api_address === request.apiAddress) return;
  const others = networkNodes(tx, tx).filter((node) => node.id !== id);
  assertIsFree(request.nodeAddress, others);
  if (others.filter((node) => node.status === "pending").length >= PENDING_NODES_MAX) {
    throw new RequestError("overloaded", `${PENDING_NODES_MAX} nodes wait to be trusted already; ask the consortium.`);
  }
  tx.map(nodeInfos).put(id, {
    status: "Pending",
    public_key: request.publicKey,
    node_address: request.nodeAddress,
    api_address: request.apiAddress,
    ...(request.encryptionKey === undefined ? {} : { encryption_pub_key: request.encryptionKey }),
  });
}

/**
 * Records where a node is found from now on, and endorses it for its new host. The node itself says so: its addresses lead to it and give
 * nobody a right.
 * @throws RequestError `forbidden` when it is not trusted; `conflict` when another node publishes the same address.
 */
export function recordAddresses(tx: Transaction, id: NodeId, addresses: NodeAddresses, endorser: Endorser): void {
  const info = tx.map(nodeInfos).get(id);
  if (info?.status !== "Trusted") {
    throw new RequestError(
      "forbidden",
      "Only a trusted node says where it is found, over TLS with a certificate for its own key.",
    );
  }
  const { nodeAddress, apiAddress } = addresses;
  if (info.node_address === nodeAddress && info.api_address === apiAddress) return;
  assertIsFree(
    nodeAddress,
    networkNodes(tx, tx).filter((node) => node.id !== id),
  );
  const moved = { ...info, node_address: nodeAddress, api_address: apiAddress };
  tx.map(nodeInfos).put(id, moved);
  endorseRecorded(tx, id, moved, endorser);
}

/** What nodes are endorsed with. */
export interface Endorser {
  readonly suite: CryptoSuite;
  readonly service: ServiceKeys;
  readonly nowMs: number;
}

/** Writes a new certificate for a node, for the host of its record. */
export function endorseRecorded(
  tx: Transaction,
  id: NodeId,
  info: NodeInfo,
  { suite, service, nowMs }: Endorser,
): void {
  const publicKey = suite.importPublicKey(fromBase64(info.public_key));
  const hosts = [parseAddress(info.api_address).host];
  const certificate = endorseNode(suite, service, { id, publicKey, hosts }, nowMs);
  tx.map(endorsedCertificates).put(id, pemEncode("CERTIFICATE", certificate));
}

/** What ballots are counted with. */
export interface BallotContext extends Endorser {
  readonly secrets: SecretsState;
  /** The primary, which counts, and the view it leads. */
  readonly id: NodeId;
  readonly view: View;
}

/**
 * Counts a member's signed ballot. With more than half of the members behind it the action is carried out in the same transaction.
 * @returns whether the action is carried out, now or before.
 * @throws RequestError `forbidden` (no member, or a signature that does not hold), `not-found` (no such node), `conflict` (the action is
 * not possible, or never will be).
 */
export function castBallot(tx: Transaction, ballot: Ballot, context: BallotContext): boolean {
  const { service, suite, secrets, id, view } = context;
  const { action } = ballot;
  if (!isSignedByMember(tx, ballot, service, suite)) {
    throw new RequestError("forbidden", "This ballot is not signed by a member of the consortium.");
  }
  if (action.type === "rotate-ledger-secret") {
    if (!mayRotate(tx, action.current, secrets)) return true;
    const accepted = countBallot(tx, `${action.type}:${action.current}`, ballot);
    if (accepted) rotateLedgerSecret(tx, suite, secrets);
    return accepted;
  }
  const { type, nodeId } = action;
  const info = tx.map(nodeInfos).get(nodeId);
  if (info === undefined) throw new RequestError("not-found", `No node ${nodeId} has asked to join.`);
  if (action.type === "transfer-primary") {
    if (nodeId === id) return true; // it leads, so it is the one who counts
    assertMayLead(info, action.view, view);
    const accepted = countBallot(tx, `${type}:${nodeId}:${view}`, ballot);
    if (accepted) tx.map(succession).put(SINGLE, { node: nodeId, view });
    return accepted;
  }
  if (info.status === (type === "trust-node" ? "Trusted" : "Retired")) return true;
  if (type === "trust-node") assertMayTrust(tx, info, secrets);
  else assertMayRemove(tx, nodeId, info);

  const accepted = countBallot(tx, `${type}:${nodeId}`, ballot);
  if (accepted && type === "trust-node") trustNode(tx, nodeId, info, context);
  if (accepted && type === "remove-node") removeNode(tx, nodeId, info);
  return accepted;
}

/** @returns whether more than half of the members are behind it now. */
function countBallot(tx: Transaction, key: string, ballot: Ballot): boolean {
  const signatures = { ...tx.map(ballots).get(key)?.signatures, [ballot.memberId]: ballot.signature };
  const members = tx.map(memberCertificates).size;
  const accepted = Object.keys(signatures).length > members / 2;
  tx.map(ballots).put(key, { accepted, signatures });
  return accepted;
}

/**
 * Writes what lets removed nodes be switched off: the second entry of their retirement (consensus spec §11.3). Their removal is committed.
 */
export function writeRetiredCommitted(tx: Transaction, ids: readonly NodeId[]): void {
  for (const id of ids) {
    const info = tx.map(nodeInfos).get(id);
    if (info?.status === "Retired") tx.map(nodeInfos).put(id, { ...info, retired_committed: true });
  }
}

function assertMayTrust(tx: Transaction, { status }: NodeInfo, secrets: SecretsState): void {
  // A joiner is told the secrets up to its trust, for good: none of them may still be taken back.
  if (!secrets.isSettled) throw new RequestError("overloaded", "The ledger secret is being changed. Cast it again.");
  if (status === "Retired") throw new RequestError("conflict", "A removed node's id is not trusted again; join anew.");
  if (trustedNodes(tx).length >= TRUSTED_NODES_MAX) {
    throw new RequestError("conflict", `A service has at most ${TRUSTED_NODES_MAX} trusted nodes.`);
  }
}

/** Only a node that has taken part can lead; and since ballots stand in the ledger for all to see, one counts in the view it names alone. */
function assertMayLead({ status, joined }: NodeInfo, asked: View, view: View): void {
  if (status !== "Trusted" || joined !== true) {
    throw new RequestError("conflict", "This node takes no part in the service, so it cannot lead it.");
  }
  if (asked !== view) {
    throw new RequestError(
      "conflict",
      `This ballot is for view ${asked}, and the service is in ${view}: sign another.`,
    );
  }
}

/**
 * A pending node may always be turned away. Of the trusted ones a majority must be left that has taken part: a service of nodes that were
 * trusted and never came can commit nothing more, not even its own repair.
 */
function assertMayRemove(tx: Transaction, id: NodeId, { status }: NodeInfo): void {
  if (status !== "Trusted") return;
  const left = trustedNodes(tx).filter((node) => node.id !== id);
  if (left.length === 0)
    throw new RequestError("conflict", "This is the service's only node: trust another one first.");
  const present = left.filter((node) => tx.map(nodeInfos).get(node.id)?.joined);
  if (present.length <= left.length / 2) {
    throw new RequestError(
      "conflict",
      "Too few of the nodes that would be left have taken part yet: wait for those that join, or remove them first.",
    );
  }
}

function trustedNodes(tx: Transaction): NetworkNode[] {
  return networkNodes(tx, tx).filter(({ status }) => status === "trusted");
}

function isSignedByMember(tx: Transaction, ballot: Ballot, service: ServiceKeys, suite: CryptoSuite): boolean {
  const certificate = tx.map(memberCertificates).get(ballot.memberId);
  if (certificate === undefined) return false;
  const { publicKey } = readMember(suite, certificate);
  return suite.verify(publicKey, ballotBytes(service.id, ballot.action), fromBase64(ballot.signature));
}

function assertIsFree(nodeAddress: string, others: readonly NetworkNode[]): void {
  if (others.some((node) => isTakingPart(node) && node.nodeAddress === nodeAddress)) {
    throw new RequestError("conflict", `Another node of this service is published at ${nodeAddress}.`);
  }
}

function trustNode(tx: Transaction, id: NodeId, info: NodeInfo, endorser: Endorser): void {
  tx.map(nodeInfos).put(id, { ...info, status: "Trusted" });
  endorseRecorded(tx, id, info, endorser);
  const nodes = new Set(tx.map(configuration).get(SINGLE)?.nodes);
  tx.map(configuration).put(SINGLE, { nodes: [...nodes.add(id)].sort() });
}

/** Takes a node out of the configuration, in one entry with its record (consensus spec §10.1). It is needed until `retired_committed`. */
function removeNode(tx: Transaction, id: NodeId, info: NodeInfo): void {
  tx.map(nodeInfos).put(id, { ...info, status: "Retired" });
  if (info.status !== "Trusted") return;
  const nodes =
    tx
      .map(configuration)
      .get(SINGLE)
      ?.nodes.filter((node) => node !== id) ?? [];
  tx.map(configuration).put(SINGLE, { nodes });
}
