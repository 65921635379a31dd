/** The exchange by the clock alone: its messages are made up here, and no signature is in them. */
import { EndorsementCache } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { describe, expect, it } from "vitest";
import { makeWorld } from "../test/harness.js";
import { HandshakeError } from "./errors.js";
import { Exchange } from "./exchange.js";
import { type ChannelLimits, resolveLimits } from "./limits.js";
import { ReceiveKey } from "./receive-key.js";
import { recordFormatV2 } from "./record-v2.js";
import { SendKey } from "./send-key.js";
import type { ChannelVersion, ReceivedMessage, SessionKeys } from "./version.js";
import { version1 } from "./version-1.js";
import { version2 } from "./version-2.js";

const world = makeWorld();
const ephemeral = nativeSuite.generateKeyPair("P-384");
const TIMEOUT_MS = 2_000;
/** The first and the second pause when every random byte is 0. */
const [FIRST_MS, SECOND_MS] = [100, 200];

function makeKeys(handshakeId: string): SessionKeys {
  const secrets = () => ({ key: new Uint8Array(32), iv: new Uint8Array(12), keyId: new Uint8Array(4) });
  return {
    send: new SendKey(nativeSuite, recordFormatV2, secrets()),
    receive: new ReceiveKey(nativeSuite, recordFormatV2, secrets(), handshakeId),
  };
}

const init = (handshakeId: string): Extract<ReceivedMessage, { kind: "init" }> => ({
  kind: "init",
  handshakeId,
  verify: () => ({
    answer: () => {
      const { publicKey } = ephemeral;
      const pending = { handshakeId, transcript: new Uint8Array(0), peerKey: publicKey, keys: makeKeys(handshakeId) };
      return { response: Uint8Array.of(1), pending };
    },
  }),
});

const response = (keys: SessionKeys): Extract<ReceivedMessage, { kind: "response" }> => ({
  kind: "response",
  handshakeId: undefined,
  complete: () => ({ final: Uint8Array.of(2), keys }),
});

/** A final that names no handshake and was signed for this one, or that ends in `failure` for every other. */
const final = (of: string, failure: Error = new HandshakeError("bad-signature")) =>
  ({
    kind: "final",
    handshakeId: undefined,
    verify: ({ handshakeId }) => {
      if (handshakeId !== of) throw failure;
    },
  }) satisfies ReceivedMessage;

/** One end with the lower id, and what it did: steps, and codes of what it gave up. */
class End {
  readonly log: string[] = [];
  readonly wiped: unknown[] = [];
  isOpen = false;
  nowMs = 0;
  readonly exchange: Exchange;

  constructor(rules: ChannelVersion = version2, limits: Partial<ChannelLimits> = {}) {
    const suite = { ...nativeSuite, randomBytes: (length: number) => new Uint8Array(length) };
    const version: ChannelVersion = {
      ...rules,
      start: () => ({ handshakeId: "own", init: Uint8Array.of(0), ephemeral }),
      confirm: rules.confirm && (() => Uint8Array.of(3)),
    };
    const { low: self, high } = world;
    const trust = { serviceCertificate: world.service.certificate, trusted: () => true };
    const party = {
      suite: { ...suite, wipe: (secret: unknown) => this.wiped.push(secret) },
      self,
      peer: high.id,
      trust,
      cache: new EndorsementCache(),
    };
    const isOpen = () => this.isOpen;
    this.exchange = new Exchange(version, party, resolveLimits(limits, rules.version), {
      get isOpen() {
        return isOpen();
      },
      transmit: () => undefined,
      note: (step) => this.log.push(step),
      refuse: (code) => this.log.push(code),
      switchKeys: () => {
        this.isOpen = true;
      },
    });
  }

  /** Lets time pass in one step: what is due at no time on the way is done at its end. */
  at(nowMs: number): this {
    this.nowMs = nowMs;
    this.exchange.advance(nowMs);
    return this;
  }

  request(): void {
    this.exchange.request(this.nowMs);
  }

  handle(message: Exclude<ReceivedMessage, { kind: "confirm" }>): boolean {
    return this.exchange.handle(message, this.nowMs);
  }

