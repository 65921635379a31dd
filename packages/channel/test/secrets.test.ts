/**
 * No key and no plaintext in anything a person may get to read: outputs, states and errors of channels, and the text they turn into. Searched
 * for are the keys that were really used, in hex and in base64. (What tests print is searched after every run, in all packages.)
 */
import { inspect } from "node:util";
import { nativeSuite } from "@sealane/crypto/native";
import { base64, fromHex, hex } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import type { ChannelVersionNumber } from "../src/index.js";
import { forgeInitV1 } from "./forge-v1.js";
import { flip, makeWorld, Pair } from "./harness.js";
import { WatchedSuite } from "./model/watched-suite.js";

const PLAINTEXT = "a plaintext nobody may read";
const world = makeWorld(nativeSuite);

/** Everything secret that passed through a suite, as text. */
function secretsOf(made: ReadonlySet<string>): readonly string[] {
  const keys = [...made].flatMap((key) => [key, base64(fromHex(key))]);
  const nodeKeys = [world.low, world.high].map(({ keyPair }) => nativeSuite.exportPrivateKey(keyPair.privateKey));
  // PKCS#8 of P-384: the scalar's 48 bytes start at 35.
  const scalars = nodeKeys.flatMap((der) => [hex(der.subarray(35, 83)), base64(der.subarray(35, 83))]);
  return [...keys, ...scalars, PLAINTEXT, hex(new TextEncoder().encode(PLAINTEXT))];
}

/** A life of two channels, with all that can go wrong, told in every way a program could tell it. */
function tell(version: ChannelVersionNumber): { readonly text: string; readonly secrets: readonly string[] } {
  const watched = { low: new WatchedSuite(new Set()), high: new WatchedSuite(new Set()) };
  const suites = { low: watched.low.suite, high: watched.high.suite };
  const pair = new Pair({ world, version, suites, limits: { rekeyAtRecords: 5, recordsMax: 10 } });
  const told: unknown[] = [];
  const tellAll = (): void => {
    for (const side of ["low", "high"] as const) {
      const channel = pair.channel(side);
      told.push(channel, channel.describe(pair.nowMs), pair.logs[side].rejected, pair.logs[side].steps);
    }
  };
  for (let round = 0; round < 12; round++) {
    pair.sendEncrypted("low", "header", PLAINTEXT);
    pair.send("high", "header");
    tellAll();
    pair.run(10);
    const last = pair.sent.at(-1);
    if (last !== undefined && last.frameType !== 0) pair.open("high", last.frameType, flip(last.payload, 200));
    pair.handle("high", version === 1 ? forgeInitV1(world, "high") : Uint8Array.of(16));
    tellAll();
  }
  try {
    pair.low.open(1, -1, new Uint8Array(0), pair.nowMs);
  } catch (error) {
    told.push(error);
  }
  const text = told
    .flatMap((thing) => [
      inspect(thing, { depth: 10, showHidden: true, maxArrayLength: null }),
      JSON.stringify(thing),
      String(thing),
    ])
    .join("\n");
  return { text, secrets: secretsOf(new Set([...watched.low.made, ...watched.high.made])) };
}

describe.each([1, 2] as const)("version %i", (version) => {
  it("no key and no plaintext shows in a channel, its states, its notices and its errors", () => {
    const { text, secrets } = tell(version);
    expect(secrets.length).toBeGreaterThan(10);
    expect(text.length).toBeGreaterThan(1_000);
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });
});
