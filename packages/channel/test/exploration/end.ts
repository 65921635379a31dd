/**
 * One end of the channel as an automaton that is filled in while it is walked. A `Channel` cannot be copied, but it is sans-IO and draws its randomness by
 * count: what it is and does is a function of its inputs and their times. So a state of it is the list of inputs that led there, leaving out
 * those that changed nothing, and a step from it is carried out once, on the real channel, and remembered.
 */
import { EndorsementCache } from "@sealane/crypto";
import { concatBytes, FRAME_CHANNEL, FRAME_CONSENSUS, type FrameType } from "@sealane/wire";
import { Channel, DEFAULT_LIMITS } from "../../src/index.js";
import { HEADER_BYTES, header, makeWorld, other, type Side } from "../harness.js";
import { type RecordingSuite, recordingSuite } from "./recording-suite.js";

/** The frames a channel sends, told apart by their bytes. */
export interface Frame {
  /** Equal for equal bytes from one sender, and for no others. */
  readonly name: string;
  readonly to: Side;
  readonly frameType: FrameType;
  readonly payload: Uint8Array;
}

export type Input =
  | { readonly type: "initiate" }
  | { readonly type: "seal" }
  | { readonly type: "tick" }
  | { readonly type: "frame"; readonly frame: Frame };

/** What can be seen of a state from outside, and through the suite. */
export interface Seen {
  readonly state: Channel["state"];
  readonly isOpen: boolean;
  readonly isInExchange: boolean;
  /** `Infinity`: no timer runs. */
  readonly untilMs: number;
  readonly liveKeys: ReadonlySet<string>;
  /** Those of them it seals with. */
  readonly sendKeys: readonly string[];
  readonly liveShares: number;
  readonly repeatedNonces: number;
  readonly recordsOpened: number;
}

export interface Taken {
  readonly end: End;
  readonly sent: readonly Frame[];
}

/** Times are those of the default limits, but for the age of keys, which has to be told from every other timer by its length. */
export const REKEY_AT_AGE_MS = 1_000_000;
/** No allowance runs out: how that works is tested where the limiter is. */
const LIMITS = { rekeyAtAgeMs: REKEY_AT_AGE_MS, attemptsPerSecond: 1_000, attemptsBurst: 1_000 };
export const HANDSHAKE_TIMEOUT_MS = DEFAULT_LIMITS.handshakeTimeoutMs;

const SEEDS: Readonly<Record<Side, number>> = { low: 1, high: 2 };
const world = makeWorld(recordingSuite(3).suite);
const cache = new EndorsementCache();
const frameNames = new Map<string, string>();

interface Step {
  readonly input: Input;
  readonly atMs: number;
}

/** A channel being driven. */
interface Live {
  readonly channel: Channel;
  readonly recorded: RecordingSuite;
  recordsOpened: number;
  untilMs: number;
}

export class End {
  readonly side: Side;
  readonly seen: Seen;
  /** Names the state: two ends with one id are the same object. */
  readonly id: number;
  readonly #history: readonly Step[];
  readonly #taken = new Map<string, Taken>();
  /** A channel in this state, until the first step takes it further. */
  #live: Live | undefined;
  static #count = 0;

  private constructor(side: Side, history: readonly Step[], live: Live) {
    this.side = side;
    this.id = End.#count++;
    this.#history = history;
    this.#live = live;
    this.seen = look(side, live);
  }

  static fresh(side: Side): End {
    return new End(side, [], makeLive(side));
  }

  /** The application has asked for the channel, or had something to send. */
  get isWanted(): boolean {
    return this.#history.some(({ input }) => input.type === "initiate" || input.type === "seal");
  }

