/**
 * channel-v1-wire, sentence by sentence as far as a test can hold it, and what a hardened node does otherwise (§12.1, §14). The recorded
 * exchanges of existing nodes are replayed in `conformance/`.
 */
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, decodeHandshakeV1, equalBytes, FRAME_CHANNEL, hex, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Channel } from "../src/index.js";
import { forgeInitV1, freshShare, signDer } from "./forge-v1.js";
import {
  establishedPair,
  FINAL_V1,
  flip,
  HEADER_BYTES,
  header,
  INIT_V1,
  losing,
  makeWorld,
  Pair,
  type PairOptions,
  RESPONSE_V1,
  type Side,
} from "./harness.js";
import { WatchedSuite } from "./model/watched-suite.js";

const world = makeWorld();
const pairOf = (options: Partial<PairOptions> = {}): Pair => new Pair({ world, version: 1, ...options });
const established = (options: Partial<PairOptions> = {}): Pair => establishedPair({ world, version: 1, ...options });
const only = (pair: Pair, kind: number, from?: Side): Uint8Array => {
  const [message, ...more] = pair.handshake(kind, from);
  if (message === undefined || more.length > 0) throw new Error(`${1 + more.length} messages of kind ${kind}`);
  return message;
};
const shareOf = (message: Uint8Array): Uint8Array => message.slice(24, 24 + 98);

describe("§3 messages and §4 keys", () => {
  it("an exchange is init, response, final, with the fields at their places", () => {
    const pair = established();
    expect(pair.sent.map(({ kind, from }) => `${from} ${kind}`)).toEqual(["low 0", "high 1", "low 2"]);
    const [init, response, final] = [INIT_V1, RESPONSE_V1, FINAL_V1].map((kind) => only(pair, kind));
    if (init === undefined || response === undefined || final === undefined) throw new Error("three messages");
    expect(hex(init.subarray(0, 26))).toBe(`${"0000000000000000"}${"0100000000000000"}${"6200000000000000"}${"6104"}`);
    const { share, signature, certificate, salt } = decoded(init, "init");
    expect([share.length, salt.length]).toEqual([98, 32]);
    expect(new TextDecoder().decode(certificate)).toMatch(
      /^-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n$/,
    );
    expect(signature[0]).toBe(0x30);
    expect(init.length).toBe(178 + signature.length + certificate.length);
    expect(only(pair, FINAL_V1).length).toBe(16 + decoded(final, "final").signature.length);
  });

  it("either end may start, with P-384 and with P-256 node keys", () => {
    for (const options of [{}, { world: makeWorld(nativeSuite, "P-256") }]) {
      for (const side of ["low", "high"] as const) {
        const pair = pairOf(options);
        pair.initiate(side);
        pair.run(10);
        expect(pair.talks()).toBe(true);
        expect([pair.low.exchanges, pair.high.exchanges]).toEqual([1, 1]);
      }
    }
  });

  it("every attempt and every answer has a fresh share, and every attempt a fresh salt (§12.1, 2)", () => {
    const pair = pairOf({ network: () => [] });
    pair.initiate("low");
    pair.run(30_000);
    const inits = pair.handshake(INIT_V1);
    expect(inits.length).toBeGreaterThan(4);
    for (const init of inits) pair.handle("high", init);
    const responses = pair.handshake(RESPONSE_V1);
    expect(responses.length).toBe(inits.length);
    expect(new Set([...inits, ...responses].map((message) => hex(shareOf(message)))).size).toBe(2 * inits.length);
    expect(new Set(inits.map((init) => hex(init.subarray(-32)))).size).toBe(inits.length);
  });
});

