/**
 * The tables a node itself writes, and their values (ledger spec §3.4, §8). Names starting with `public:ccf.` carry what an outside
 * verifier of that ledger format reads; `public:sealane.` is ours and is passed over by others.
 */
import { json, map, type Reader, u64, utf8Text } from "@sealane/kv";
import { type NetworkNode, NodeId, type WriteSet } from "@sealane/wire";
import { z } from "zod";

/** The key of a single-valued table: eight zero bytes. */
export const SINGLE = 0;

const NodeInfo = z.object({
  status: z.enum(["Pending", "Trusted", "Retired"]),
  public_key: z.base64(),
  node_address: z.string(),
  api_address: z.string(),
  /** Set when the node has first taken part: from then on nobody is told the service's secrets in its name. */
  joined: z.literal(true).optional(),
});
/** One node's record. `public_key` is its SPKI in base64; addresses are the published `host:port`. */
export type NodeInfo = z.infer<typeof NodeInfo>;

const ServiceInfo = z.object({ cert: z.string(), status: z.enum(["Opening", "Open"]) });
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

const STATUS = { Pending: "pending", Trusted: "trusted", Retired: "retired" } as const;

/** All nodes the service knows of, as shown to clients and used to find peers. */
export function networkNodes(reader: Reader): NetworkNode[] {
  return [...reader.map(nodeInfos).entries()].map(([id, info]) => ({
    id: NodeId.parse(id),
    status: STATUS[info.status],
    nodeAddress: info.node_address,
    apiAddress: info.api_address,
  }));
}

/** The node set that an entry puts in force, or undefined when it leaves the configuration alone. */
export function configurationIn(writeSet: WriteSet): readonly NodeId[] | undefined {
  const value = writeSet.find(({ name }) => name === configuration.name)?.writes[0]?.[1];
  return value === undefined ? undefined : configuration.value.decode(value).nodes;
}

/** Whether an entry changes who the nodes are or where they are found. */
export function touchesNodes(writeSet: WriteSet): boolean {
  return writeSet.some(({ name }) => name === nodeInfos.name);
}
