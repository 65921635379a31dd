/** Who watches a simulated node from inside its host. It is shown everything and changes nothing. */
import type { HardState, NodeCore, Output } from "@sealane/node/core";
import type { NodeId, Seqno } from "@sealane/wire";

/** A node, as far as its observer looks at it. */
export interface ObservedHost {
  readonly id: NodeId;
  readonly disk: {
    /** Of the first entry it has: what came before, a snapshot stands for. */
    readonly firstSeqno: Seqno;
    /** What a reader of its files finds, in order from there. */
    readonly entries: readonly Uint8Array[];
    readonly hardState: HardState;
  };
}

export interface NodeObserver {
  /** A core begins its life, with what the disk holds. */
  handleStart(node: ObservedHost, core: NodeCore, nowMs: number): void;
  /** A decision of the core, before it is carried out. */
  handleOutput(node: ObservedHost, output: Output): void;
  /** All decisions of a turn are carried out: what the core says of itself, and what it had stored, agree now. */
  handleTurn(node: ObservedHost): void;
  /** The core is no more. */
  handleEnd(node: ObservedHost): void;
}