  /** What an input at this time leads to. Real states of the channel code are made here and nowhere else. */
  take(input: Input, atMs: number): Taken {
    const name = `${atMs} ${input.type === "frame" ? input.frame.name : input.type}`;
    const known = this.#taken.get(name);
    if (known !== undefined) return known;
    const live = this.#live ?? this.#replay();
    this.#live = undefined;
    const wasDue = live.untilMs <= atMs;
    const { isOpen: wasOpen } = live.channel;
    const { sent, isRefused, isSilent } = carryOut(this.side, live, input, atMs);
    // Refused with nothing said and no timer due, a frame has changed nothing (`HandshakeErrorCode`, `RecordErrorCode`), except that one
    // which came without keys may have made an attempt due.
    const isWithoutEffect = input.type === "frame" && isRefused && isSilent && !wasDue && wasOpen;
    if (isWithoutEffect) this.#live = live;
    const taken: Taken = {
      end: isWithoutEffect ? this : new End(this.side, [...this.#history, { input, atMs }], live),
      sent,
    };
    this.#taken.set(name, taken);
    return taken;
  }

  #replay(): Live {
    const live = makeLive(this.side);
    for (const { input, atMs } of this.#history) carryOut(this.side, live, input, atMs);
    return live;
  }
}

/** Gives a channel one input and takes all that comes of it. */
function carryOut(
  side: Side,
  live: Live,
  input: Input,
  atMs: number,
): { sent: readonly Frame[]; isRefused: boolean; isSilent: boolean } {
  const { channel } = live;
  const records: Uint8Array[] = [];
  switch (input.type) {
    case "initiate":
      channel.initiate(atMs);
      break;
    case "tick":
      channel.handleTick(atMs);
      break;
    case "seal": {
      const trailer = channel.seal(header("record"), atMs);
      if (trailer !== undefined) records.push(concatBytes(header("record"), trailer));
      break;
    }
    case "frame": {
      const { frameType, payload } = input.frame;
      if (frameType === FRAME_CHANNEL) channel.handleFrame(payload, atMs);
      else if (channel.open(FRAME_CONSENSUS, HEADER_BYTES, payload, atMs) !== undefined) live.recordsOpened += 1;
    }
  }
  const sent = records.map((payload) => makeFrame(side, FRAME_CONSENSUS, payload));
  let [isRefused, isSilent] = [false, true];
  for (;;) {
    const output = channel.pollOutput();
    if (output.type === "wait" || output.type === "idle") {
      live.untilMs = output.type === "wait" ? output.untilMs : Number.POSITIVE_INFINITY;
      return { sent, isRefused, isSilent };
    }
    if (output.type === "rejected") isRefused = true;
    else isSilent = false;
    if (output.type === "transmit") sent.push(makeFrame(side, output.frameType, concatBytes(...output.parts)));
  }
}

function makeFrame(from: Side, frameType: FrameType, payload: Uint8Array): Frame {
  const bytes = `${from} ${frameType} ${String.fromCharCode(...payload)}`;
  const name =
    frameNames.get(bytes) ?? `${from} ${frameType === FRAME_CHANNEL ? payload[0] : "record"} #${frameNames.size}`;
  frameNames.set(bytes, name);
  return { name, to: other(from), frameType, payload };
}

function look(side: Side, { channel, recorded, untilMs, recordsOpened }: Live): Seen {
  return {
    ...{ state: channel.state, isOpen: channel.isOpen, isInExchange: channel.isInExchange, untilMs, recordsOpened },
    liveKeys: new Set(recorded.liveKeys),
    sendKeys: recorded.keysFrom(world[side].id),
    liveShares: recorded.liveShares.size,
    repeatedNonces: recorded.repeatedNonces.length,
  };
}

function makeLive(side: Side): Live {
  const recorded = recordingSuite(SEEDS[side]);
  const channel = new Channel({
    suite: recorded.suite,
    version: 2,
    self: world[side],
    peer: world[other(side)].id,
    trust: { serviceCertificate: world.service.certificate, trusted: () => true },
    limits: LIMITS,
    cache,
  });
  return { channel, recorded, recordsOpened: 0, untilMs: Number.POSITIVE_INFINITY };
}
