/** `POST /node/join`: what a new node says, and what the primary answers (design.md §1; ledger spec §12). */
import { z } from "zod";
import { NodeId, Seqno } from "../brands.js";
import { AddressText, base64Text, CertificatePem, documentParser, PrivateKeyPem, PublicKeyPem } from "./document.js";

/** Bound on the nodes of one service, past and present. */
const NODES_MAX = 1024;
/** Bound on the ledger secrets of one service: one more with each rekey. */
export const LEDGER_SECRETS_MAX = 4096;
/** DER SubjectPublicKeyInfo: 91 bytes for P-256, 120 for P-384. */
const SPKI_BYTES_MIN = 91;
const SPKI_BYTES_MAX = 120;
const LEDGER_SECRET_BYTES = 32;

export const NetworkNode = z
  .strictObject({
    id: NodeId,
    status: z.enum(["pending", "trusted", "retired"]),
    /** Of a retired node: nothing depends on it any more, so it may be switched off (consensus spec §11.4). */
    retiredCommitted: z.literal(true).exactOptional(),
    /** Where other nodes connect to. */
    nodeAddress: AddressText,
    /** Where clients connect to. */
    apiAddress: AddressText,
  })
  .readonly();
export type NetworkNode = z.infer<typeof NetworkNode>;

export const NetworkNodes = z.array(NetworkNode).max(NODES_MAX, `expected at most ${NODES_MAX} nodes`).readonly();

const JoinRequest = z
  .strictObject({
    /** Base64 of the node's SPKI. It must be the key of the TLS client certificate. */
    publicKey: base64Text(SPKI_BYTES_MIN, SPKI_BYTES_MAX),
    /** RSA-2048: later ledger secrets are wrapped for it. A service with a node that has none cannot change its ledger secret. */
    encryptionKey: PublicKeyPem.exactOptional(),
    nodeAddress: AddressText,
    apiAddress: AddressText,
    /** Of the snapshot the node starts from. Absent: it starts with nothing, and needs every entry. */
    startupSeqno: Seqno.exactOptional(),
  })
  .readonly();
export type JoinRequest = z.infer<typeof JoinRequest>;

const NodeAddresses = z.strictObject({ nodeAddress: AddressText, apiAddress: AddressText }).readonly();
/** `PUT /node/addresses`: where a node of the service is found from now on. */
export type NodeAddresses = z.infer<typeof NodeAddresses>;

const LedgerSecretText = z
  .strictObject({
    /** First seqno that is encrypted with this secret. */
    from: Seqno,
    /** Base64 of 32 bytes. */
    key: base64Text(LEDGER_SECRET_BYTES, LEDGER_SECRET_BYTES),
  })
  .readonly();

/** Everything a trusted node needs. Secret: sent over TLS only, logged nowhere. */
const JoinedNetwork = z
  .strictObject({
    serviceCertificate: CertificatePem,
    servicePrivateKey: PrivateKeyPem,
    /** The joiner's own certificate, endorsed by the service. */
    endorsedCertificate: CertificatePem,
    /** Those whose transactions are committed, ascending by `from`. Later ones reach it in the ledger, wrapped for its key. */
    ledgerSecrets: z.array(LedgerSecretText).min(1).max(LEDGER_SECRETS_MAX).readonly(),
    nodes: NetworkNodes,
    /** Seqno of the transaction that made the joiner trusted. */
    trustSeqno: Seqno,
  })
  .readonly();
export type JoinedNetwork = z.infer<typeof JoinedNetwork>;

const JoinResponse = z.discriminatedUnion("status", [
  z.strictObject({ status: z.literal("pending"), nodeId: NodeId }).readonly(),
  z.strictObject({ status: z.literal("trusted"), nodeId: NodeId, network: JoinedNetwork }).readonly(),
]);
export type JoinResponse = z.infer<typeof JoinResponse>;

/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseJoinRequest: (value: unknown) => JoinRequest = documentParser("join request", JoinRequest);
/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseNodeAddresses: (value: unknown) => NodeAddresses = documentParser("node addresses", NodeAddresses);
/** @throws {WireError} `malformed` with one sentence that names the field, never its content. */
export const parseJoinResponse: (value: unknown) => JoinResponse = documentParser("join response", JoinResponse);
