/** channel-v2 §5, §6 and §8, sentence by sentence: records, limits, state for people. */
import { nativeSuite } from "@sealane/crypto/native";
import { FRAME_CONSENSUS, FRAME_FORWARDED } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Channel, type ChannelLimits, RECORDS_MAX } from "../src/index.js";
import {
  CONFIRM,
  establishedPair,
  FINAL,
  flip,
  HEADER_BYTES,
  header,
  INIT,
  makeWorld,
  Pair,
  RESPONSE,
} from "./harness.js";

const world = makeWorld();
const NO_FRAME = new Uint8Array(0);

/** An established pair and one record of the lower end that was not delivered. */
function withRecord(frameType: 1 | 2, limits: Partial<ChannelLimits> = {}): { pair: Pair; payload: Uint8Array } {
  const pair = establishedPair({ world, limits });
  pair.network = () => [];
  if (frameType === FRAME_CONSENSUS) pair.send("low", "head", Uint8Array.of(5, 6, 7));
  else pair.sendEncrypted("low", "head", "text");
  return { pair, payload: pair.sent.at(-1)?.payload ?? NO_FRAME };
}
const counterOf = (payload: Uint8Array): number => new DataView(payload.buffer).getUint32(HEADER_BYTES + 4, true);

describe("§5 records", () => {
  it("header in clear ‖ keyId (4) ‖ counter (u64) ‖ tag (16) ‖ ciphertext as long as the plaintext", () => {
    const { payload } = withRecord(FRAME_FORWARDED);
    expect(payload.length).toBe(HEADER_BYTES + 4 + 8 + 16 + "text".length);
    expect(payload.subarray(0, HEADER_BYTES)).toEqual(header("head"));
    expect(counterOf(payload)).toBe(1);
  });

  it.each([FRAME_CONSENSUS, FRAME_FORWARDED] as const)(
    "type %s: every bit flip of header, trailer and ciphertext is refused",
    (frameType) => {
      const { pair, payload } = withRecord(frameType);
      const protectedBytes = frameType === FRAME_CONSENSUS ? payload.length - 3 : payload.length;
      for (let bit = 0; bit < 8 * protectedBytes; bit++) {
        expect(pair.open("high", frameType, flip(payload, bit)), `${bit}`).toBeUndefined();
      }
      expect(pair.open("high", frameType, payload)).toBeDefined();
    },
  );

  it("the frame type is authenticated: a record of one type never opens as one of another", () => {
    for (const [is, as] of [
      [FRAME_CONSENSUS, FRAME_FORWARDED],
      [FRAME_FORWARDED, FRAME_CONSENSUS],
    ] as const) {
      const { pair, payload } = withRecord(is);
      const bare = payload.slice(0, HEADER_BYTES + 28);
      expect(pair.open("high", as, is === FRAME_CONSENSUS ? bare : payload)).toBeUndefined();
      expect(pair.logs.high.rejected).toEqual(["bad-tag"]);
    }
  });

  it("another split of header and trailer is refused", () => {
    const { pair, payload } = withRecord(FRAME_CONSENSUS);
    for (let headerBytes = 0; headerBytes < payload.length + 10; headerBytes++) {
      if (headerBytes !== HEADER_BYTES) expect(pair.open("high", 1, payload, headerBytes)).toBeUndefined();
    }
    expect(pair.open("high", 1, payload, Number.MAX_SAFE_INTEGER)).toBeUndefined();
    for (const headerBytes of [-1, 0.5, Number.NaN]) {
      expect(() => pair.open("high", 1, payload, headerBytes)).toThrow(RangeError);
    }
  });

  it("type 1 hands on what is behind the trailer, as a view: the channel does not authenticate it", () => {
    const { pair, payload } = withRecord(FRAME_CONSENSUS);
    payload[payload.length - 1] = 99;
    const opened = pair.open("high", 1, payload);
    expect(opened?.rest).toEqual(Uint8Array.of(5, 6, 99));
    expect(opened?.rest.buffer).toBe(payload.buffer);
  });

  it("counters start at 1 under each key and grow by one; confirm, type 1 and type 2 share them", () => {
    const pair = establishedPair({ world });
    pair.network = () => [];
    pair.send("high", "a");
    pair.sendEncrypted("high", "b", "x");
    pair.send("high", "c");
    expect(pair.sent.slice(-3).map(({ payload }) => counterOf(payload))).toEqual([2, 3, 4]); // confirm was 1
    pair.send("low", "a");
    expect(counterOf(pair.sent.at(-1)?.payload ?? NO_FRAME)).toBe(1);
  });

  it("gaps are accepted, but no counter at or below the last accepted one", () => {
    const pair = establishedPair({ world });
    pair.network = () => [];
    for (let i = 0; i < 5; i++) pair.send("low", `${i}`);
    const records = pair.sent.slice(-5).map(({ payload }) => payload);
    const opens = [2, 2, 1, 4, 3, 0].map((index) => pair.open("high", 1, records[index] ?? NO_FRAME)?.header);
    expect(opens).toEqual(["2", undefined, undefined, "4", undefined, undefined]);
    expect(pair.logs.high.rejected).toEqual(Array(4).fill("replayed-counter"));
  });

  it("an unknown keyId costs no decryption and no failure count", () => {
    const { pair, payload } = withRecord(FRAME_CONSENSUS, { failedOpensMax: 2 });
    for (let i = 0; i < 100; i++) pair.open("high", 1, flip(payload, 8 * HEADER_BYTES + (i % 32)));
    expect(new Set(pair.logs.high.rejected)).toEqual(new Set(["unknown-key"]));
    expect(pair.open("high", 1, payload)).toBeDefined();
  });

  it("a record is not opened by the one who sealed it", () => {
    const { pair, payload } = withRecord(FRAME_CONSENSUS);
    expect(pair.open("low", 1, payload)).toBeUndefined();
    expect(pair.logs.low.rejected).toEqual(["unknown-key"]);
  });
});

