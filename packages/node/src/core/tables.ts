/**
 * The tables a node itself writes, and their values (ledger spec §3.4, §8). Names starting with `public:ccf.` carry what an outside
 * verifier of that ledger format reads; `public:sealane.` is ours and is passed over by others.
 */
import { json, map, type Reader, rawBytes, u64, utf8Text } from "@sealane/kv";
import { HISTORICAL_SECRET_TABLE, RECOVERY_SHARES_TABLE, SNAPSHOT_EVIDENCE_TABLE } from "@sealane/ledger";
import { type NetworkNode, NodeId, Seqno, View, type WriteSet } from "@sealane/wire";
import { z } from "zod";

/** The key of a single-valued table: eight zero bytes. */
export const SINGLE = 0;

const NodeInfo = z.object({
  status: z.enum(["Pending", "Trusted", "Retired"]),
  public_key: z.base64(),
  node_address: z.string(),
  api_address: z.string(),
  /** PEM; ledger secrets are wrapped for it. */
  encryption_pub_key: z.string().optional(),
  /** Set when the node has first taken part: from then on nobody is told the service's secrets in its name. */
  joined: z.literal(true).optional(),
  /** Set on a retired node once its removal is committed; when this is committed too, it may be switched off (consensus spec §11.3). */
  retired_committed: z.literal(true).optional(),
});
/** One node's record. `public_key` is its SPKI in base64; addresses are the published `host:port`. */
export type NodeInfo = z.infer<typeof NodeInfo>;

const WrappedSecrets = z.record(
  NodeId,
  z.array(z.object({ version: z.null(), encrypted_secret: z.base64() })).length(1),
);
const SnapshotEvidence = z.object({ hash: z.hash("sha256"), version: Seqno });
const ServiceInfo = z.object({ cert: z.string(), status: z.enum(["Opening", "Open"]) });
/** So many members' shares open the ledger. */
const ServiceConfig = z.object({ recovery_threshold: z.int().positive() });
const BallotRecord = z.object({ accepted: z.boolean(), signatures: z.record(z.string(), z.base64()) });
const Configuration = z.object({ nodes: z.array(NodeId) });

/** Node id to its record. */
export const nodeInfos = map("public:ccf.gov.nodes.info", {
  key: utf8Text,
  value: json((value) => NodeInfo.parse(value)),
});
/** Node id to its certificate in PEM. */
export const endorsedCertificates = map("public:ccf.gov.nodes.endorsed_certificates", {
  key: utf8Text,
  value: utf8Text,
});
export const serviceInfo = map("public:ccf.gov.service.info", {
  key: u64,
  value: json((value) => ServiceInfo.parse(value)),
});
/** Member id to a certificate in PEM. */
export const memberCertificates = map("public:ccf.gov.members.certs", { key: utf8Text, value: utf8Text });
/** Member id to an encryption key in PEM: shares of the ledger secret are encrypted for it. */
export const memberEncryptionKeys = map("public:ccf.gov.members.encryption_public_keys", {
  key: utf8Text,
  value: utf8Text,
});
/** Of the service as a whole; set where members can recover the ledger secrets. */
export const serviceConfig = map("public:ccf.gov.service.config", {
  key: u64,
  value: json((value) => ServiceConfig.parse(value)),
});
/** An action, for example `trust-node:<node id>`, to the members' signatures: member id to raw r‖s. */
export const ballots = map("public:sealane.gov.ballots", {
  key: utf8Text,
  value: json((value) => BallotRecord.parse(value)),
});
/** The complete set of nodes that replicate from the entry that writes it on: one value, so that it can be read without other state. */
export const configuration = map("public:sealane.gov.configuration", {
  key: u64,
  value: json((value) => Configuration.parse(value)),
});

/** A new ledger secret, wrapped for each node that takes part (ledger spec §11.1). It applies from the entry after. */
export const encryptedLedgerSecrets = map("public:ccf.internal.encrypted_ledger_secrets", {
  key: u64,
  value: json((value) => WrappedSecrets.parse(value)),
});

/** Shares of the latest ledger secret, and the one before it (ledger spec §11.2): as `makeRecovery` of the ledger makes them. */
export const recoveryShares = map(RECOVERY_SHARES_TABLE, { key: u64, value: rawBytes });
export const historicalSecrets = map(HISTORICAL_SECRET_TABLE, { key: u64, value: rawBytes });

/** The digest of the last snapshot, and the seqno of its state (ledger spec §10.3). */
export const snapshotEvidences = map(SNAPSHOT_EVIDENCE_TABLE, {
  key: u64,
  value: json((value) => SnapshotEvidence.parse(value)),
});

