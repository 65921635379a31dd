/** Two ends, a network that holds every frame until it is told what to do with it, and a clock that moves only to the next timer. Immutable. */
import { other, type Side } from "../harness.js";
import { End, type Frame, type Input, REKEY_AT_AGE_MS } from "./end.js";

export const SIDES = ["low", "high"] as const;

/** What the environment may still do. */
export interface Budget {
  /** Calls of `initiate`, one for each side. */
  readonly initiates: number;
  readonly losses: number;
  readonly duplicates: number;
  /** Times that the keys grow old. */
  readonly rekeys: number;
  /** Times that a timer runs out of turn: while frames are on their way, which are thus later than a time-out, or after a later one of the peer. */
  readonly delays: number;
  /** Records that either side seals. */
  readonly records: number;
}

export type Action =
  | { readonly type: "initiate" | "tick" | "seal"; readonly side: Side }
  /** `frame` names one in flight. A duplicated one is delivered and stays in flight. */
  | { readonly type: "deliver" | "lose" | "duplicate"; readonly frame: string };

interface Snapshot {
  readonly nowMs: number;
  readonly ends: Readonly<Record<Side, End>>;
  /** In the order in which they were sent. */
  readonly inFlight: readonly Frame[];
  readonly left: Budget;
  readonly initiated: readonly Side[];
}

const REKEY_TELL_MS = REKEY_AT_AGE_MS / 2;

export class Run {
  readonly #at: Snapshot;

  private constructor(at: Snapshot) {
    this.#at = at;
  }

  /** @param left - How much of everything may happen. */
  static start(left: Budget): Run {
    const ends = { low: End.fresh("low"), high: End.fresh("high") };
    return new Run({ nowMs: 0, ends, inFlight: [], left, initiated: [] });
  }

  /** An application has wanted the channel. From then on the ends have to manage by themselves. */
  get isWanted(): boolean {
    return SIDES.some((side) => this.ends[side].isWanted);
  }

  get nowMs(): number {
    return this.#at.nowMs;
  }

  get inFlight(): readonly Frame[] {
    return this.#at.inFlight;
  }

  get ends(): Readonly<Record<Side, End>> {
    return this.#at.ends;
  }

  /** Equal keys: whatever follows is the same, but for the values of keys, nonces and times. */
  get key(): string {
    const { nowMs, ends, inFlight, left, initiated } = this.#at;
    const budget = [...Object.values(left), initiated.toSorted()];
    if (this.isClean)
      return [...budget, ...SIDES.map((side) => `${ends[side].seen.isOpen}${ends[side].seen.untilMs - nowMs}`)].join();
    return [...budget, nowMs, ends.low.id, ends.high.id, ...inFlight.map(({ name }) => name).toSorted()].join();
  }

  /**
   * Nothing is under way or in flight, no timer runs but the age of keys, and each end has one key for each direction or none at all. Then how
   * it came to be is forgotten: no secret of any exchange is left that a later message could meet.
   */
  get isClean(): boolean {
    return (
      this.inFlight.length === 0 &&
      SIDES.every((side) => {
        const { isOpen, isInExchange, liveShares, liveKeys } = this.ends[side].seen;
        return (
          !isInExchange && liveShares === 0 && liveKeys.size === (isOpen ? 2 : 0) && !Number.isFinite(this.timer(side))
        );
      })
    );
  }

