/** Two channels on a network whose every frame a script may drop, delay, repeat or change, in virtual time. */
import { type CryptoSuite, type Curve, createServiceIdentity, endorse, type KeyPair, spkiHash } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import {
  concatBytes,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  type FrameType,
  NodeId,
  utf8,
} from "@sealane/wire";
import {
  Channel,
  type ChannelErrorCode,
  type ChannelLimits,
  type ChannelOutput,
  type ChannelTrust,
  type ChannelVersionNumber,
  type ExchangeStep,
} from "../src/index.js";

export type Side = "low" | "high";
export const other = (side: Side): Side => (side === "low" ? "high" : "low");

export interface Identity {
  readonly id: NodeId;
  readonly keyPair: KeyPair;
  readonly certificate: Uint8Array;
}

export interface World {
  readonly service: ReturnType<typeof createServiceIdentity>;
  /** `low` has the lower id. */
  readonly low: Identity;
  readonly high: Identity;
}

const TIMES = { notBefore: new Date("2020-01-01T00:00:00Z"), notAfter: new Date("2040-01-01T00:00:00Z") };

export function makeIdentity(suite: CryptoSuite, service: World["service"], curve: Curve = "P-384"): Identity {
  const keyPair = suite.generateKeyPair(curve);
  const id = NodeId.parse(spkiHash(suite, keyPair.publicKey.spki));
  const certificate = endorse(suite, service, { publicKey: keyPair.publicKey, name: "n", hosts: [], ...TIMES });
  return { id, keyPair, certificate };
}

/** Key pairs of the two suites do not mix, so each suite gets its world. */
export function makeWorld(suite: CryptoSuite = nativeSuite, curve: Curve = "P-384"): World {
  const service = createServiceIdentity(suite, { name: "s", curve, ...TIMES });
  const [first, second] = [makeIdentity(suite, service, curve), makeIdentity(suite, service, curve)];
  return first.id < second.id ? { service, low: first, high: second } : { service, low: second, high: first };
}

export interface Frame {
  readonly from: Side;
  readonly frameType: FrameType;
  readonly payload: Uint8Array;
  /** 16 to 19 for a handshake message, 0 to 2 for one of version 1, undefined for records. */
  readonly kind: number | undefined;
}

/** When copies of a frame arrive, in milliseconds from now. None: it is lost. */
export type Network = (frame: Frame, nowMs: number) => readonly number[];

/** Everything passes after 1 ms but what `isLost` names. */
export const losing = (isLost: (frame: Frame, nth: number) => boolean): Network => {
  let nth = 0;
  return (frame) => (isLost(frame, nth++) ? [] : [1]);
};

export const INIT = 16;
export const RESPONSE = 17;
export const FINAL = 18;
export const CONFIRM = 19;
/** The kinds of version 1. */
export const INIT_V1 = 0;
export const RESPONSE_V1 = 1;
export const FINAL_V1 = 2;

interface InFlight {
  readonly dueMs: number;
  readonly frame: Frame;
}

export interface PairOptions {
  readonly world: World;
  /** 2 unless given. */
  readonly version?: ChannelVersionNumber;
  readonly suite?: CryptoSuite;
  /** One for each end, in place of `suite`. */
  readonly suites?: Readonly<Record<Side, CryptoSuite>>;
  readonly limits?: Partial<ChannelLimits>;
  readonly network?: Network;
  readonly trust?: Partial<ChannelTrust>;
}

export interface Received {
  readonly frameType: FrameType;
  readonly header: string;
  readonly plaintext: string;
  readonly rest: Uint8Array;
}

/** What one end has seen. */
export interface Log {
  readonly received: Received[];
  readonly rejected: ChannelErrorCode[];
  readonly steps: ExchangeStep[];
  readonly established: boolean[];
}

export const HEADER_BYTES = 8;
/** A header of fixed length that names itself. */
export const header = (name: string): Uint8Array => utf8(name.padEnd(HEADER_BYTES));

export class Pair {
  readonly world: World;
  network: Network;
  nowMs = 1_000_000;
  readonly sent: Frame[] = [];
  readonly logs: Record<Side, Log>;
  readonly #options: PairOptions;
  readonly #channels: Record<Side, Channel>;
  #inFlight: InFlight[] = [];

  constructor(options: PairOptions) {
    this.world = options.world;
    this.#options = options;
    this.network = options.network ?? (() => [1]);
    this.#channels = { low: this.#makeChannel("low"), high: this.#makeChannel("high") };
    this.logs = { low: emptyLog(), high: emptyLog() };
  }

  get low(): Channel {
    return this.#channels.low;
  }

  get high(): Channel {
    return this.#channels.high;
  }

  channel(side: Side): Channel {
    return this.#channels[side];
  }

  /** The end loses everything but its identity. */
  restart(side: Side): void {
    this.#channels[side] = this.#makeChannel(side);
  }

  initiate(side: Side): void {
    this.channel(side).initiate(this.nowMs);
    this.drain(side);
  }

  /** Sends a consensus header with entries behind it. True when it went out at once. */
  send(side: Side, name: string, entries: Uint8Array = new Uint8Array(0)): boolean {
    const trailer = this.channel(side).seal(header(name), this.nowMs);
    this.drain(side);
    if (trailer !== undefined) this.transmit(side, FRAME_CONSENSUS, concatBytes(header(name), trailer, entries));
    return trailer !== undefined;
  }

