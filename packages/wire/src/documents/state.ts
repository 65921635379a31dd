/** `GET /node/state` and `GET /node/network`: what a node shows of itself and of its service. No secrets. */
import { z } from "zod";
import { NodeId, Seqno, View } from "../brands.js";
import { AddressText, CertificatePem, documentParser, KeyIdText, TxIdText } from "./document.js";
import { NetworkNodes } from "./join.js";

/** Bound on the members of a consortium. */
const MEMBERS_MAX = 1024;
/** Bound on the channels of a node: one for each other node, and some for nodes that are gone. */
const CHANNELS_MAX = 2048;
const CODE_CHARS_MAX = 64;

const Count = z.int().nonnegative();

const ChannelState = z
  .strictObject({
    peer: NodeId,
    state: z.enum(["INACTIVE", "INITIATED", "WAITING_FOR_FINAL", "ESTABLISHED"]),
    /** Keys are in use. During a rekey a channel is open in every state (channel-v2 §8). */
    open: z.boolean(),
    version: z.literal([1, 2]),
    keyAgeMs: Count.nullable(),
    /** Records under the key in use. */
    sent: Count,
    received: Count,
    /** Records that can still be sent before a new exchange starts (channel-v2 §6); 0 without keys. The key can be used for a good while after. */
    recordsLeft: Count,
    /** Code of the last refusal. */
    lastError: z.string().max(CODE_CHARS_MAX).nullable(),
    /** Key exchanges completed. */
    exchanges: Count,
  })
  .readonly();
export type ChannelState = z.infer<typeof ChannelState>;

const NodeState = z
  .strictObject({
    nodeId: NodeId,
    /** `retiring`: removed, and still needed. `retired`: it may be switched off, and does nothing more. */
    phase: z.enum(["pending", "joining", "active", "retiring", "retired", "stopping"]),
    role: z.enum(["primary", "backup", "candidate", "none"]),
    view: View,
    lastSeqno: Seqno,
    /** Transaction id of the last committed entry; `0.0` before the first. */
    committed: TxIdText,
    primary: NodeId.nullable(),
    channels: z.array(ChannelState).max(CHANNELS_MAX).readonly(),
    nodes: NetworkNodes,
    uptimeMs: Count,
  })
  .readonly();
export type NodeState = z.infer<typeof NodeState>;

const NetworkState = z
  .strictObject({
    serviceCertificate: CertificatePem,
    view: View,
    primary: NodeId.nullable(),
    /** API address of the primary. */
    primaryApi: AddressText.nullable(),
    nodes: NetworkNodes,
    /** First seqno that is encrypted with the latest ledger secret. */
    ledgerSecretSeqno: Seqno,
    /** Member ids, 64 hex digits each. */
    members: z.array(KeyIdText).max(MEMBERS_MAX).readonly(),
  })
  .readonly();
export type NetworkState = z.infer<typeof NetworkState>;

/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseNodeState: (value: unknown) => NodeState = documentParser("node state", NodeState);
/** @throws {WireError} `malformed` with one sentence that names the field. */
export const parseNetworkState: (value: unknown) => NetworkState = documentParser("network state", NetworkState);
