/** channel-v2 §4, sentence by sentence: what is repeated after losses, restarts and collisions, and what a flood may cost. */
import type { CryptoSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { hex } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { forgeInit } from "./forge.js";
import { CONFIRM, establishedPair, FINAL, flip, INIT, losing, makeWorld, Pair, RESPONSE } from "./harness.js";

const world = makeWorld();

describe("§4 what was lost is repeated", () => {
  it.each([
    ["init", INIT],
    ["response", RESPONSE],
    ["final", FINAL],
    ["confirm", CONFIRM],
  ])("a lost %s is made good by a fresh attempt after the time-out and a first back-off", (_, lost) => {
    let losses = 1;
    const pair = new Pair({ world, network: losing(({ kind }) => kind === lost && losses-- > 0) });
    pair.initiate("low");
    pair.run(2_300);
    expect(pair.talks()).toBe(true);
    pair.run(2_000); // both may have tried again at once: what was answered in vain is given up by then
    expect([pair.low.state, pair.high.state]).toEqual(["ESTABLISHED", "ESTABLISHED"]);
    expect([pair.low.isInExchange, pair.high.isInExchange]).toEqual([false, false]);
  });

  it("the initiator starts afresh with exponential back-off and jitter from 100 ms to 5 s while nobody answers", () => {
    const pair = new Pair({ world, network: () => [] });
    const startedMs: number[] = [];
    pair.network = ({ kind }, nowMs) => {
      if (kind === INIT) startedMs.push(nowMs);
      return [];
    };
    pair.initiate("low");
    pair.run(120_000);
    const pauses = startedMs.slice(1).map((ms, index) => ms - (startedMs[index] ?? 0) - 2_000);
    expect(pauses.length).toBeGreaterThan(15);
    expect(pauses[0]).toBeLessThan(200);
    for (const [index, pauseMs] of pauses.entries()) {
      expect(pauseMs).toBeGreaterThanOrEqual(Math.min(100 * 2 ** index, 2_500));
      expect(pauseMs).toBeLessThanOrEqual(Math.min(200 * 2 ** index, 5_000));
    }
    expect(new Set(pauses.slice(6)).size).toBeGreaterThan(3);
  });

  it("a responder that sees no final starts afresh itself", () => {
    const pair = new Pair({ world, network: losing(({ from }) => from === "low") });
    pair.handle("high", forgeInit(world, "low"));
    pair.run(2_300);
    expect(pair.handshake(INIT, "high")).toHaveLength(1);
  });

  it("a responder with keys in use does not: anyone can replay an init", () => {
    const pair = establishedPair({ world });
    const init = forgeInit(world, "low");
    for (let i = 0; i < 10; i++) {
      pair.handle("high", init);
      pair.run(2_000);
    }
    expect(pair.handshake(INIT, "high")).toHaveLength(0);
    expect(pair.high.exchanges).toBe(1);
    expect(pair.talks()).toBe(true);
  });

  it("the back-off begins again once an exchange is proven", () => {
    const pair = new Pair({ world, network: () => [] });
    pair.initiate("low");
    pair.run(60_000);
    pair.network = () => [1];
    pair.run(20_000);
    expect(pair.low.state).toBe("ESTABLISHED");
    pair.restart("high");
    pair.network = () => [];
    pair.low.close();
    pair.initiate("low");
    const inits = pair.handshake(INIT).length;
    pair.run(2_200);
    expect(pair.handshake(INIT)).toHaveLength(inits + 1);
  });

  it("an end that restarted with nothing re-establishes at once when it sends", () => {
    for (const side of ["low", "high"] as const) {
      const pair = establishedPair({ world });
      pair.restart(side);
      pair.send(side, "hello");
      pair.run(10);
      expect(pair.talks()).toBe(true);
    }
  });

  it("an end that restarted re-establishes at once when the other sends; the other's old keys stay until then", () => {
    for (const [restarted, side] of [
      ["low", "high"],
      ["high", "low"],
    ] as const) {
      const pair = establishedPair({ world });
      pair.restart(restarted);
      pair.send(side, "lost");
      pair.run(2); // record there, init back
      expect(pair.channel(side).isOpen).toBe(true);
      expect(pair.channel(side).exchanges).toBe(1);
      pair.run(10);
      expect(pair.talks()).toBe(true);
      expect(pair.logs[side].established).toEqual([false, true]);
    }
  });

  it("an end that restarted is not kept waiting by the attempt the other has running", () => {
    const pair = new Pair({ world, network: () => [] });
    pair.initiate("high"); // lost
    pair.run(1_000);
    pair.network = () => [1];
    pair.initiate("low");
    pair.run(20);
    expect(pair.talks()).toBe(true);
  });
});

describe("§4 both initiate", () => {
  it.each([
    ["low", "high"],
    ["high", "low"],
  ] as const)("the node with the higher id stays initiator (%s first)", (one, two) => {
    const pair = new Pair({ world });
    pair.initiate(one);
    pair.initiate(two);
    pair.run(50);
    expect(pair.handshake(FINAL).length).toBe(1);
    expect(pair.handshake(FINAL, "high").length).toBe(1);
    expect(pair.handshake(CONFIRM, "low").length).toBe(1);
    expect(pair.talks()).toBe(true);
    pair.run(30_000);
    expect([pair.low.exchanges, pair.high.exchanges]).toEqual([1, 1]);
  });

  it("the one that answers goes on with its own attempt if the other's init was a replay", () => {
    const replay = forgeInit(world, "high");
    const pair = new Pair({ world, network: () => [1] });
    pair.initiate("low");
    expect(pair.handle("low", replay)).toEqual([]);
    expect(pair.low.state).toBe("WAITING_FOR_FINAL");
    pair.run(10);
    expect(pair.talks()).toBe(true);
    expect(pair.low.exchanges).toBe(1);
  });

  it("the one that goes first repeats its init once per attempt, however many inits come", () => {
    const pair = new Pair({ world, network: () => [] });
    pair.initiate("high");
    for (let i = 0; i < 5; i++) expect(pair.handle("high", forgeInit(world, "low"))).toEqual(["collision"]);
    const inits = pair.handshake(INIT, "high");
    expect(inits).toHaveLength(2);
    expect(inits[1]).toEqual(inits[0]);
  });

  it("replayed inits do not keep a node from starting for longer than one time-out", () => {
    const pair = new Pair({ world, network: () => [] });
    pair.handle("high", forgeInit(world, "low"));
    pair.initiate("high");
    for (let ms = 0; ms < 2_300; ms += 100) {
      pair.handle("high", forgeInit(world, "low"));
      pair.run(100);
    }
    // One attempt; its init was repeated, as the replays look like a collision.
    expect(new Set(pair.handshake(INIT, "high").map(hex)).size).toBe(1);
  });
});

describe("§4 rate limit before any signature is verified", () => {
  it("20 at once, then 10 per second", () => {
    let verifications = 0;
    const suite: CryptoSuite = {
      ...nativeSuite,
      verify: (...args) => {
        verifications += 1;
        return nativeSuite.verify(...args);
      },
    };
    const pair = new Pair({ world, suite, network: () => [] });
    const forged = flip(forgeInit(world, "low"), 8 * 90);
    for (let i = 0; i < 200; i++) pair.handle("high", forged);
    expect(verifications).toBeLessThanOrEqual(20 + 1); // one for the certificate, which is cached then
    expect(pair.logs.high.rejected.filter((code) => code === "bad-signature")).toHaveLength(20);
    const before = verifications;
    for (let ms = 0; ms < 1_000; ms += 10) {
      pair.nowMs += 10;
      pair.handle("high", forged);
    }
    expect(verifications - before).toBe(10);
  });

  it("a flood of forged and replayed messages leaves an established channel and its own rekey working", () => {
    const pair = establishedPair({ world, limits: { rekeyAtRecords: 20 } });
    const replay = forgeInit(world, "low");
    const flood = (ms: number): void => {
      for (let j = 0; j < 20; j++) pair.handle("high", j % 2 === 0 ? flip(replay, 8 * 90) : replay);
      pair.run(ms);
    };
    for (let i = 0; i < 40; i++) {
      expect(pair.send("high", `h${i}`)).toBe(true);
      expect(pair.send("low", `l${i}`)).toBe(true);
      flood(25);
    }
    for (let ms = 0; ms < 3_000; ms += 100) flood(100);
    expect(pair.logs.high.received).toHaveLength(40);
    expect(pair.logs.low.received).toHaveLength(40);
    expect(pair.high.exchanges).toBeGreaterThan(1);
    expect(pair.talks()).toBe(true);
  });
});