/** Of the nodes that may be switched off at most this many, the last ones to go, are shown and told to joiners. */
const GONE_NODES_SHOWN_MAX = 512;

const FormerService = z.object({ until: Seqno, cert: z.string() });
/**
 * The service id of an identity the service had before a recovery, to the last seqno under it and its certificate (PEM) as the identity after
 * it has endorsed it.
 */
export const formerServices = map("public:sealane.service.former", {
  key: utf8Text,
  value: json((value) => FormerService.parse(value)),
});

const Succession = z.object({ node: NodeId, view: View });
/** Whom the consortium last wanted as primary, and in which view it asked for that: one value. */
export const succession = map("public:sealane.gov.succession", {
  key: u64,
  value: json((value) => Succession.parse(value)),
});

const STATUS = { Pending: "pending", Trusted: "trusted", Retired: "retired" } as const;

/**
 * The nodes the service knows of, as shown to clients and used to find peers.
 * @param committed - That a node may be switched off is read here: until that is committed it may be taken back.
 */
export function networkNodes(latest: Reader, committed: Reader): NetworkNode[] {
  const settled = committed.map(nodeInfos);
  const endorsed = latest.map(endorsedCertificates);
  const nodes = [...latest.map(nodeInfos).entries()].map(([id, info]): NetworkNode => {
    // One that was never trusted has taken part in nothing.
    const isGone = info.status === "Retired" && (settled.get(id)?.retired_committed === true || !endorsed.has(id));
    return {
      id: NodeId.parse(id),
      status: STATUS[info.status],
      ...(isGone ? { retiredCommitted: true } : {}),
      nodeAddress: info.node_address,
      apiAddress: info.api_address,
    };
  });
  const gone = nodes.filter(({ retiredCommitted }) => retiredCommitted);
  if (gone.length <= GONE_NODES_SHOWN_MAX) return nodes;
  const wentAt = ({ id }: NetworkNode): number => latest.map(nodeInfos).versionOf(id)?.seqno ?? 0;
  const hidden = gone.sort((a, b) => wentAt(a) - wentAt(b)).slice(0, -GONE_NODES_SHOWN_MAX);
  return nodes.filter((node) => !hidden.includes(node));
}

/** Whether a node replicates: from its trust until it may be switched off. Only such a node gets a channel. */
export function isTakingPart({ status, retiredCommitted }: NetworkNode): boolean {
  return status === "trusted" || (status === "retired" && retiredCommitted !== true);
}

/** The node set that an entry puts in force, or undefined when it leaves the configuration alone. */
export function configurationIn(writeSet: WriteSet): readonly NodeId[] | undefined {
  const value = writeSet.find(({ name }) => name === configuration.name)?.writes[0]?.[1];
  return value === undefined ? undefined : configuration.value.decode(value).nodes;
}

/** The nodes that an entry says may be switched off, once it is committed (consensus spec §11.3). */
export function retiredIn(writeSet: WriteSet): readonly NodeId[] {
  const writes = writeSet.find(({ name }) => name === nodeInfos.name)?.writes ?? [];
  return writes.flatMap(([key, value]) =>
    nodeInfos.value.decode(value).retired_committed ? [NodeId.parse(nodeInfos.key.decode(key))] : [],
  );
}

/** The wrapped ledger secret that an entry brings, by node. */
export function wrappedSecretsIn(writeSet: WriteSet): z.infer<typeof WrappedSecrets> | undefined {
  const value = writeSet.find(({ name }) => name === encryptedLedgerSecrets.name)?.writes[0]?.[1];
  return value === undefined ? undefined : encryptedLedgerSecrets.value.decode(value);
}

/** Whom an entry names as the next primary, or undefined. */
export function successorIn(writeSet: WriteSet): NodeId | undefined {
  const value = writeSet.find(({ name }) => name === succession.name)?.writes[0]?.[1];
  return value === undefined ? undefined : succession.value.decode(value).node;
}

/** What links the service identity in force at `at` to the present one, PEM: one for each recovery since (ledger spec §9.1). */
export function endorsementsSince(committed: Reader, at: Seqno): string[] {
  const since = [...committed.map(formerServices).entries()]
    .map(([, former]) => former)
    .filter(({ until }) => until >= at);
  return since.sort((a, b) => a.until - b.until).map(({ cert }) => cert);
}

/** Whether an entry changes who the nodes are or where they are found. */
export function touchesNodes(writeSet: WriteSet): boolean {
  return writeSet.some(({ name }) => name === nodeInfos.name);
}
