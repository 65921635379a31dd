/** What goes into a node's core and what comes out of it. Bytes, time and decisions; no sockets, no files. */
import type { TransferOutcome } from "@sealane/consensus";
import type { CryptoSuite, KeyPair } from "@sealane/crypto";
import type { LedgerEntry, LedgerSecret } from "@sealane/ledger";
import type { FrameType, NetworkNode, NodeId, Seqno, TxId, View } from "@sealane/wire";
import type { Answer } from "./answer.js";
import type { App } from "./app.js";
import type { ServiceKeys } from "./identity.js";
import type { CommitOutput } from "./log-output.js";
import type { HardState, Replay } from "./log-state.js";
import type { EncryptionKey, KeptSecret } from "./rotating-secrets.js";
import type { ShareHolding } from "./secret-recovery.js";
import type { SigningLimits } from "./signing-policy.js";
import type { SnapshotOutput } from "./snapshots.js";
import type { Voting } from "./voting.js";

export interface CoreConfig extends Voting {
  readonly suite: CryptoSuite;
  readonly app: App;
  readonly id: NodeId;
  readonly keyPair: KeyPair;
  /** This node's certificate, endorsed by the service, DER. */
  readonly certificate: Uint8Array;
  readonly service: ServiceKeys;
  /** Those it was given: it founded the service with them, or was told them on joining. */
  readonly ledgerSecrets: readonly LedgerSecret[];
  /** For ledger secrets to come. Without one, the service cannot change its ledger secret. */
  readonly encryption?: EncryptionKey;
  /** Where others find this node: `host:port`. */
  readonly nodeAddress: string;
  readonly apiAddress: string;
  readonly start: Start;
  readonly timing: Timing;
  readonly signing: SigningLimits;
  /** Entries from one snapshot to the next, at least. The same on all nodes, or some keep none. Default: no snapshots. */
  readonly snapshotEvery?: number;
  /** Whether `event` outputs are wanted; they cost a little for every message. */
  readonly observe: boolean;
}

/** How this node comes into being. */
export type Start =
  | ({ readonly type: "new" } & ShareHolding)
  /** A trusted joiner, with the nodes it was told of. */
  | { readonly type: "join"; readonly nodes: readonly NetworkNode[] }
  /** A node that comes back with its data. `replay` has been given every entry of its ledger. */
  | { readonly type: "resume"; readonly replay: Replay; readonly nodes: readonly NetworkNode[] }
  /**
   * A node that goes on alone, as a service with the new identity in `CoreConfig.service`: a majority of the nodes is lost for good. What it
   * holds up to its last signature counts as committed; the rest goes.
   */
  | { readonly type: "recover"; readonly replay: Replay };

export interface Timing {
  /** ms. CCF's defaults: 5,000 and 100. */
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** How long a request waits for its commit, or for the primary's answer, in ms. */
  readonly commitTimeoutMs: number;
}

export type Input =
  | { readonly type: "tick" }
  /** One turn of the host's loop is over: sign, replicate and store what it brought, together. */
  | { readonly type: "flush" }
  | { readonly type: "request"; readonly request: ClientRequest }
  /** Everything up to this `persist` output is durable now. */
  | { readonly type: "persisted"; readonly token: number }
  /** One node's answer to an `inquire` output: the `nodes` of its `GET /node/network`. */
  | { readonly type: "network"; readonly nodes: readonly NetworkNode[] }
  /** Nobody waits for the answer to the request with this id any more: what is only read for it need not be. */
  | { readonly type: "gone"; readonly id: number }
  /** What the `read` output with this id asked for, one entry each; fewer when they are too many bytes, or cannot be read. */
  | {
      readonly type: "entries";
      readonly id: number;
      readonly entries: readonly Uint8Array[];
      /** The first entry that is in the files. */
      readonly firstHeld?: Seqno;
    };