describe("§8 records", () => {
  it("tag, then 8 bytes of IV that are counter << 8, then ciphertext", () => {
    const pair = established();
    pair.network = () => [];
    pair.sendEncrypted("low", "a", "plaintext");
    pair.sendEncrypted("low", "b", "plaintext");
    const [one, two] = pair.sent
      .slice(-2)
      .map(({ payload }) => hex(payload.subarray(HEADER_BYTES + 16, HEADER_BYTES + 24)));
    expect([one, two]).toEqual(["0001000000000000", "0002000000000000"]);
    expect(pair.sent.at(-1)?.payload.length).toBe(HEADER_BYTES + 24 + "plaintext".length);
  });

  it("gaps are accepted, anything at or below the last counter is not, and ledger entries pass as they are", () => {
    const pair = established();
    pair.network = () => [];
    for (const name of ["a", "b", "c"]) pair.send("low", name, utf8("entries"));
    const [a, , c] = pair.sent.slice(-3).map(({ payload }) => payload);
    if (a === undefined || c === undefined) throw new Error("three were sent");
    expect(pair.open("high", 1, c)?.rest).toEqual(utf8("entries"));
    expect([pair.open("high", 1, c), pair.open("high", 1, a)]).toEqual([undefined, undefined]);
    expect(pair.logs.high.rejected).toEqual(["replayed-counter", "replayed-counter"]);
  });

  it("the first byte of the IV is 0, even where the tag fits another", () => {
    const pair = established();
    pair.network = () => [];
    pair.send("low", "a");
    const payload = pair.sent.at(-1)?.payload ?? new Uint8Array(0);
    expect(pair.open("high", 1, flip(payload, 8 * (HEADER_BYTES + 16)))).toBeUndefined();
    expect(pair.logs.high.rejected).toEqual(["counter-too-high"]);
  });

  it("nothing to protect is an error that uses up a counter", () => {
    const pair = established();
    const empty = new Uint8Array(0);
    expect(() => pair.low.sealEncrypted(empty, empty, pair.nowMs)).toThrow(RangeError);
    expect(() => pair.low.seal(empty, pair.nowMs)).toThrow(RangeError);
    expect(pair.low.sent).toBe(2);
    const some = new Uint8Array(3);
    for (const [header, plaintext] of [
      [some, some],
      [some, empty],
      [empty, some],
    ] as const) {
      expect(pair.low.sealEncrypted(header, plaintext, pair.nowMs)).toHaveLength(24 + plaintext.length);
    }
  });
});

describe("§4.1, hardened: keys in use stay until the final", () => {
  it("a responder with keys sends nothing between response and final, and then all of it under the new key", () => {
    const pair = established();
    const old = pair.low.exchanges;
    pair.network = ({ kind }) => (kind === FINAL_V1 ? [100] : [1]);
    pair.restart("high");
    pair.initiate("high");
    pair.run(10);
    expect([pair.low.state, pair.low.isOpen, pair.high.state]).toEqual(["WAITING_FOR_FINAL", true, "ESTABLISHED"]);
    expect(pair.send("low", "held")).toBe(false);
    expect(pair.sendEncrypted("low", "held too", "x")).toBe("queued");
    pair.run(100);
    expect(pair.low.exchanges).toBe(old + 1);
    expect(pair.logs.high.received.map(({ header }) => header)).toEqual(["held", "held too"]);
    expect(pair.talks()).toBe(true);
  });

  it("a replayed init of another peer's life holds records for half a second at most, and not again within a minute", () => {
    const recorded = Array.from({ length: 4 }, () => forgeInitV1(world, "low"));
    const pair = established();
    const sendAndSee = () => [pair.send("high", "x"), pair.run(1).logs.low.received.length];
    expect(pair.handle("high", recorded[0] ?? new Uint8Array(0))).toEqual([]);
    expect(sendAndSee()).toEqual([false, 0]);
    pair.run(498);
    expect(pair.logs.low.received.length).toBe(0);
    pair.run(3);
    expect(pair.logs.low.received.map(({ header }) => header)).toEqual(["x"]);
    for (const replay of recorded.slice(1)) {
      pair.handle("high", replay);
      const before = pair.logs.low.received.length;
      expect(sendAndSee()).toEqual([true, before + 1]);
    }
  });

  it("after the final each end holds two keys: the old ones are wiped at once, as no record says which key it is under", () => {
    const watched = { low: new WatchedSuite(new Set()), high: new WatchedSuite(new Set()) };
    const pair = established({
      suites: { low: watched.low.suite, high: watched.high.suite },
      limits: { recordsMax: 8 },
    });
    for (let count = 0; count < 4; count++) {
      pair.send("low", "x");
      pair.run(10);
    }
    expect(pair.low.exchanges).toBe(2);
    expect([watched.low.made.size, watched.low.held.size, watched.high.held.size]).toEqual([4, 2, 2]);
    expect(watched.low.held).toEqual(watched.high.held);
  });

  it("what was held is not overtaken by what is sealed when the hold ends", () => {
    const pair = established();
    pair.handle("high", forgeInitV1(world, "low"));
    pair.send("high", "first");
    pair.nowMs += 600;
    expect(pair.sendEncrypted("high", "second", "x")).toBe("queued");
    pair.run(10);
    expect(pair.logs.low.received.map(({ header }) => header)).toEqual(["first", "second"]);
    expect(pair.logs.low.rejected).toEqual(["no-attempt"]); // the answer to the replay
  });

  it("an answered init is refused when it comes again, with any salt, before and after the exchange", () => {
    const pair = pairOf();
    pair.network = losing(({ kind }) => kind === FINAL_V1);
    pair.initiate("low");
    pair.run(5);
    const init = only(pair, INIT_V1);
    const otherSalt = concatBytes(init.subarray(0, -32), nativeSuite.randomBytes(32));
    expect(pair.handle("high", init)).toEqual(["replayed-init"]);
    expect(pair.handle("high", otherSalt)).toEqual(["replayed-init"]);
    expect(pair.handle("high", only(pair, FINAL_V1))).toEqual([]);
    expect(pair.high.state).toBe("ESTABLISHED");
    expect([...pair.handle("high", init), ...pair.handle("high", otherSalt)]).toEqual([
      "replayed-init",
      "replayed-init",
    ]);
    expect(pair.talks()).toBe(true);
  });

  it("an initiator reads with the new key right behind the response, as existing responders write it", () => {
    // A responder that does as §4.1 says: its first record is under way before the final reaches it.
    const pair = pairOf();
    pair.network = ({ kind }) => (kind === FINAL_V1 ? [] : [1]);
    pair.initiate("low");
    pair.run(5);
    const final = only(pair, FINAL_V1);
    pair.network = () => [];
    pair.handle("high", final);
    pair.send("high", "early");
    expect(pair.open("low", 1, pair.sent.at(-1)?.payload ?? new Uint8Array(0))).toBeDefined();
  });
});