  /** What was logged since this was asked last. */
  get news(): readonly string[] {
    return this.log.splice(0);
  }
}

describe("an attempt", () => {
  it("is made once, and once more after a time-out and a pause, of which there is one", () => {
    const end = new End();
    end.request();
    end.request();
    expect(end.news).toEqual(["init-sent"]);
    expect(end.exchange.nextTimerMs).toBe(TIMEOUT_MS);
    end.at(TIMEOUT_MS - 1);
    expect(end.news).toEqual([]);
    end.at(TIMEOUT_MS);
    end.request();
    expect([end.news, end.exchange.phase]).toEqual([["response-timeout"], "INITIATED"]);
    expect(end.wiped).toEqual([ephemeral.privateKey]);
    expect(end.exchange.nextTimerMs).toBe(TIMEOUT_MS + FIRST_MS);
    end.at(TIMEOUT_MS + FIRST_MS - 1);
    expect(end.news).toEqual([]);
    end.at(TIMEOUT_MS + FIRST_MS);
    expect(end.news).toEqual(["init-sent"]);
  });

  it("waits for an answered handshake, and then for a pause", () => {
    const end = new End();
    expect(end.handle(init("a"))).toBe(false); // it may be a replay, and proves nothing
    expect(end.news).toEqual(["init-received", "response-sent"]);
    end.at(500);
    end.request();
    expect([end.news, end.exchange.phase]).toEqual([[], "WAITING_FOR_FINAL"]);
    end.at(TIMEOUT_MS);
    expect(end.news).toEqual(["final-timeout"]);
    expect(end.exchange.nextTimerMs).toBe(TIMEOUT_MS + FIRST_MS);
  });

  it("that timed out beside an answered handshake keeps the pause it was given when that times out too", () => {
    const end = new End();
    end.request();
    end.at(500).handle(init("a"));
    end.at(TIMEOUT_MS).at(500 + TIMEOUT_MS);
    expect(end.news.slice(-2)).toEqual(["response-timeout", "final-timeout"]);
    expect(end.exchange.nextTimerMs).toBe(500 + TIMEOUT_MS + FIRST_MS);
  });

  it("that runs is not joined by another when an answered handshake times out", () => {
    const end = new End();
    end.request();
    end.at(TIMEOUT_MS).handle(init("a")); // the pause runs
    end.at(TIMEOUT_MS + FIRST_MS);
    expect(end.news.at(-1)).toBe("init-sent");
    end.at(2 * TIMEOUT_MS);
    expect(end.news).toEqual(["final-timeout"]);
    expect(end.exchange.nextTimerMs).toBe(2 * TIMEOUT_MS + FIRST_MS); // the attempt's own end
    end.at(2 * TIMEOUT_MS + FIRST_MS);
    expect(end.exchange.nextTimerMs).toBe(2 * TIMEOUT_MS + FIRST_MS + SECOND_MS); // and the pause counts from there
  });

  it("is not made while new keys wait for their proof, and is once it did not come", () => {
    const end = new End();
    end.request();
    expect(end.handle(response(makeKeys("own")))).toBe(true);
    expect(end.news).toEqual(["init-sent", "response-received", "final-sent"]);
    end.request();
    end.at(TIMEOUT_MS - 1);
    expect([end.news, end.exchange.isRunning, end.exchange.phase]).toEqual([[], true, undefined]);
    end.at(TIMEOUT_MS);
    expect(end.news).toEqual(["record-timeout"]);
    expect(end.exchange.nextTimerMs).toBe(TIMEOUT_MS + FIRST_MS);
  });

  it("the proof is a record under the new key, and ends the count of failures", () => {
    const end = new End();
    end.request();
    end.at(TIMEOUT_MS).at(TIMEOUT_MS + FIRST_MS);
    const keys = makeKeys("own");
    end.handle(response(keys));
    expect(end.exchange.handleProof(makeKeys("own").receive)).toBe(false);
    expect(end.exchange.handleProof(keys.receive)).toBe(true);
    expect([end.exchange.handleProof(keys.receive), end.exchange.isRunning]).toEqual([false, false]);
    end.request();
    end.at(end.exchange.nextTimerMs);
    expect(end.exchange.nextTimerMs - end.nowMs).toBe(FIRST_MS);
  });

  it("and all else is forgotten with a reset, the failures too", () => {
    const end = new End(version1);
    end.request();
    end.at(TIMEOUT_MS);
    end.handle(init("a"));
    end.exchange.reset();
    expect([end.exchange.phase, end.exchange.nextTimerMs]).toEqual([undefined, Number.POSITIVE_INFINITY]);
    end.handle(init("a")); // answered before, and forgotten
    end.exchange.reset();
    end.request();
    end.at(2 * TIMEOUT_MS);
    expect(end.exchange.nextTimerMs).toBe(2 * TIMEOUT_MS + FIRST_MS);
  });
});

