/**
 * What goes into a replica and what comes out of it, as data (consensus spec §2). Nothing here does anything.
 * The core holds no entry bytes: an `Entry` is what consensus must know of one, and the owner may hang more on it.
 */
import type { ConsensusMessage, NodeId, Seqno, View } from "@sealane/wire";

/** One log entry as consensus sees it (spec §5). The owner's own entry type may extend it and comes back in `append`. */
export interface Entry {
  readonly seqno: Seqno;
  readonly view: View;
  /** A signature entry ("globally committable"): only these are commit points. */
  readonly signature: boolean;
  /** Size in the ledger, in bytes. Decides the batch size (spec §7.3), nothing else. */
  readonly bytes: number;
  /** A reconfiguration entry names the complete new node set, at least one node (spec §10.1). */
  readonly configuration?: readonly NodeId[];
  /** A retirement-committed entry names the nodes that may be switched off once it is committed (spec §11.3). */
  readonly retired?: readonly NodeId[];
}

/** An active configuration: the node set of the reconfiguration entry at `seqno`. */
export interface Configuration {
  readonly seqno: Seqno;
  readonly nodes: readonly NodeId[];
}

/** Where a view starts. A list of these, ascending in both, is a view history (spec §4) without its empty views. */
export interface ViewStart {
  readonly view: View;
  readonly seqno: Seqno;
}

/** What a node must not forget across a restart, next to its log (spec §3.1). */
export interface HardState {
  readonly view: View;
  /** Whom this node voted for in `view`. */
  readonly votedFor: NodeId | undefined;
}

export type Role = "none" | "backup" | "pre-vote-candidate" | "candidate" | "primary";
export type RetirementPhase = "ordered" | "signed" | "completed" | "retired-committed";
/** What a client may be told about a transaction id (spec §4). */
export type TxStatus = "unknown" | "pending" | "committed" | "invalid";

/**
 * `ephemeral`: CCF's rule (spec §3.1). An identity is used once and nothing waits for a disk.
 * `durable`: what a message depends on is on disk before the message leaves, so a node may restart as itself.
 */
export type Durability = "ephemeral" | "durable";

/** Why a read was not confirmed. Ask the primary, if another one is known, or ask again. */
export type ReadRefusal = "not-primary" | "primary-changed" | "too-many";

/**
 * What became of a transfer. `completed`: the target leads. `another-elected`: somebody else does. `timed-out`: nothing came of it within an
 * election timeout. The others are refusals: nothing was begun.
 */
export type TransferOutcome =
  | "completed"
  | "another-elected"
  | "timed-out"
  | "not-primary"
  | "is-primary"
  | "not-a-member"
  | "in-progress"
  | "lease";

/** Which entries of its own log make a replica what it is: the owner stores entries, `replayLog` rebuilds this from them. */
export interface RestoredState {
  readonly hardState: HardState;
  readonly viewHistory: readonly ViewStart[];
  readonly lastSeqno: Seqno;
  /** A hint: may be lower than what was committed, never higher. 0 or the seqno of a signature. */
  readonly commitSeqno: Seqno;
  /** Signature entries above `commitSeqno`, ascending. */
  readonly signatures: readonly Seqno[];
  /** The configuration in force at `commitSeqno`, then every later one, ascending. */
  readonly configurations: readonly Configuration[];
  /** Nodes whose removal is committed and whose retirement-committed entry is not (spec §11.3). */
  readonly removed?: readonly NodeId[];
  /** Retirement-committed entries above `commitSeqno`, ascending. */
  readonly retirements?: readonly { readonly seqno: Seqno; readonly nodes: readonly NodeId[] }[];
  /** This node's own removal, if its log holds it (spec §11.1). */
  readonly retirement?: OwnRetirement;
  /** Sizes in bytes of the entries up to `lastSeqno`, oldest first; the last one belongs to `lastSeqno`. May be left out. */
  readonly entryBytes?: readonly number[];
}

export interface OwnRetirement {
  /** The entry that removed this node. */
  readonly removedSeqno: Seqno;
  /** The first signature at or after it. */
  readonly signedSeqno: Seqno | undefined;
  /** The removal, and then also the retirement-committed entry, is committed. */
  readonly phase: RetirementPhase;
}

export interface ReplicaOptions {
  readonly id: NodeId;
  /** A uniform integer in `[0, max]`, both ends included. The only randomness there is (election timer, spec §9.2). */
  readonly random: (max: number) => number;
  readonly durability: Durability;
  /** Default 5,000 ms. */
  readonly electionTimeoutMs?: number;
  /** Default 100 ms. Must be smaller than the election timeout. */
  readonly heartbeatMs?: number;
  /** Whether this node asks before it campaigns (spec §9.3). Every node answers. Default false. */
  readonly preVote?: boolean;
  /**
   * Send new entries at every `flush` input and with heartbeats, in messages bounded by `messageBytesMax` alone: one header, and so one tag,
   * for all that a turn brought. Default false: at 20,000 bytes and with heartbeats, in batches of CCF's adaptive size (spec §6, §7.3).
   */
  readonly eagerSend?: boolean;
  /**
   * As primary, send nodes that are retired-committed one more append-entries, with that commit, before their record goes: so they learn it,
   * unless it is lost. Default false: in CCF a removed backup may never hear of it, and its operator asks the service (spec §11.4).
   */
  readonly tellRetired?: boolean;
  /** `atCapacity` from this many uncommitted entries on. Default 10,000; 0 is no limit (spec §6). */
  readonly uncommittedMax?: number;
  /** The most entry bytes in one append-entries, unless a single entry is larger. Default 1 MiB. */
  readonly messageBytesMax?: number;
  /** The most entry bytes sent to one peer and not yet acknowledged. Default: no bound, as in CCF (spec §7.2). */
  readonly inFlightBytesMax?: number;
  /**
   * Whether this node refuses a pre-vote while it leads, or has heard from a live primary within the minimum election timeout (half of the
   * election timeout). Keeps a node that only some can hear from deposing a primary that a majority hears. Default false: spec §9.7.
   */
  readonly leaderStickiness?: boolean;
  /**
   * Answer reads without asking the peers, as long as they have promised not to elect another. Default: none. Set it on every node of a
   * service or on none; it makes each refuse pre-votes and votes alike while it hears from a primary, for half of the election timeout.
   * Sound only if no node's clock runs faster or slower than true time by more than `clockDriftMax`, a part in [0, 1), say 0.01; if
   * it goes on while a process is suspended; and if `nowMs` is read when an input is handed in, not before. `clockStepMs`: what `nowMs` is
   * rounded to; default 0, not at all.
   */
  readonly readLease?: { readonly clockDriftMax: number; readonly clockStepMs?: number };
  /** What a restarted node still knows. Leave out for a node that starts empty. */
  readonly restored?: RestoredState;
  /** The owner's monotonic clock at construction. Default: that of the first input. */
  readonly nowMs?: number;
}