describe("§5 states, collisions and retries", () => {
  it("the higher id stays initiator, ignores the other's init, and sends nothing for it", () => {
    const pair = pairOf();
    pair.initiate("low");
    pair.initiate("high");
    pair.run(100);
    expect(pair.handshake(INIT_V1, "high").length).toBe(1);
    expect(pair.handshake(RESPONSE_V1, "high")).toEqual([]);
    expect(pair.logs.high.rejected).toEqual(["collision"]);
    expect([pair.low.exchanges, pair.high.exchanges, pair.talks()]).toEqual([1, 1, true]);
  });

  it("a lost final: the responder starts afresh when its time is over, without keys and with keys (§12, 3 and 19)", () => {
    for (const renewal of [false, true]) {
      const pair = renewal ? established() : pairOf();
      if (renewal) pair.restart("low");
      let finals = 0;
      pair.network = ({ kind }) => (kind === FINAL_V1 && finals++ === 0 ? [] : [1]);
      pair.initiate("low");
      pair.run(2_001);
      expect(pair.logs.high.rejected).toContain("final-timeout");
      pair.run(1_000);
      expect(pair.talks()).toBe(true);
    }
  });

  it("a salt changed on its way: the first records fail, and both ends have equal keys again within the time-out", () => {
    const pair = pairOf({ network: () => [] });
    pair.initiate("low");
    const init = only(pair, INIT_V1);
    pair.network = () => [1];
    pair.handle("high", flip(init, 8 * init.length - 1));
    pair.run(10);
    expect([pair.low.state, pair.high.state]).toEqual(["ESTABLISHED", "ESTABLISHED"]);
    pair.send("low", "lost");
    pair.run(1);
    expect(pair.logs.high.rejected).toEqual(["bad-tag"]);
    pair.run(2_500);
    expect(pair.logs.high.rejected).toEqual(["bad-tag", "record-timeout"]);
    expect(pair.talks()).toBe(true);
  });

  it("a forged record under proven keys starts nothing", () => {
    const pair = established();
    expect(pair.talks()).toBe(true);
    pair.open("high", 1, concatBytes(header("x"), new Uint8Array(17), Uint8Array.of(9), new Uint8Array(6)));
    expect(pair.logs.high.rejected).toEqual(["bad-tag"]);
    pair.run(60_000);
    expect(pair.low.exchanges + pair.high.exchanges).toBe(2);
  });

  it("data without keys is refused and starts an exchange", () => {
    const pair = established();
    pair.restart("high");
    pair.send("low", "x");
    pair.run(20);
    expect(pair.logs.high.rejected).toEqual(["no-keys"]);
    expect(pair.talks()).toBe(true);
  });
});