describe("§6 limits", () => {
  it("a new exchange starts at the record limit, while the old keys go on", () => {
    const pair = establishedPair({ world, limits: { rekeyAtRecords: 10 } });
    for (let i = 0; i < 9; i++) pair.send("low", `${i}`);
    expect(pair.low.recordsLeft).toBe(1);
    expect(pair.handshake(INIT)).toHaveLength(1);
    expect(pair.send("low", "tenth")).toBe(true);
    expect(pair.handshake(INIT)).toHaveLength(2);
    expect([pair.low.state, pair.low.isOpen, pair.low.recordsLeft]).toEqual(["INITIATED", true, 0]);
    expect(pair.send("low", "eleventh")).toBe(true);
    pair.run(50);
    expect(pair.logs.high.received).toHaveLength(11);
    expect(pair.logs.low.established).toEqual([false, true]);
    expect(pair.low.recordsLeft).toBe(10);
  });

  it("a new exchange starts after 1 hour", () => {
    const pair = establishedPair({ world });
    pair.run(3_599_000);
    expect(pair.handshake(INIT)).toHaveLength(1);
    expect(pair.low.keyAgeMs(pair.nowMs)).toBeGreaterThan(3_599_000);
    pair.run(2_000);
    expect(pair.low.exchanges).toBe(2);
    expect(pair.high.exchanges).toBe(2);
    expect(pair.low.keyAgeMs(pair.nowMs)).toBeLessThan(2_000);
    expect(pair.talks()).toBe(true);
  });

  it("a key stops at its last record: what comes then is queued, and goes out under the next key", () => {
    const pair = establishedPair({ world, limits: { rekeyAtRecords: 3, recordsMax: 5 } });
    pair.network = ({ kind }) => (kind === undefined ? [1] : []);
    const outcomes = Array.from({ length: 7 }, (_, index) => pair.send("low", `${index}`));
    expect(outcomes).toEqual([true, true, true, true, true, false, false]);
    expect(pair.low.isOpen).toBe(false);
    expect(pair.sendEncrypted("low", "f", "x")).toBe("queued");
    pair.network = () => [1];
    pair.run(3_000);
    // The newest consensus record replaced the older one.
    expect(pair.logs.high.received.map((record) => record.header)).toEqual(["0", "1", "2", "3", "4", "6", "f"]);
  });

  it("no configuration goes beyond 23,726,566 records", () => {
    expect(RECORDS_MAX).toBe(23_726_566);
    expect(() => new Pair({ world, limits: { recordsMax: RECORDS_MAX + 1 } })).toThrow(RangeError);
  });

  it("forgeries: half-way to the limit a new exchange starts, at the limit the key is given up", () => {
    const { pair, payload } = withRecord(FRAME_CONSENSUS, { failedOpensMax: 8 });
    const forged = flip(payload, 0);
    for (let i = 0; i < 3; i++) pair.open("high", 1, forged);
    expect(pair.high.isInExchange).toBe(false);
    pair.open("high", 1, forged);
    expect([pair.high.state, pair.high.isOpen]).toEqual(["INITIATED", true]);
    for (let i = 0; i < 4; i++) pair.open("high", 1, forged);
    expect(pair.high.isOpen).toBe(false);
    expect(pair.open("high", 1, payload)).toBeUndefined();
    expect(pair.logs.high.rejected.at(-1)).toBe("no-keys");
    expect(pair.send("high", "queued")).toBe(false);
    pair.network = () => [1];
    pair.run(3_000);
    expect(pair.talks()).toBe(true);
  });

  it("before keys exist 1 consensus record is queued, the newest, and 10 forwarded, further ones refused", () => {
    const pair = new Pair({ world });
    for (const name of ["c1", "c2", "c3"]) expect(pair.send("low", name)).toBe(false);
    const outcomes = Array.from({ length: 12 }, (_, index) => pair.sendEncrypted("low", `f${index}`, `p${index}`));
    expect(outcomes).toEqual([...Array(10).fill("queued"), "refused", "refused"]);
    pair.run(10);
    const names = pair.logs.high.received.map((record) => record.header);
    expect(names).toEqual(["c3", ...Array.from({ length: 10 }, (_, index) => `f${index}`)]);
    expect(pair.logs.high.received.at(-1)?.plaintext).toBe("p9");
  });

  it("idle is the owner's business: forged frames and own retries are no activity", () => {
    const pair = new Pair({ world, network: () => [] });
    expect(pair.low.lastActivityMs).toBeUndefined();
    pair.initiate("low");
    const startedMs = pair.nowMs;
    pair.run(30_000);
    pair.handle("low", new Uint8Array(50));
    pair.open("low", 1, new Uint8Array(50));
    expect(pair.low.lastActivityMs).toBe(startedMs);
    const open = establishedPair({ world });
    open.run(1_000);
    open.send("low", "x");
    open.run(10);
    expect(open.low.lastActivityMs).toBe(open.nowMs - 10);
    expect(open.high.lastActivityMs).toBe(open.nowMs - 9);
  });
});