describe("version 1", () => {
  const open = () => {
    const end = new End(version1);
    end.isOpen = true;
    return end;
  };

  it("holds records for half a second after an answer, and not again for a minute if that was in vain", () => {
    const end = open();
    end.handle(init("a"));
    end.at(499);
    expect([end.exchange.holdsRecords, end.exchange.nextTimerMs]).toEqual([true, 500]);
    end.at(500);
    expect(end.exchange.holdsRecords).toBe(false);
    end.at(60_499).handle(init("b"));
    expect(end.exchange.holdsRecords).toBe(false);
    end.at(60_500).handle(init("c"));
    expect(end.exchange.holdsRecords).toBe(true);
  });

  it("does not count time without a hold as one that was in vain", () => {
    const end = open();
    end.at(10).handle(init("a"));
    expect(end.exchange.holdsRecords).toBe(true);
  });

  it("a renewal whose final did not come is tried again by the responder, at the first pause", () => {
    const end = open();
    end.handle(init("a"));
    end.at(500).at(TIMEOUT_MS);
    expect(end.news.slice(-1)).toEqual(["final-timeout"]);
    expect(end.exchange.nextTimerMs).toBe(TIMEOUT_MS + FIRST_MS);
  });

  it("keys count as proven until a record fails under them; then the time runs, once", () => {
    const end = open();
    end.request();
    end.handle(response(makeKeys("own")));
    expect(end.exchange.isRunning).toBe(false);
    end.at(50);
    end.exchange.handleDoubt(50);
    end.exchange.handleDoubt(500);
    expect(end.exchange.nextTimerMs).toBe(50 + TIMEOUT_MS);
    end.request();
    expect(end.news).toEqual(["init-sent", "response-received", "final-sent"]);
    end.at(50 + TIMEOUT_MS);
    expect(end.news).toEqual(["record-timeout"]);
  });

  it("a final that names no handshake is that of whichever it was signed for", () => {
    const end = open();
    end.handle(init("a"));
    end.handle(init("b"));
    expect(end.handle(final("a"))).toBe(true);
    expect(end.exchange.completed).toBe(1);
    end.handle(init("c"));
    expect(() => end.handle(final("nobody's"))).toThrow(expect.objectContaining({ code: "bad-signature" }));
    end.handle(init("d"));
    expect(() => end.handle(final("nobody's"))).toThrow(HandshakeError);
    expect([end.exchange.completed, end.exchange.phase]).toEqual([1, "WAITING_FOR_FINAL"]);
  });

  it("what fails otherwise than by its signature is not tried with another", () => {
    const end = open();
    end.handle(init("a"));
    end.handle(init("b"));
    expect(() => end.handle(final("a", new TypeError("a bug")))).toThrow(TypeError); // b is the newest, and tried first
  });
});

it("the second failure in a row has the second pause", () => {
  const end = new End();
  end.request();
  end
    .at(TIMEOUT_MS)
    .at(TIMEOUT_MS + FIRST_MS)
    .at(2 * TIMEOUT_MS + FIRST_MS);
  expect(end.exchange.nextTimerMs).toBe(2 * TIMEOUT_MS + FIRST_MS + SECOND_MS);
});