describe("§6 message limit", () => {
  it("both directions count together; both ends start at half of it, and nothing sent under the old key is lost", () => {
    const pair = established({ limits: { recordsMax: 16 } });
    for (let count = 1; count < 7; count++) {
      pair.send("low", `${count}`);
      pair.run(1);
    }
    expect([pair.low.exchanges, pair.low.recordsLeft]).toEqual([1, 1]);
    pair.send("low", "7");
    pair.run(1);
    expect(pair.handshake(INIT_V1).length).toBeGreaterThan(1);
    pair.run(5);
    expect([pair.low.exchanges, pair.high.exchanges, pair.talks()]).toEqual([2, 2, true]);
    expect(pair.logs.high.received.length).toBe(8);
  });

  it("at the limit the send key goes, what is sent then waits for new ones, and what is under way is still read", () => {
    const pair = established({ limits: { recordsMax: 8 }, network: () => [1] });
    pair.network = () => [];
    pair.send("high", "x");
    const underWay = pair.sent.at(-1)?.payload ?? new Uint8Array(0);
    pair.network = ({ frameType }) => (frameType === FRAME_CHANNEL ? [] : [1]);
    for (let count = 0; count < 6; count++) expect(pair.send("low", "x")).toBe(true);
    expect(pair.low.isOpen).toBe(true);
    expect(pair.send("low", "x")).toBe(true);
    expect([pair.low.isOpen, pair.low.state, pair.send("low", "waits")]).toEqual([false, "INITIATED", false]);
    expect(pair.open("low", 1, underWay)).toBeDefined();
    pair.network = () => [1];
    pair.run(2_500);
    expect(pair.logs.high.received.at(-1)?.header).toBe("waits");
  });
});

describe("§12.1 identities", () => {
  it("a channel to oneself cannot be made", () => {
    const trust = { serviceCertificate: world.service.certificate, trusted: () => true };
    const options = { suite: nativeSuite, version: 1, self: world.low, peer: world.low.id, trust } as const;
    expect(() => new Channel(options)).toThrow(RangeError);
  });

  it("our own init, response and final come to nothing when they are reflected", () => {
    const pair = pairOf({ network: () => [] });
    pair.initiate("low");
    const init = only(pair, INIT_V1);
    expect(pair.handle("low", init)).toEqual(["own-id"]);
    expect(pair.handle("high", init)).toEqual([]);
    expect(pair.handle("high", only(pair, RESPONSE_V1))).toEqual(["no-attempt"]);
    // The signature of an init holds for a final over the same share; only the share's owner can have made either.
    const { signature } = decoded(init, "init");
    const final = concatBytes(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, signature.length, 0, 0, 0, 0, 0, 0, 0), signature);
    expect(pair.handle("high", final)).toEqual(["bad-signature"]);
    expect([pair.low.isOpen, pair.high.isOpen]).toEqual([false, false]);
  });

  it("a signature that ends in an exchange has to be over that exchange's shares", () => {
    const pair = pairOf({ network: () => [] });
    pair.handle("high", forgeInitV1(world, "low"));
    const share = shareOf(only(pair, RESPONSE_V1));
    const der = signDer(world.low.keyPair, freshShare());
    const final = concatBytes(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, der.length, 0, 0, 0, 0, 0, 0, 0), der);
    expect(pair.handle("high", final)).toEqual(["bad-signature"]);
    const right = signDer(world.low.keyPair, share);
    const ours = concatBytes(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, right.length, 0, 0, 0, 0, 0, 0, 0), right);
    expect(pair.handle("high", ours)).toEqual([]);
    expect(equalBytes(final, ours)).toBe(false);
  });
});

function decoded<K extends "init" | "final">(payload: Uint8Array, kind: K) {
  const message = decodeHandshakeV1(payload);
  if (message.kind !== kind) throw new Error(`a ${message.kind}, not a ${kind}`);
  return message as Extract<typeof message, { kind: K }>; // just compared
}
