/**
 * Every recorded message of a pair, of an earlier exchange of the pair, and of another pair, delivered again at every point of an exchange and to either
 * end: as a replay, a duplicate, out of its order, in another session, or reflected. None of it may put keys in use that the other end does not have,
 * take records twice, or keep the exchange that is under way from completing.
 */
import { nativeSuite } from "@sealane/crypto/native";
import { FRAME_CHANNEL } from "@sealane/wire";
import type { ChannelVersionNumber } from "../src/index.js";
import { type Frame, makeIdentity, makeWorld, Pair, type Side, type World } from "./harness.js";

const world = makeWorld(nativeSuite, "P-256");
const trust = { curves: ["P-256"] } as const;
const LIMITS = { attemptsPerSecond: 1_000_000, attemptsBurst: 1_000_000 };

interface Recorded {
  readonly name: string;
  readonly frame: Frame;
}

const pairOf = (version: ChannelVersionNumber, inWorld: World = world): Pair =>
  new Pair({ world: inWorld, version, trust, limits: LIMITS });

/** An exchange and a record of each type in each direction. */
function record(pair: Pair, starter: Side, name: string): readonly Recorded[] {
  const from = pair.sent.length;
  pair.initiate(starter);
  pair.run(5);
  for (const side of ["low", "high"] as const) {
    pair.send(side, "old");
    pair.sendEncrypted(side, "old", "old");
  }
  pair.run(5);
  return pair.sent.slice(from).map((frame, index) => ({
    name: `${name} ${index} (${frame.from}, type ${frame.frameType}, kind ${frame.kind ?? "-"})`,
    frame,
  }));
}

/** What an attacker may have recorded before the exchange under test. */
function recordings(version: ChannelVersionNumber): readonly Recorded[] {
  const third = makeIdentity(nativeSuite, world.service, "P-256");
  // The lower end's session with a third node, as seen by whoever delivers it to the pair under test.
  const elsewhere: World =
    third.id > world.low.id ? { ...world, high: third } : { ...world, low: third, high: world.low };
  return [
    ...record(pairOf(version), "low", "earlier session, low started"),
    ...record(pairOf(version), "high", "earlier session, high started"),
    ...record(pairOf(version, elsewhere), "low", "session with a third node"),
  ];
}

/** The frames of one exchange with keys in use (a renewal) or without, one at a time. */
export function steps(version: ChannelVersionNumber, isRenewal: boolean): readonly ((pair: Pair) => void)[] {
  const deliver = (pair: Pair): void => void pair.run(1);
  const count = version === 1 ? 3 : 4;
  return [
    (pair) => {
      if (isRenewal) pair.restart("low");
      pair.initiate("low");
    },
    ...Array.from({ length: count }, () => deliver),
  ];
}

export function fresh(version: ChannelVersionNumber, isRenewal: boolean): Pair {
  const pair = pairOf(version);
  if (isRenewal) {
    pair.initiate("low");
    pair.run(5);
  }
  return pair;
}

/** Runs the exchange with one foreign delivery before step `at`. @returns What went wrong. */
export function attack(
  version: ChannelVersionNumber,
  isRenewal: boolean,
  at: number,
  to: Side,
  pick: (pair: Pair) => Frame | undefined,
): string | undefined {
  const pair = fresh(version, isRenewal);
  for (const [index, step] of steps(version, isRenewal).entries()) {
    if (index === at) {
      const frame = pick(pair);
      if (frame === undefined) return undefined;
      if (frame.frameType === FRAME_CHANNEL) pair.handle(to, frame.payload);
      else if (pair.open(to, frame.frameType, frame.payload) !== undefined) return "a foreign record was accepted";
    }
    step(pair);
  }
  pair.run(20);
  // In version 1 an init that nobody answered before may hold records back, for half a second at most.
  if (version === 1) pair.run(500);
  if (!pair.talks()) {
    // An attempt waits for an answered handshake, which may be one that was replayed: one time-out and one pause later all is well.
    pair.run(2_500);
    return pair.talks() ? "late" : "the ends do not talk";
  }
  return undefined;
}

/**
 * Every recorded message of other sessions, at every point, to both ends.
 * @param stride - Only every so-many-th of these; prime to their numbers, so that each message, point and end takes part.
 * @returns What went wrong.
 */
export function otherSessions(version: ChannelVersionNumber, isRenewal: boolean, stride = 1): readonly string[] {
  const wrong: string[] = [];
  let nth = 0;
  for (const { name, frame } of recordings(version)) {
    for (const to of ["low", "high"] as const) {
      for (const at of steps(version, isRenewal).keys()) {
        if (nth++ % stride !== 0) continue;
        const what = attack(version, isRenewal, at, to, () => frame);
        // The one delivery that costs time, and no more: a replayed init just before the first attempt of the end that it is for.
        const mayBeLate = !isRenewal && at === 0 && to === "low" && (frame.kind === 0 || frame.kind === 16);
        if (what !== undefined && !(what === "late" && mayBeLate))
          wrong.push(`${name} to ${to} before step ${at}: ${what}`);
      }
    }
  }
  return wrong;
}