export interface ClientRequest {
  /** Chosen by the host; comes back with the `respond` output. */
  readonly id: number;
  readonly method: string;
  /** Path and query, as received. */
  readonly path: string;
  readonly body: Uint8Array;
  /** The certificate (DER) the client gave in TLS, self-signed or not: the host has seen that it holds the key. */
  readonly callerCertificate?: Uint8Array;
}

/** Outputs in the order they must be carried out; `append`, `truncate`, `secrets`, `persist` and `commit` are one queue for the storage. */
export type Output =
  | { readonly type: "append"; readonly entries: readonly LedgerEntry[] }
  | { readonly type: "truncate"; readonly to: Seqno }
  | { readonly type: "persist"; readonly token: number; readonly hardState?: HardState }
  | CommitOutput
  /** Keep these ledger secrets, all of them, as safe as the node's key; durable before what is appended after. */
  | { readonly type: "secrets"; readonly secrets: readonly KeptSecret[] }
  /** Keep this certificate (DER) in place of the one before, and show it to clients: the service has endorsed this node anew. */
  | { readonly type: "certificate"; readonly certificate: Uint8Array }
  /** Keep a snapshot, provisionally; beside the queue of the storage. */
  | Extract<SnapshotOutput, { type: "snapshot" | "snapshot-dropped" }>
  /** A kept snapshot is proven: put the receipt (JSON, UTF-8) behind it. */
  | {
      readonly type: "snapshot-committed";
      readonly seqno: Seqno;
      readonly evidence: Seqno;
      readonly receipt: Uint8Array;
    }
  /** Read committed entries back that are no longer in memory; both ends inclusive, at most `bytesMax`, one at least. Always answered. */
  | {
      readonly type: "read";
      readonly id: number;
      readonly from: Seqno;
      readonly through: Seqno;
      readonly bytesMax: number;
    }
  | {
      readonly type: "transmit";
      readonly to: NodeId;
      readonly frameType: FrameType;
      readonly parts: readonly Uint8Array[];
    }
  /**
   * Ask the nodes at these API addresses for `GET /node/network`, over TLS that trusts the service certificate alone, and hand in each answer
   * that comes as `network`. This node has heard from no primary for long.
   */
  | { readonly type: "inquire"; readonly addresses: readonly string[] }
  | { readonly type: "peer"; readonly id: NodeId; readonly address: string | undefined }
  | ({ readonly type: "respond"; readonly id: number } & Answer)
  | { readonly type: "event"; readonly event: NodeEvent }
  | { readonly type: "wait"; readonly untilMs: number };

export type Role = "primary" | "backup" | "candidate" | "none";
export type Direction = "sent" | "received";

/** What an observer is shown. Metadata that stands on the wire in clear; never a key or a plaintext. */
export type NodeEvent =
  | {
      readonly type: "exchange";
      readonly peer: NodeId;
      readonly step: string;
      readonly direction: Direction;
      readonly atMs: number;
    }
  | {
      readonly type: "header";
      readonly peer: NodeId;
      readonly direction: Direction;
      readonly kind: string;
      readonly view: View;
      readonly seqno?: Seqno;
      readonly prevSeqno?: Seqno;
      readonly commitSeqno?: Seqno;
      readonly bytes: number;
      readonly entries: number;
      readonly atMs: number;
    }
  | {
      readonly type: "forwarded";
      readonly peer: NodeId;
      readonly direction: Direction;
      readonly what: "command" | "response";
      readonly commandId: number;
      readonly bytes: number;
      readonly atMs: number;
    }
  | {
      readonly type: "channel";
      readonly peer: NodeId;
      readonly state: string;
      readonly open: boolean;
      readonly atMs: number;
    }
  | { readonly type: "rejected"; readonly peer: NodeId; readonly code: string; readonly atMs: number }
  | { readonly type: "role"; readonly role: Role; readonly view: View; readonly atMs: number }
  /** What became of handing the primary's role to a node. */
  | { readonly type: "transfer"; readonly to: NodeId; readonly outcome: TransferOutcome; readonly atMs: number }
  | { readonly type: "commit"; readonly txId: TxId; readonly atMs: number };
