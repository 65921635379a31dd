/** What the log leaves to be done outside of it. */
import type { Output as ReplicaOutput } from "@sealane/consensus";
import type { LedgerEntry } from "@sealane/ledger";
import type { ConsensusMessage, NodeId, Seqno } from "@sealane/wire";
import type { HardState } from "./log-state.js";
import type { KeptSecret } from "./rotating-secrets.js";
import type { SnapshotOutput } from "./snapshots.js";

/** Entries up to `seqno` are committed. */
export interface CommitOutput {
  readonly type: "commit";
  readonly seqno: Seqno;
  /**
   * A reconfiguration is among them: note it on disk at once. A node that forgot it in a restart would ask the configuration before for
   * votes too, and of that more nodes may be gone by then than it can spare.
   */
  readonly reconfigures: boolean;
}

/** What the replica's decisions leave to be done outside, in order. */
export type LogOutput =
  | { readonly type: "append"; readonly entries: readonly LedgerEntry[] }
  /** `signedTo`: the last signature that was in the log before. What it covered may stand in other nodes' logs, and commit yet. */
  | { readonly type: "truncate"; readonly to: Seqno; readonly signedTo: Seqno }
  | { readonly type: "persist"; readonly token: number; readonly hardState?: HardState }
  | CommitOutput
  | { readonly type: "certificate"; readonly certificate: Uint8Array }
  | { readonly type: "secrets"; readonly secrets: readonly KeptSecret[] }
  | SnapshotOutput
  | { readonly type: "send"; readonly to: NodeId; readonly message: ConsensusMessage }
  | { readonly type: "role" }
  | Extract<ReplicaOutput, { type: "read-ready" | "read-refused" | "transfer" }>
  /** The nodes' records, or the set of nodes that replicate, may have changed. */
  | { readonly type: "membership" };
