import type { NodeId, Seqno, TxId, View } from "@sealane/wire";
import type {
  Configuration,
  Entry,
  Input,
  Output,
  ReplicaOptions,
  RetirementPhase,
  Role,
  TxStatus,
  ViewStart,
} from "./interface.js";

/** One node of the replicated log (consensus spec). Signatures only; the body follows. */
export declare class Replica<E extends Entry = Entry> {
  constructor(options: ReplicaOptions);
  readonly id: NodeId;
  get view(): View;
  get votedFor(): NodeId | undefined;
  get role(): Role;
  get primary(): NodeId | undefined;
  get ticking(): boolean;
  get lastSeqno(): Seqno;
  get commitSeqno(): Seqno;
  get lastCommittableSeqno(): Seqno;
  get durableSeqno(): Seqno;
  get viewHistory(): readonly ViewStart[];
  get configurations(): readonly Configuration[];
  /** Nodes of all active configurations, ascending. */
  get activeNodes(): readonly NodeId[];
  get retirementPhase(): RetirementPhase | undefined;
  /** Primary that has not yet signed in its view (spec §5). */
  get shouldSign(): boolean;
  /** `uncommittedMax` is reached: answer clients with a retryable error (spec §6). */
  get atCapacity(): boolean;
  viewAt(seqno: Seqno): View;
  status(txId: TxId): TxStatus;
  handle(input: Input<E>, nowMs: number): void;
  pollOutput(): Output<E> | undefined;
}
