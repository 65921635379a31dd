/**
 * channel-v2 §7, what a symbolic model does not see: laws that hold for any script of sends, restarts, replays and forgeries on a network
 * that loses, repeats, delays and reorders, and liveness once the faults stop.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { hex } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flip, makeWorld, type Network, other, Pair, type Side } from "./harness.js";

const world = makeWorld(nativeSuite, "P-256");
const side = fc.constantFrom<Side>("low", "high");

type Action =
  | { readonly type: "send" | "encrypt" | "initiate" | "restart" | "close"; readonly side: Side }
  | { readonly type: "wait"; readonly ms: number }
  /** A frame seen before comes again, unchanged or with a bit flipped, to its receiver or reflected. */
  | { readonly type: "replay"; readonly pick: number; readonly bit: number | undefined; readonly reflected: boolean };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constantFrom("send" as const, "encrypt" as const), side }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("initiate" as const), side }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("restart" as const, "close" as const), side }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.nat({ max: 3_000 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("replay" as const),
      pick: fc.nat(),
      bit: fc.option(fc.nat({ max: 400 }), { nil: undefined }),
      reflected: fc.boolean(),
    }),
  },
);

/** xorshift32: enough to spread faults evenly, and a failing script repeats from its seed. */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const faulty =
  (random: () => number): Network =>
  () => {
    if (random() < 0.25) return [];
    const delayMs = () => Math.floor(random() < 0.1 ? random() * 3_000 : random() * 20);
    return random() < 0.15 ? [delayMs(), delayMs()] : [delayMs()];
  };

/** The native suite, which throws as soon as any key meets a nonce a second time. */
function suiteThatWatchesNonces(): CryptoSuite & { readonly seals: () => number } {
  const used = new Set<string>();
  return {
    ...nativeSuite,
    seals: () => used.size,
    aead: (key) => {
      const name = hex(key);
      const aead = nativeSuite.aead(key);
      const watched = {
        open: aead.open.bind(aead),
        seal: (nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) => {
          const use = `${name} ${hex(nonce)}`;
          if (used.has(use)) throw new Error("a (key, nonce) pair was used twice");
          used.add(use);
          return aead.seal(nonce, aad, plaintext);
        },
      };
      return watched;
    },
    wipe: (secret) => {
      if (!(secret instanceof Uint8Array) && !("type" in secret)) return; // a watched AEAD key
      nativeSuite.wipe(secret);
    },
  };
}

function play(pair: Pair, actions: readonly Action[]): void {
  for (const [index, step] of actions.entries()) {
    switch (step.type) {
      case "send":
        pair.send(step.side, `s${index}`);
        break;
      case "encrypt":
        pair.sendEncrypted(step.side, `e${index}`, `plaintext ${index}`);
        break;
      case "initiate":
        pair.initiate(step.side);
        break;
      case "restart":
        pair.restart(step.side);
        break;
      case "close":
        pair.channel(step.side).close();
        break;
      case "wait":
        pair.run(step.ms);
        break;
      case "replay": {
        const frame = pair.sent[step.pick % Math.max(1, pair.sent.length)];
        if (frame === undefined) break;
        const bit = step.bit === undefined ? undefined : step.bit % (8 * frame.payload.length);
        pair.inject({
          ...frame,
          from: step.reflected ? other(frame.from) : frame.from,
          payload: bit === undefined ? frame.payload : flip(frame.payload, bit),
        });
      }
    }
  }
}

describe("under any script of faults", () => {
  it("no (key, nonce) pair is used twice, no record is accepted twice or changed, and the ends talk once faults stop", {
    timeout: 60_000,
  }, () => {
    let seals = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 10, maxLength: 60 }), fc.integer(), (actions, seed) => {
        const suite = suiteThatWatchesNonces();
        const limits = { rekeyAtRecords: 6, recordsMax: 12, failedOpensMax: 6 };
        const pair = new Pair({
          world,
          suite,
          limits,
          network: faulty(randomFrom(seed)),
          trust: { curves: ["P-256"] },
        });
        play(pair, actions);
        for (const to of ["low", "high"] as const) {
          const names = pair.logs[to].received.map(({ header }) => header);
          expect(new Set(names).size).toBe(names.length);
          for (const { frameType, header, plaintext } of pair.logs[to].received) {
            const sentBy = actions[Number(header.slice(1))];
            expect(sentBy).toEqual({ type: frameType === 1 ? "send" : "encrypt", side: other(to) });
            expect(plaintext).toBe(frameType === 1 ? "" : `plaintext ${header.slice(1)}`);
          }
        }
        // Faults stop. What is in flight arrives within 3 s; the longest pause is 5 s, and one time-out may precede it.
        pair.network = () => [1];
        for (let ms = 0; ms < 12_000; ms += 500) {
          pair.send("low", "x");
          pair.send("high", "x");
          pair.run(500);
        }
        pair.run(1_000);
        expect(pair.talks()).toBe(true);
        expect([pair.low.isOpen, pair.high.isOpen]).toEqual([true, true]); // a rekey may be under way
        seals += suite.seals();
      }),
      { numRuns: 25, endOnFailure: true },
    );
    expect(seals).toBeGreaterThan(500);
  });

  it("an end that only listens is reached too: one that restarted answers to the other's records", {
    timeout: 60_000,
  }, () => {
    fc.assert(
      fc.property(
        side,
        fc.array(fc.record({ loss: fc.boolean(), ms: fc.nat({ max: 900 }) }), { maxLength: 8 }),
        (speaker, faults) => {
          const pair = new Pair({ world, trust: { curves: ["P-256"] } });
          for (const { loss, ms } of faults) {
            pair.network = () => (loss ? [] : [1]);
            pair.send(speaker, "x");
            pair.run(ms);
            pair.restart(other(speaker));
          }
          pair.network = () => [1];
          for (let ms = 0; ms < 9_000; ms += 500) {
            pair.send(speaker, "x");
            pair.run(500);
          }
          const before = pair.logs[other(speaker)].received.length;
          pair.send(speaker, "y");
          pair.run(10);
          expect(pair.logs[other(speaker)].received.length).toBe(before + 1);
        },
      ),
      { numRuns: 20, endOnFailure: true },
    );
  });
});