  sendEncrypted(side: Side, name: string, plaintext: string): "sent" | "queued" | "refused" {
    const sealed = this.channel(side).sealEncrypted(header(name), utf8(plaintext), this.nowMs);
    this.drain(side);
    if (typeof sealed === "string") return sealed;
    this.transmit(side, FRAME_FORWARDED, concatBytes(header(name), sealed));
    return "sent";
  }

  transmit(from: Side, frameType: FrameType, payload: Uint8Array): void {
    const kind = frameType === FRAME_CHANNEL ? payload[0] : undefined;
    const frame: Frame = { from, frameType, payload, kind };
    this.sent.push(frame);
    for (const delayMs of this.network(frame, this.nowMs)) this.inject(frame, delayMs);
  }

  /** Puts a frame on the network behind the script's back. */
  inject(frame: Frame, delayMs = 0): void {
    this.#inFlight.push({ dueMs: this.nowMs + delayMs, frame });
  }

  /** Hands a payload of frame type 0 to one end at once and gives the codes it was refused with. */
  handle(side: Side, payload: Uint8Array): readonly ChannelErrorCode[] {
    const before = this.logs[side].rejected.length;
    this.#receive(side, { from: other(side), frameType: FRAME_CHANNEL, payload: payload.slice(), kind: payload[0] });
    return this.logs[side].rejected.slice(before);
  }

  /** Hands a record to one end at once. Undefined when it was refused; the code is the last one in the log. */
  open(side: Side, frameType: 1 | 2, payload: Uint8Array, headerBytes = HEADER_BYTES): Received | undefined {
    const opened = this.channel(side).open(frameType, headerBytes, payload, this.nowMs);
    this.drain(side);
    if (opened === undefined) return undefined;
    const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes).trimEnd();
    return { frameType, header: text(opened.header), plaintext: text(opened.plaintext), rest: opened.rest };
  }

  /** Runs until `untilMs` of virtual time from now: delivers what is due and ticks when a channel asks for it. */
  run(forMs: number): this {
    const endMs = this.nowMs + forMs;
    for (let turn = 0; ; turn++) {
      if (turn > 100_000) throw new Error("the run does not come to rest");
      const waits = { low: this.drain("low"), high: this.drain("high") };
      const next = this.#nextDue();
      const wakeMs = Math.min(waits.low, waits.high, next?.dueMs ?? Number.POSITIVE_INFINITY);
      if (wakeMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, wakeMs);
      if (next !== undefined && next.dueMs <= wakeMs) {
        this.#inFlight = this.#inFlight.filter((item) => item !== next);
        this.#receive(other(next.frame.from), next.frame);
      } else {
        const side = waits.low <= waits.high ? "low" : "high";
        this.channel(side).handleTick(this.nowMs);
        if (this.drain(side) <= this.nowMs) throw new Error(`${side} asks again for a tick it just had`);
      }
    }
    this.nowMs = endMs;
    return this;
  }

  /** Drains one end. @returns When it wants to be woken. */
  drain(side: Side): number {
    const log = this.logs[side];
    for (;;) {
      const output: ChannelOutput = this.channel(side).pollOutput();
      switch (output.type) {
        case "transmit":
          this.transmit(side, output.frameType, concatBytes(...output.parts));
          break;
        case "rejected":
          log.rejected.push(output.code);
          break;
        case "exchange":
          log.steps.push(output.step);
          break;
        case "established":
          log.established.push(output.rekeyed);
          break;
        case "wait":
          return output.untilMs;
        case "idle":
          return Number.POSITIVE_INFINITY;
      }
    }
  }

  /** The handshake messages sent so far, oldest first. */
  handshake(kind: number, from?: Side): Uint8Array[] {
    return this.sent.filter((f) => f.kind === kind && (from === undefined || f.from === from)).map((f) => f.payload);
  }

  /** Whether both ends can open what the other seals now. */
  talks(): boolean {
    for (const side of ["low", "high"] as const) {
      const before = this.logs[other(side)].received.length;
      if (!this.send(side, "ping")) return false;
      const frame = this.sent.at(-1);
      if (frame !== undefined) this.#receive(other(side), frame);
      // The network may deliver its own copy later: a replay by then.
      if (this.logs[other(side)].received.length === before) return false;
    }
    return true;
  }

  #nextDue(): InFlight | undefined {
    let next: InFlight | undefined;
    // Of those due together the one sent first: with equal delays a link keeps its order.
    for (const item of this.#inFlight) if (next === undefined || item.dueMs < next.dueMs) next = item;
    return next;
  }

  #receive(side: Side, frame: Frame): void {
    if (frame.frameType === FRAME_CHANNEL) this.channel(side).handleFrame(frame.payload, this.nowMs);
    else {
      const opened = this.open(side, frame.frameType, frame.payload);
      if (opened !== undefined) this.logs[side].received.push(opened);
    }
    this.drain(side);
  }

  #makeChannel(side: Side): Channel {
    const { world, version = 2, suite = nativeSuite, suites, limits, trust } = this.#options;
    return new Channel({
      suite: suites?.[side] ?? suite,
      version,
      self: world[side],
      peer: world[other(side)].id,
      trust: { serviceCertificate: world.service.certificate, trusted: () => true, ...trust },
      ...(limits === undefined ? {} : { limits }),
    });
  }
}

/** A pair that has completed an exchange the lower end started, with the confirm received. */
export function establishedPair(options: PairOptions): Pair {
  const pair = new Pair(options);
  pair.initiate("low");
  pair.run(100);
  return pair;
}

/** One payload with one bit changed. */
export function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

function emptyLog(): Log {
  return { received: [], rejected: [], steps: [], established: [] };
}
