/** What can be wrong with the in-memory network, and how much of it has happened. */
import type { FrameType, NodeId } from "@sealane/wire";

/** Probabilities are per frame, from 0 to 1. Nothing is wrong by default and frames arrive in the millisecond after they were sent. */
export interface NetworkFaults {
  /** A frame is lost. */
  readonly loss: number;
  /** A frame arrives twice; the second copy draws its own delay. */
  readonly duplicate: number;
  /** Uniform, [least, most]. */
  readonly delayMs: readonly [min: number, max: number];
  /** A frame is held back by up to `reorderMs` more, so that later ones overtake it. */
  readonly reorder: number;
  readonly reorderMs: number;
  /** The connection breaks in the middle of a frame: that frame and all behind it are lost, and both ends notice. */
  readonly reset: number;
  /** What one direction of a link carries; a frame takes its length over this, and those behind it wait. `Infinity`: no limit. */
  readonly bytesPerMs: number;
}

export const NO_FAULTS: NetworkFaults = {
  loss: 0,
  duplicate: 0,
  delayMs: [1, 1],
  reorder: 0,
  reorderMs: 10,
  reset: 0,
  bytesPerMs: Number.POSITIVE_INFINITY,
};

/** Frames that each fault has met so far. */
export interface FaultCounts {
  /** Frames that went on their way, duplicates and forged ones too. */
  carried: number;
  lost: number;
  duplicated: number;
  reordered: number;
  /** Connections broken in the middle of a frame. */
  reset: number;
  /** Frames that met a cut link or the border of a partition. */
  cut: number;
  /** Frames that waited for those before them, or for their own length. */
  throttled: number;
}

/** A frame as an adversary on the wire has it. */
export interface WireFrame {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly type: FrameType;
  /** Not to be written into. */
  readonly payload: Uint8Array;
}

/** A frame as the adversary lets it go: after its ordinary way, and this much later. */
export interface ForgedFrame extends WireFrame {
  readonly delayMs: number;
}

/**
 * Has every frame that was sent and not lost, and says what travels on instead; `undefined` lets it pass. It may change, hold, repeat or
 * make up frames between any two nodes, but not cross a cut.
 */
export type Adversary = (frame: WireFrame) => readonly ForgedFrame[] | undefined;

/** @throws {RangeError} for a probability outside [0, 1], a bad delay or no bandwidth. */
export function checkFaults(faults: NetworkFaults): void {
  for (const [name, value] of [
    ["loss", faults.loss] as const,
    ["duplicate", faults.duplicate] as const,
    ["reorder", faults.reorder] as const,
    ["reset", faults.reset] as const,
  ]) {
    if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} is a probability from 0 to 1, not ${value}`);
  }
  const [minMs, maxMs] = faults.delayMs;
  if (!(minMs >= 0 && maxMs >= minMs && Number.isFinite(maxMs)) || !(faults.reorderMs >= 0)) {
    throw new RangeError(`a delay is [least, most] in milliseconds, not [${minMs}, ${maxMs}]`);
  }
  if (!(faults.bytesPerMs > 0)) throw new RangeError(`a link carries some bytes per ms, not ${faults.bytesPerMs}`);
}
