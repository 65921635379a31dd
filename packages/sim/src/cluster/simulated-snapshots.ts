/** The snapshots of a simulated node: kept provisionally until they are proven, or dropped. */
import type { Output } from "@sealane/node/core";
import type { Seqno } from "@sealane/wire";

type SnapshotOutput = Extract<Output, { type: "snapshot" | "snapshot-dropped" | "snapshot-committed" }>;

export class SimulatedSnapshots {
  /** Proven ones: the snapshot and its receipt, by seqno. */
  readonly committed = new Map<Seqno, { readonly bytes: Uint8Array; readonly receipt: Uint8Array }>();
  /** By the seqno of the snapshot. */
  readonly provisional = new Map<Seqno, { readonly evidence: Seqno; readonly bytes: Uint8Array }>();

  handle(output: SnapshotOutput): void {
    const { seqno, evidence } = output;
    if (output.type === "snapshot") {
      this.provisional.set(seqno, { evidence, bytes: output.bytes });
      return;
    }
    const kept = this.provisional.get(seqno);
    if (kept?.evidence !== evidence) throw new Error(`there is no snapshot at ${seqno} with evidence at ${evidence}`);
    this.provisional.delete(seqno);
    if (output.type === "snapshot-committed") this.committed.set(seqno, { bytes: kept.bytes, receipt: output.receipt });
  }

  /** What was provisional is removed when a node comes back. */
  restart(): void {
    this.provisional.clear();
  }
}
