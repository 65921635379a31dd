/** channel-v2 §4, sentence by sentence: when keys are made, switch, and are wiped. */
import type { CryptoSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { hex } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { forgeInit } from "./forge.js";
import { CONFIRM, establishedPair, FINAL, type Frame, INIT, losing, makeWorld, Pair, RESPONSE } from "./harness.js";

const world = makeWorld();
const P384_SHARE = { init: 16 + 64 + 32, response: 24 + 32 } as const;

const keyIdOf = (frame: Frame | undefined): string => hex(frame?.payload.subarray(8, 12) ?? new Uint8Array(0));
/** The key id under which an end seals now. The frame itself goes nowhere. */
function sendKeyId(pair: Pair, side: "low" | "high"): string {
  const network = pair.network;
  pair.network = () => [];
  pair.send(side, "probe");
  pair.network = network;
  return keyIdOf(pair.sent.at(-1));
}
/** A rekey the lower end starts, as far as the message of this kind, which is not delivered. */
function rekeyUpTo(kind: number): Pair {
  const pair = establishedPair({ world, limits: { rekeyAtRecords: 2 } });
  pair.network = losing((frame) => frame.kind === kind);
  pair.send("low", "a");
  pair.send("low", "b");
  pair.run(50);
  return pair;
}

describe("§4 new keys for every attempt", () => {
  it("a new ephemeral key and a new nonce for every attempt, on both sides", () => {
    const pair = new Pair({ world, network: losing(({ kind }) => kind === FINAL) });
    pair.initiate("low");
    pair.run(60_000);
    for (const [kind, at] of [
      [INIT, P384_SHARE.init],
      [RESPONSE, P384_SHARE.response],
    ] as const) {
      // When both begin, the one that goes first sends its init once more: the same attempt, and the same bytes.
      const messages = [...new Map(pair.handshake(kind).map((message) => [hex(message), message])).values()];
      expect(messages.length).toBeGreaterThan(8);
      expect(new Set(messages.map((message) => hex(message.subarray(at, at + 97)))).size).toBe(messages.length);
      expect(new Set(messages.map((message) => hex(message.subarray(at - 32, at)))).size).toBe(messages.length);
    }
  });

  it("the same init, given twice after its time-out, is answered with other keys", () => {
    const pair = new Pair({ world, network: () => [] });
    const init = forgeInit(world, "low");
    pair.handle("high", init);
    pair.run(2_000);
    pair.handle("high", init);
    const shares = pair.handshake(RESPONSE).map((message) => hex(message.subarray(24, 24 + 32 + 97)));
    expect(new Set(shares).size).toBe(2);
  });

  it("Z, PRK and ephemeral keys are wiped as soon as the keys are derived, and all keys when the channel closes", () => {
    const alive = new Set<unknown>();
    const watched: CryptoSuite = {
      ...nativeSuite,
      generateKeyPair: (curve) => track(nativeSuite.generateKeyPair(curve), ({ privateKey }) => privateKey),
      agree: (own, peer) => track(nativeSuite.agree(own, peer), (secret) => secret),
      hkdfExtract: (...args) => track(nativeSuite.hkdfExtract(...args), (secret) => secret),
      aead: (key) => track(nativeSuite.aead(key), (aead) => aead),
      wipe: (secret) => {
        alive.delete(secret);
        nativeSuite.wipe(secret);
      },
    };
    function track<T>(value: T, secretOf: (value: T) => unknown): T {
      alive.add(secretOf(value));
      return value;
    }
    const pair = new Pair({ world, suite: watched, network: losing(({ kind }) => kind === CONFIRM) });
    pair.initiate("low");
    pair.run(50);
    expect(alive.size).toBe(4); // two directions at two ends, nothing else
    pair.run(20_000); // many attempts, all given up
    pair.low.close();
    pair.high.close();
    expect(alive.size).toBe(0);
    expect([pair.low.state, pair.high.state]).toEqual(["INACTIVE", "INACTIVE"]);
  });
});

describe("§4 table of key switches", () => {
  it("responder, valid init: receive and send key unchanged, the pending handshake apart", () => {
    const pair = rekeyUpTo(RESPONSE);
    const [before] = pair.sent.filter(({ from, kind }) => from === "low" && kind === undefined);
    expect(pair.high.state).toBe("WAITING_FOR_FINAL");
    expect(pair.high.isOpen).toBe(true);
    expect(pair.high.exchanges).toBe(1);
    expect(sendKeyId(pair, "low")).toBe(keyIdOf(before));
    expect(pair.talks()).toBe(true);
  });

  it("initiator, valid response: new receive key beside the old, new send key once final is out", () => {
    const pair = rekeyUpTo(FINAL);
    const order = pair.sent.filter(({ from }) => from === "low").map(({ kind }) => kind);
    const oldKey = keyIdOf(pair.sent.find(({ from, kind }) => from === "low" && kind === undefined));
    expect(order.slice(-1)).toEqual([FINAL]);
    expect(sendKeyId(pair, "low")).not.toBe(oldKey);
    // The responder still seals under the old key, and is understood.
    pair.send("high", "old key");
    pair.run(5);
    expect(pair.logs.low.received.at(-1)?.header).toBe("old key");
  });

  it("responder, valid final: new receive key beside the old, new send key, and it sends confirm", () => {
    const pair = establishedPair({ world, limits: { rekeyAtRecords: 2 } });
    pair.network = () => [];
    pair.send("low", "1");
    const held = pair.sent.at(-1);
    pair.network = losing(() => false);
    pair.send("low", "2"); // starts the rekey
    const oldKey = keyIdOf(held);
    pair.network = losing(({ kind }) => kind === CONFIRM || kind === undefined);
    pair.run(10);
    expect(pair.handshake(CONFIRM)).toHaveLength(2);
    expect(sendKeyId(pair, "low")).not.toBe(oldKey);
    expect(pair.high.exchanges).toBe(2);
  });

  it("responder: a record under the old key that arrives after final is still opened, until one came under the new", () => {
    const pair = establishedPair({ world, limits: { rekeyAtRecords: 3 } });
    pair.network = () => [];
    for (const name of ["late 1", "late 2"]) pair.send("low", name);
    const [late1, late2] = pair.sent.slice(-2);
    pair.network = losing(({ kind }) => kind === undefined || kind === CONFIRM);
    pair.send("low", "rekey");
    pair.run(10);
    expect(pair.high.exchanges).toBe(2);
    expect(pair.open("high", 1, late1?.payload ?? new Uint8Array(0))?.header).toBe("late 1");
    pair.network = losing(() => false);
    pair.send("low", "new key");
    pair.run(2);
    expect(pair.logs.high.received.at(-1)?.header).toBe("new key");
    expect(pair.open("high", 1, late2?.payload ?? new Uint8Array(0))).toBeUndefined();
    expect(pair.logs.high.rejected.at(-1)).toBe("unknown-key");
  });

  it.each(["confirm", "data"])("initiator: the first record under the new key, here %s, drops the old one", (what) => {
    const pair = establishedPair({ world, limits: { rekeyAtRecords: 3 } });
    pair.network = () => [];
    pair.send("high", "late");
    const late = pair.sent.at(-1)?.payload ?? new Uint8Array(0);
    pair.network = losing(({ kind }) => kind === CONFIRM && what === "data");
    for (const name of ["1", "2", "3"]) pair.send("low", name);
    pair.run(10);
    if (what === "data") {
      pair.send("high", "data");
      pair.run(5);
    }
    expect(pair.low.isInExchange).toBe(false);
    expect(pair.open("low", 1, late)).toBeUndefined();
    expect(pair.logs.low.rejected).toEqual(["unknown-key"]);
  });

  it("the old receive key is dropped in any case 5 s after the switch", () => {
    for (const [afterMs, opens] of [
      [4_900, true],
      [5_000, false],
    ] as const) {
      const pair = establishedPair({ world, limits: { rekeyAtRecords: 3, handshakeTimeoutMs: 60_000 } });
      pair.network = losing(({ kind }) => kind === CONFIRM || kind === undefined);
      pair.send("high", "late");
      const late = pair.sent.at(-1)?.payload ?? new Uint8Array(0);
      for (const name of ["1", "2", "3"]) pair.send("low", name);
      pair.run(2); // the initiator switches here
      expect(pair.low.exchanges).toBe(2);
      pair.run(afterMs);
      expect(pair.open("low", 1, late) !== undefined, `${afterMs}`).toBe(opens);
    }
  });

  it("the initiator may send data right after final, and its queue goes first", () => {
    const pair = new Pair({ world });
    expect(pair.sendEncrypted("low", "queued", "x")).toBe("queued");
    pair.run(2); // the response has come
    expect(pair.send("low", "right")).toBe(true);
    expect(pair.sent.map(({ kind }) => kind)).toEqual([INIT, RESPONSE, FINAL, undefined, undefined]);
    pair.run(10);
    expect(pair.logs.high.received.map(({ header }) => header)).toEqual(["queued", "right"]);
  });

  it("the responder sends no data before final: it waits in the queue", () => {
    const pair = new Pair({ world });
    pair.initiate("low");
    pair.run(1);
    expect(pair.high.state).toBe("WAITING_FOR_FINAL");
    expect(pair.send("high", "early")).toBe(false);
    pair.run(10);
    expect(pair.sent.map(({ kind }) => kind)).toEqual([INIT, RESPONSE, FINAL, CONFIRM, undefined]);
    expect(pair.logs.low.received.map(({ header }) => header)).toEqual(["early"]);
  });
});

describe("§4 pending handshakes and stale finals", () => {
  it("a responder keeps at most 4 pending handshakes; a final names its own", () => {
    const inits = Array.from({ length: 5 }, () => new Pair({ world, network: () => [] }));
    const responder = new Pair({ world, network: () => [] });
    const finals: Uint8Array[] = [];
    for (const initiator of inits) {
      initiator.initiate("low");
      responder.handle("high", initiator.handshake(INIT)[0] ?? new Uint8Array(0));
    }
    for (const [index, initiator] of inits.entries()) {
      initiator.handle("low", responder.handshake(RESPONSE)[index] ?? new Uint8Array(0));
      finals.push(initiator.handshake(FINAL)[0] ?? new Uint8Array(0));
    }
    const [first = new Uint8Array(0), , third = new Uint8Array(0), fourth = new Uint8Array(0)] = finals;
    expect(responder.handle("high", first)).toEqual(["unknown-handshake"]); // gave way to the fifth
    expect(responder.handle("high", third)).toEqual([]);
    // One exchange is complete, so no other may still complete; and a final counts once.
    expect(responder.handle("high", fourth)).toEqual(["unknown-handshake"]);
    expect(responder.handle("high", third)).toEqual(["unknown-handshake"]);
    expect(responder.high.exchanges).toBe(1);
  });

  it("each is kept for the time-out: a final that comes later is refused", () => {
    for (const [delayMs, exchanges] of [
      [1_990, 1],
      [2_001, 0],
    ] as const) {
      const pair = new Pair({ world, network: ({ kind }) => (kind === FINAL ? [delayMs] : [1]) });
      pair.initiate("low");
      pair.run(delayMs + 5);
      expect(pair.high.exchanges, `${delayMs}`).toBe(exchanges);
    }
  });
});