  /** What may happen next, within what is left of the budget. */
  get actions(): readonly Action[] {
    const { inFlight, left, initiated } = this.#at;
    const frames = [...new Set(inFlight.map(({ name }) => name))].flatMap((frame): readonly Action[] => [
      { type: "deliver", frame },
      ...(left.losses > 0 ? [{ type: "lose", frame } as const] : []),
      ...(left.duplicates > 0 ? [{ type: "duplicate", frame } as const] : []),
    ]);
    const sides = SIDES.flatMap((side): readonly Action[] => [
      ...(left.initiates > 0 && !initiated.includes(side) ? [{ type: "initiate", side } as const] : []),
      ...(left.records > 0 ? [{ type: "seal", side } as const] : []),
      ...(this.#costOfTick(side) === undefined || this.#isAffordable(side) ? [{ type: "tick", side } as const] : []),
    ]);
    return [...frames, ...sides].filter(
      (action) => action.type !== "tick" || Number.isFinite(this.ends[action.side].seen.untilMs),
    );
  }

  /** Carries one action out, with all that the channels do at once. What it costs is not asked: good behaviour needs no budget. */
  take(action: Action): Run {
    const { left, initiated, nowMs, inFlight } = this.#at;
    switch (action.type) {
      case "initiate":
        return this.#with({
          initiated: [...initiated, action.side],
          left: { ...left, initiates: left.initiates - 1 },
        }).#input(action.side, { type: action.type });
      case "seal":
        return this.#with({ left: { ...left, records: left.records - 1 } }).#input(action.side, { type: action.type });
      case "tick": {
        const cost = this.#costOfTick(action.side);
        const paid = cost === undefined ? left : { ...left, [cost]: left[cost] - 1 };
        const atMs = Math.max(nowMs, this.ends[action.side].seen.untilMs);
        return this.#with({ nowMs: atMs, left: paid }).#input(action.side, { type: action.type });
      }
      default: {
        const index = inFlight.findIndex(({ name }) => name === action.frame);
        const frame = inFlight[index];
        if (frame === undefined) throw new RangeError(`${action.frame} is not in flight`);
        const others = inFlight.toSpliced(index, 1);
        if (action.type === "lose") return this.#with({ inFlight: others, left: { ...left, losses: left.losses - 1 } });
        const isKept = action.type === "duplicate";
        const after = isKept ? { left: { ...left, duplicates: left.duplicates - 1 } } : { inFlight: others };
        return this.#with(after).#input(frame.to, { type: "frame", frame });
      }
    }
  }

  /** The side's next timer, unless that is the one for old keys. */
  timer(side: Side): number {
    const { untilMs } = this.ends[side].seen;
    return untilMs - this.nowMs > REKEY_TELL_MS ? Number.POSITIVE_INFINITY : untilMs;
  }

  /** Both ends show ESTABLISHED. */
  get isEstablished(): boolean {
    return SIDES.every((side) => this.ends[side].seen.state === "ESTABLISHED");
  }

  /** Either end can open what the other seals now. For states in which both are ESTABLISHED, where each has a single send key. */
  get hasMatchingKeys(): boolean {
    return SIDES.every((side) => {
      const { sendKeys } = this.ends[side].seen;
      if (sendKeys.length !== 1) throw new Error(`${side} is ESTABLISHED with ${sendKeys.length} send keys`);
      return sendKeys.every((key) => this.ends[other(side)].seen.liveKeys.has(key));
    });
  }

  /** What a tick takes from the budget: nothing for a timer that is due, or the next one while nothing is in flight. */
  #costOfTick(side: Side): "rekeys" | "delays" | undefined {
    const { untilMs } = this.ends[side].seen;
    if (untilMs <= this.nowMs) return undefined;
    const isInTurn = this.inFlight.length === 0 && untilMs <= this.ends[other(side)].seen.untilMs;
    if (!isInTurn) return "delays";
    return Number.isFinite(this.timer(side)) ? undefined : "rekeys";
  }

  /** Old keys out of turn are left out: that would be two liberties in one. */
  #isAffordable(side: Side): boolean {
    const cost = this.#costOfTick(side);
    if (cost === "delays" && !Number.isFinite(this.timer(side))) return false;
    return cost === undefined || this.#at.left[cost] > 0;
  }

  #input(side: Side, input: Input): Run {
    const { end, sent } = this.ends[side].take(input, this.nowMs);
    return this.#with({ ends: { ...this.ends, [side]: end }, inFlight: [...this.inFlight, ...sent] });
  }

  #with(changes: Partial<Snapshot>): Run {
    return new Run({ ...this.#at, ...changes });
  }
}
