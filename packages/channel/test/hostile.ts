/**
 * Hostile input, one byte string at a time: a scene per message of either version, in which a genuine message is about to be taken. Whatever is
 * handed over in its place must be refused, with nothing sent and nothing changed; then the genuine one must still be taken.
 */
import { nativeSuite } from "@sealane/crypto/native";
import { FRAME_CHANNEL } from "@sealane/wire";
import type { ChannelVersionNumber } from "../src/index.js";
import { HEADER_BYTES, makeWorld, Pair, type Side } from "./harness.js";

// P-384, so that bytes of certificates, shares and signatures are those of real ones.
const world = makeWorld(nativeSuite);
/** Far above what a scene takes: the rate limiter has tests of its own. */
const LIMITS = { attemptsPerSecond: 1_000_000, attemptsBurst: 1_000_000, failedOpensMax: 2 ** 20 };

export interface Scene {
  readonly name: string;
  readonly genuine: Uint8Array;
  /** Bits that a version leaves open: flipping one is no forgery that it could notice. Half-open ranges of bytes. */
  readonly openBytes: readonly (readonly [number, number])[];
  /** Hands bytes over. True when they were refused with nothing sent and nothing changed. */
  refuses(bytes: Uint8Array): boolean;
  /** Hands the genuine message over. True when it was taken. */
  takesGenuine(): boolean;
}

const KINDS = { 1: [0, 1, 2], 2: [16, 17, 18, 19] } as const;
const NAMES = ["init", "response", "final", "confirm"] as const;
const SALT_BYTES = 32;

/** Every handshake message of a version, and a record of each frame type. */
export function scenes(version: ChannelVersionNumber): readonly Scene[] {
  const handshake = KINDS[version].map((kind, at) => handshakeScene(version, kind, NAMES[at] ?? "init"));
  return [...handshake, recordScene(version, 1), recordScene(version, 2)];
}

function handshakeScene(version: ChannelVersionNumber, kind: number, name: string): Scene {
  // Everything up to this message is delivered, and this one is held back.
  const pair = new Pair({ world, version, limits: LIMITS });
  pair.network = (frame) => (frame.kind === kind ? [] : [1]);
  pair.initiate("low");
  pair.run(10);
  const frame = pair.sent.find((sent) => sent.kind === kind);
  if (frame === undefined) throw new Error(`no ${name}`);
  pair.network = () => [];
  const to: Side = frame.from === "low" ? "high" : "low";
  const genuine = frame.payload;
  const isOpenInit = version === 1 && name === "init";
  return {
    name,
    genuine,
    openBytes: isOpenInit ? openBytesOfInitV1(genuine) : version === 1 && name === "response" ? pemOf(genuine) : [],
    refuses: (bytes) => {
      const before = factsOf(pair, to);
      return pair.handle(to, bytes).length === 1 && factsOf(pair, to) === before;
    },
    takesGenuine: () => pair.handle(to, genuine).length === 0,
  };
}

function recordScene(version: ChannelVersionNumber, frameType: 1 | 2): Scene {
  const pair = new Pair({ world, version, limits: LIMITS });
  pair.initiate("low");
  pair.run(10);
  pair.network = () => [];
  if (frameType === 1) pair.send("low", "header");
  else pair.sendEncrypted("low", "header", "a plaintext");
  const genuine = pair.sent.at(-1)?.payload ?? new Uint8Array(0);
  return {
    name: frameType === 1 ? "consensus record" : "forwarded record",
    genuine,
    openBytes: [],
    refuses: (bytes) => {
      const before = factsOf(pair, "high");
      return pair.open("high", frameType, bytes, HEADER_BYTES) === undefined && factsOf(pair, "high") === before;
    },
    takesGenuine: () => pair.open("high", frameType, genuine, HEADER_BYTES) !== undefined,
  };
}

/** What may differ after a refusal: the last error alone. */
function factsOf(pair: Pair, side: Side): string {
  const { lastError: _, ...facts } = pair.channel(side).describe(pair.nowMs);
  const { received, steps, established } = pair.logs[side];
  const frames = pair.sent.filter(({ frameType }) => frameType === FRAME_CHANNEL).length;
  return JSON.stringify([facts, received.length, steps.length, established, frames]);
}

/** channel-v1-wire §3.2: neither the salt nor the text around the certificate is signed. */
function openBytesOfInitV1(init: Uint8Array): readonly (readonly [number, number])[] {
  return [...pemOf(init), [init.length - SALT_BYTES, init.length]];
}

/** §3.3: what stands behind the END line does not count. Here that is the last line end, and the line ends themselves have one form. */
function pemOf(message: Uint8Array): readonly (readonly [number, number])[] {
  const signatureBytes = message[122] ?? 0;
  const start = 130 + signatureBytes + 8;
  const length = (message[start - 8] ?? 0) + 256 * (message[start - 7] ?? 0);
  return [[start + length - 1, start + length]];
}

/** Whether a byte lies in one of the ranges. */
export const isOpen = ({ openBytes }: Scene, at: number): boolean =>
  openBytes.some(([start, end]) => at >= start && at < end);