describe("§8 state as shown to people", () => {
  it("INACTIVE, INITIATED, WAITING_FOR_FINAL, ESTABLISHED", () => {
    const pair = new Pair({ world });
    expect([pair.low.state, pair.high.state]).toEqual(["INACTIVE", "INACTIVE"]);
    pair.initiate("low");
    expect([pair.low.state, pair.high.state]).toEqual(["INITIATED", "INACTIVE"]);
    pair.run(1);
    expect([pair.low.state, pair.high.state]).toEqual(["INITIATED", "WAITING_FOR_FINAL"]);
    pair.run(1);
    expect([pair.low.state, pair.high.state]).toEqual(["ESTABLISHED", "WAITING_FOR_FINAL"]);
    expect([pair.low.isOpen, pair.low.isInExchange, pair.high.isOpen]).toEqual([true, true, false]);
    pair.run(2);
    expect([pair.low.state, pair.high.state]).toEqual(["ESTABLISHED", "ESTABLISHED"]);
    expect([pair.low.isInExchange, pair.high.isInExchange]).toEqual([false, false]);
  });

  it("open and in an exchange are separate facts: during a rekey a channel is both", () => {
    const pair = establishedPair({ world, limits: { rekeyAtRecords: 1 } });
    pair.network = ({ kind }) => (kind === FINAL || kind === RESPONSE ? [] : [1]);
    pair.send("low", "x");
    pair.run(5);
    expect([pair.low.state, pair.low.isOpen, pair.low.isInExchange]).toEqual(["INITIATED", true, true]);
    expect([pair.high.state, pair.high.isOpen, pair.high.isInExchange]).toEqual(["WAITING_FOR_FINAL", true, true]);
  });

  it("describes key age, records sent and received, records left, last error, exchanges", () => {
    const pair = establishedPair({ world, limits: { rekeyAtRecords: 100 } });
    pair.send("low", "x");
    pair.send("low", "y");
    pair.run(500);
    pair.open("high", 1, new Uint8Array(1));
    expect(pair.low.describe(pair.nowMs)).toEqual({
      peer: world.high.id,
      state: "ESTABLISHED",
      open: true,
      version: 2,
      keyAgeMs: 598,
      sent: 2,
      received: 1,
      recordsLeft: 98,
      lastError: null,
      exchanges: 1,
    });
    expect(pair.high.describe(pair.nowMs)).toMatchObject({
      sent: 1,
      received: 2,
      recordsLeft: 99,
      lastError: "truncated-record",
      exchanges: 1,
    });
    expect(new Pair({ world }).low.describe(0)).toEqual({
      peer: world.high.id,
      state: "INACTIVE",
      open: false,
      version: 2,
      keyAgeMs: null,
      sent: 0,
      received: 0,
      recordsLeft: 0,
      lastError: null,
      exchanges: 0,
    });
  });

  it("a channel nobody uses asks for nothing, and a closed one begins anew", () => {
    const pair = establishedPair({ world });
    expect(new Pair({ world }).low.pollOutput()).toEqual({ type: "idle" });
    pair.low.close();
    expect(pair.low.pollOutput()).toEqual({ type: "idle" });
    expect([pair.low.state, pair.low.isOpen]).toEqual(["INACTIVE", false]);
    pair.send("low", "again");
    pair.run(10);
    expect(pair.talks()).toBe(true);
    expect(pair.handshake(CONFIRM)).toHaveLength(2);
  });

  it("what waited for keys is gone with a close, and so is what was under way", () => {
    const pair = new Pair({ world, network: () => [] });
    expect([pair.send("low", "one"), pair.sendEncrypted("low", "two", "text")]).toEqual([false, "queued"]);
    pair.low.close();
    expect([pair.low.state, pair.low.pollOutput()]).toEqual(["INACTIVE", { type: "idle" }]);
    pair.network = () => [1];
    pair.initiate("low");
    pair.run(100);
    expect([pair.low.isOpen, pair.logs.high.received]).toEqual([true, []]);
  });

  it("a channel is refused to a node itself, and for an id that is not the key's", () => {
    const { low, high, service } = world;
    const trust = { serviceCertificate: service.certificate, trusted: () => true };
    const make = (self: typeof low, peer: typeof low) => () =>
      new Channel({ suite: nativeSuite, version: 2, self, peer: peer.id, trust });
    expect(make(low, low)).toThrow(RangeError);
    expect(make({ ...low, id: high.id }, low)).toThrow(RangeError);
    expect(make(low, high)).not.toThrow();
  });
});