/** Inputs (spec §2). `E` is the owner's entry type. */
export type Input<E extends Entry = Entry> =
  /** Time passed. Due at the `wait` output at the latest; more often does no harm. */
  | { readonly type: "tick" }
  /**
   * An authenticated message. `entries` are the decoded entries behind an append-entries, from `prevSeqno + 1` on; fewer
   * than the header announces means: what follows is undecodable. Leave it out for other messages.
   */
  | {
      readonly type: "message";
      readonly from: NodeId;
      readonly message: ConsensusMessage;
      readonly entries?: readonly E[];
    }
  /** New entries of the primary, which the owner has already put in its ledger. Refused ones come back as `rollback`. */
  | { readonly type: "replicate"; readonly view: View; readonly entries: readonly E[] }
  /** End of one turn of the owner's loop: with `eagerSend`, sends every peer what it has not been sent. */
  | { readonly type: "flush" }
  /** What was asked for by `persist` outputs up to and including this token is durable. */
  | { readonly type: "persisted"; readonly token: number }
  /** Become the primary of a new or recovered service (spec §12.1, §12.3). Only when certain that no primary exists. */
  | { readonly type: "start" }
  /** Become a backup that starts from a snapshot, or from nothing with `seqno` 0 (spec §12.2). */
  | {
      readonly type: "join";
      readonly seqno: Seqno;
      readonly view: View;
      readonly viewHistory: readonly ViewStart[];
      readonly configurations?: readonly Configuration[];
    }
  /**
   * A linearisable read wants to know what it must see. Answered with `read-ready` or `read-refused`, for as long as this node leads; the
   * owner keeps deadlines. `token` is the owner's and comes back.
   */
  | { readonly type: "read"; readonly token: number }
  /** Hand the primary's role to this member. What becomes of it comes back as `transfer`, within an election timeout. */
  | { readonly type: "transfer"; readonly to: NodeId }
  /** Allow elections before a signature shows that this node is a member (spec §9.1). Tests and scenarios need it. */
  | { readonly type: "start-ticking" };

/** Outputs (spec §2), polled in the order in which they must be carried out. */
export type Output<E extends Entry = Entry> =
  /** Backup: these entries are in the log now. Apply and store them. The same objects that came in. */
  | { readonly type: "append"; readonly entries: readonly E[] }
  /** Cut ledger, store, tree and storage after `to`. */
  | { readonly type: "rollback"; readonly to: Seqno }
  /**
   * Make everything appended and rolled back so far durable, and this hard state if it is given; then hand in
   * `persisted` with the token. Tokens ascend; acknowledging one acknowledges all before it. In `ephemeral` mode nothing waits.
   */
  | { readonly type: "persist"; readonly token: number; readonly hardState?: HardState }
  /** Entries up to `seqno` are committed. Ascending. */
  | { readonly type: "commit"; readonly seqno: Seqno }
  /** Role, view or primary changed. Every change is reported, also several in one input. */
  | { readonly type: "role"; readonly role: Role; readonly view: View; readonly primary: NodeId | undefined }
  /** Primary: write the retirement-committed entry for these nodes (spec §11.3). Asked again by each new primary. */
  | { readonly type: "cleanup-retired"; readonly nodes: readonly NodeId[] }
  /** The nodes this one exchanges messages with, ascending; includes removed ones that may not be switched off yet. */
  | { readonly type: "peers"; readonly nodes: readonly NodeId[] }
  /** Append-entries: attach the ledger entries of `(prevSeqno, seqno]`; drop the message if one is gone (spec §7.5). */
  | { readonly type: "send"; readonly to: NodeId; readonly message: ConsensusMessage }
  /**
   * Read from the state up to `seqno` or later, all of it committed: it has every write that was answered, and all that an earlier read
   * saw, before this read began.
   */
  | { readonly type: "read-ready"; readonly token: number; readonly seqno: Seqno }
  | { readonly type: "read-refused"; readonly token: number; readonly reason: ReadRefusal }
  | { readonly type: "transfer"; readonly to: NodeId; readonly outcome: TransferOutcome }
  /** Nothing more to do until the next input; hand in a `tick` at `untilMs` (may be `Infinity`). Ends every input's outputs. */
  | { readonly type: "wait"; readonly untilMs: number };
