/**
 * LinearizableReadProp, ours: a read that is answered sees every entry that was committed anywhere before it began. Nobody was told of a write
 * before that, and whoever read it read it committed.
 */
import type { NodeId } from "@sealane/wire";
import { fail } from "./observed.js";

/** The least that a read must see. It may travel as the token of the read, which then needs no memory. */
export function checkRead(id: NodeId, least: number, seqno: number): void {
  if (seqno < least) fail("LinearizableReadProp", `${id} reads at ${seqno}, and ${least} was committed before`);
}
