/** Who watches a simulated node from inside its host. It is shown everything and changes nothing. */
import type { NodeCore, Output } from "@sealane/node/core";
import type { SimulatedNode } from "./simulated-node.js";

export interface NodeObserver {
  /** A core begins its life, with what the disk holds. */
  handleStart(node: SimulatedNode, core: NodeCore, nowMs: number): void;
  /** A decision of the core, before it is carried out. */
  handleOutput(node: SimulatedNode, output: Output): void;
  /** All decisions of a turn are carried out: what the core says of itself, and what it had stored, agree now. */
  handleTurn(node: SimulatedNode): void;
  /** The core is no more. */
  handleEnd(node: SimulatedNode): void;
}
