/** Somebody on every wire, with all frames of the recent past in hand and none of the keys. */
import type { Adversary, ForgedFrame, WireFrame } from "@sealane/transport";
import { FRAME_CHANNEL, FRAME_CONSENSUS, FRAME_FORWARDED } from "@sealane/wire";
import type { SeededRandom } from "../random.js";
import type { WireFault } from "./fault.js";

/** Frames it remembers. */
const REMEMBERED_MAX = 64;
const REORDER_MS = 100;
const DELAY_MS = 2_000;
const INJECTED_BYTES_MAX = 400;
const FRAME_TYPES = [FRAME_CHANNEL, FRAME_CONSENSUS, FRAME_FORWARDED] as const;

export class WireAdversary {
  readonly #random: SeededRandom;
  readonly #onReached: (fault: WireFault) => void;
  readonly #active = new Set<WireFault>();
  readonly #remembered: WireFrame[] = [];
  #nextSlot = 0;

  /** @param onReached - Told of the first frame that each fault has touched. */
  constructor(random: SeededRandom, onReached: (fault: WireFault) => void) {
    this.#random = random;
    this.#onReached = onReached;
  }

  get isActive(): boolean {
    return this.#active.size > 0;
  }

  begin(fault: WireFault): void {
    this.#active.add(fault);
  }

  end(fault: WireFault): void {
    this.#active.delete(fault);
  }

  endAll(): void {
    this.#active.clear();
  }

  readonly handleFrame: Adversary = (frame) => {
    for (const fault of this.#active) {
      if (!this.#random.chance(fault.probability)) continue;
      const forged = this.#forge(fault, frame);
      if (forged === undefined) continue;
      this.#onReached(fault);
      this.#remember(frame);
      return forged;
    }
    this.#remember(frame);
    return undefined;
  };

  #remember(frame: WireFrame): void {
    this.#remembered[this.#nextSlot] = { ...frame, payload: frame.payload.slice() };
    this.#nextSlot = (this.#nextSlot + 1) % REMEMBERED_MAX;
  }

  /** @returns undefined when there is nothing it could do with this frame. */
  #forge({ kind }: WireFault, frame: WireFrame): ForgedFrame[] | undefined {
    const { from, to, payload } = frame;
    const passed: ForgedFrame = { ...frame, delayMs: 0 };
    switch (kind) {
      case "wire-flip": {
        if (payload.length === 0) return undefined;
        const flipped = payload.slice();
        const at = this.#random.below(flipped.length);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << this.#random.below(8));
        return [{ ...passed, payload: flipped }];
      }
      case "wire-truncate":
        return payload.length === 0
          ? undefined
          : [{ ...passed, payload: payload.slice(0, this.#random.below(payload.length)) }];
      case "wire-replay": {
        const old = this.#pickRemembered();
        return old === undefined ? undefined : [passed, { ...old, delayMs: 0 }];
      }
      case "wire-reorder":
        return [{ ...passed, delayMs: this.#random.below(REORDER_MS) }];
      case "wire-inject": {
        const made = this.#random.bytes(this.#random.below(INJECTED_BYTES_MAX));
        return [passed, { from, to, type: this.#random.pick(FRAME_TYPES), payload: made, delayMs: 0 }];
      }
      case "wire-reflect":
        return [passed, { ...passed, from: to, to: from }];
      case "wire-splice": {
        const old = this.#pickRemembered();
        if (old === undefined || payload.length === 0) return undefined;
        const spliced = payload.slice();
        const at = this.#random.below(spliced.length);
        spliced.set(old.payload.subarray(at, spliced.length), at);
        return [{ ...passed, payload: spliced }];
      }
      case "wire-delay":
        return [{ ...passed, delayMs: this.#random.below(DELAY_MS) }];
      default:
        return kind satisfies never;
    }
  }

  #pickRemembered(): WireFrame | undefined {
    return this.#remembered.length === 0 ? undefined : this.#random.pick(this.#remembered);
  }
}
