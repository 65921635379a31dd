/** Every refusal has its own code (channel-v2 §3), and each code is provoked here. */
import { createSelfSigned } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, encodeConfirm, encodeRecordTrailer } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import type { ChannelErrorCode } from "../src/index.js";
import { forgeFinal, forgeInit, forgeResponse } from "./forge.js";
import { forgeInitV1 } from "./forge-v1.js";
import {
  CONFIRM,
  establishedPair,
  FINAL,
  flip,
  HEADER_BYTES,
  header,
  INIT,
  makeIdentity,
  makeWorld,
  Pair,
  RESPONSE,
} from "./harness.js";

const world = makeWorld();
const strangerWorld = makeWorld();

type PlainCode = Exclude<ChannelErrorCode, `certificate-${string}`>;

/** A first frame of a kind out of an exchange that ran without faults. */
function first(kind: number): Uint8Array {
  const [frame] = establishedPair({ world }).handshake(kind);
  if (frame === undefined) throw new Error(`no frame of kind ${kind}`);
  return frame;
}
const init = () => forgeInit(world, "low");
const patched = (bytes: Uint8Array, offset: number, ...values: number[]): Uint8Array => {
  const copy = bytes.slice();
  copy.set(values, offset);
  return copy;
};
const withoutLastError = (pair: Pair) => [
  { ...pair.low.describe(pair.nowMs), lastError: null },
  { ...pair.high.describe(pair.nowMs), lastError: null },
];

/** The higher end, fresh, gets these bytes. */
const high = (make: () => Uint8Array) => () => new Pair({ world }).handle("high", make());

/** The higher end, with keys in use, gets a record made from a genuine one. */
function record(change: (genuine: Uint8Array) => Uint8Array, established = true): readonly ChannelErrorCode[] {
  const pair = establishedPair({ world });
  pair.network = () => [];
  pair.send("low", "r");
  const genuine = pair.sent.at(-1)?.payload ?? new Uint8Array(0);
  const target = established ? pair : new Pair({ world });
  const before = withoutLastError(target);
  expect(target.open("high", 1, change(genuine))).toBeUndefined();
  if (established) {
    expect(withoutLastError(target)).toEqual(before);
    expect(target.open("high", 1, genuine)).toBeDefined();
  }
  return target.logs.high.rejected;
}

const provoke: Record<PlainCode, () => readonly ChannelErrorCode[]> = {
  truncated: high(() => init().slice(0, -33 - 64)),
  trailing: high(() => concatBytes(init(), Uint8Array.of(0))),
  "too-large": high(() => patched(init(), 16 + 64 + 32 + 97, 0xff, 0xff, 0xff, 0x7f)),
  "out-of-range": high(() => patched(init(), 0, 16, 0, 0, 0, 0, 0, 0, 0xff)),
  malformed: high(() => init().slice(0, -1)),
  "unknown-kind": high(() => patched(init(), 0, 1)),
  "wrong-version": high(() => patched(init(), 8, 1)),
  "wrong-receiver": high(() => forgeInit(world, "low", { responder: strangerWorld.low.id })),
  "own-id": high(() => forgeInit(world, "low", { initiator: world.high.id })),
  "wrong-sender": high(() => forgeInit(world, "low", { initiator: strangerWorld.low.id })),
  untrusted: () => new Pair({ world, trust: { trusted: () => false } }).handle("high", init()),
  "replayed-init": () => {
    const pair = new Pair({ world, network: () => [] });
    const message = init();
    expect(pair.handle("high", message)).toEqual([]);
    return pair.handle("high", message);
  },
  "no-attempt": high(() => first(RESPONSE)),
  "unknown-handshake": high(() => first(FINAL)),
  "rate-limited": () => {
    const pair = new Pair({ world, network: () => [], limits: { attemptsBurst: 1 } });
    expect(pair.handle("high", init())).toEqual([]);
    return pair.handle("high", init());
  },
  "anchor-not-self-signed": () => {
    const serviceCertificate = flip(world.service.certificate, 8 * (world.service.certificate.length - 1));
    return new Pair({ world, version: 1, trust: { serviceCertificate } }).handle("high", forgeInitV1(world, "low"));
  },
  "identity-mismatch": high(() => {
    const { keyPair, certificate } = makeIdentity(nativeSuite, world.service);
    return forgeInit(world, "low", { certificate }, { signer: keyPair });
  }),
  "bad-share": high(() => forgeInit(world, "low", { share: new Uint8Array(97).fill(4) })),
  "signature-length": high(() => init().slice(0, -32)),
  "bad-signature": high(() => flip(init(), 8 * (16 + 64))),
  collision: () => {
    const pair = new Pair({ world, network: () => [] });
    pair.initiate("high");
    return pair.handle("high", init());
  },
  "response-timeout": () => {
    const pair = new Pair({ world, network: () => [] });
    pair.initiate("high");
    return pair.run(2_000).logs.high.rejected;
  },
  "final-timeout": () => {
    const pair = new Pair({ world, network: ({ kind }) => (kind === FINAL ? [] : [1]) });
    pair.initiate("low");
    return pair.run(2_001).logs.high.rejected;
  },
  "record-timeout": () => {
    const pair = new Pair({ world, network: ({ kind }) => (kind === CONFIRM ? [] : [1]) });
    pair.initiate("high");
    return pair.run(2_002).logs.high.rejected;
  },
  "truncated-record": () => record((genuine) => genuine.slice(0, -1)),
  "no-keys": () => record((genuine) => genuine, false),
  "unknown-key": () => record((genuine) => flip(genuine, 8 * HEADER_BYTES)),
  "replayed-counter": () => record((genuine) => patched(genuine, HEADER_BYTES + 4, 0)),
  "counter-too-high": () => record((genuine) => patched(genuine, HEADER_BYTES + 11, 1)),
  "bad-tag": () => record((genuine) => flip(genuine, 0)),
};

describe("each code of a refusal", () => {
  it.each(Object.entries(provoke))("%s", (code, run) => {
    expect(run()).toEqual([code]);
  });

  const times = (from: string, to: string) => ({ notBefore: new Date(from), notAfter: new Date(to) });
  const certificates: Record<string, () => readonly ChannelErrorCode[]> = {
    "certificate-malformed": high(() => forgeInit(world, "low", { certificate: Uint8Array.of(1, 2, 3) })),
    "certificate-issuer-mismatch": high(() => {
      const valid = times("2020-01-01", "2040-01-01");
      return forgeInit(world, "low", {
        certificate: createSelfSigned(nativeSuite, world.low.keyPair, { name: "n", hosts: [], ...valid }),
      });
    }),
    "certificate-not-end-entity": high(() => forgeInit(world, "low", { certificate: world.service.certificate })),
    "certificate-unsupported-curve": () => {
      const p256 = makeWorld(nativeSuite, "P-256");
      return new Pair({ world: p256 }).handle("high", forgeInit(p256, "low"));
    },
    "certificate-bad-signature": high(() => {
      const { certificate } = world.low;
      return forgeInit(world, "low", { certificate: flip(certificate, 8 * (certificate.length - 1)) });
    }),
    "certificate-authority-key-mismatch": high(() =>
      forgeInit(world, "low", { certificate: strangerWorld.low.certificate }),
    ),
    "certificate-expired": () =>
      new Pair({ world, trust: { nowMs: () => Date.parse("2041-01-01") } }).handle("high", init()),
    "certificate-not-yet-valid": () =>
      new Pair({ world, trust: { nowMs: () => Date.parse("2019-01-01") } }).handle("high", init()),
  };
  it.each(Object.entries(certificates))("%s", (code, run) => {
    expect(run()).toEqual([code]);
  });

  it("out-of-range, for a confirm with counter 0", () => {
    const confirm = patched(first(CONFIRM), 24 + 4, 0);
    expect(new Pair({ world }).handle("low", confirm)).toEqual(["out-of-range"]);
  });

  it("unknown-handshake, for a response to another attempt", () => {
    const pair = new Pair({ world, network: () => [] });
    pair.initiate("low");
    expect(pair.handle("low", forgeResponse(world, "high", first(INIT)))).toEqual(["unknown-handshake"]);
  });

  it("no-keys and unknown-key, for a confirm", () => {
    const confirm = first(CONFIRM);
    expect(new Pair({ world, network: () => [] }).handle("low", confirm)).toEqual(["no-keys"]);
    expect(establishedPair({ world }).handle("low", confirm)).toEqual(["unknown-key"]);
  });

  it("unknown-key, for a confirm under the right key that names another exchange", () => {
    const pair = new Pair({ world, network: ({ kind }) => (kind === CONFIRM ? [] : [1]) });
    pair.initiate("low");
    pair.run(10);
    const [confirm = new Uint8Array(0)] = pair.handshake(CONFIRM);
    expect(pair.handle("low", flip(confirm, 8 * 16))).toEqual(["unknown-key"]);
    expect(pair.handle("low", confirm)).toEqual([]);
  });

  it("rate-limited, for responses and finals too", () => {
    const pair = new Pair({ world, network: () => [], limits: { attemptsBurst: 1 } });
    pair.initiate("low");
    const [sentInit = new Uint8Array(0)] = pair.handshake(INIT);
    expect(pair.handle("low", forgeResponse(world, "high", sentInit, {}, { signedInit: init() }))).toEqual([
      "bad-signature",
    ]);
    expect(pair.handle("low", forgeResponse(world, "high", sentInit))).toEqual(["rate-limited"]);
    expect(pair.handle("high", sentInit)).toEqual([]);
    const [response = new Uint8Array(0)] = pair.handshake(RESPONSE);
    expect(pair.handle("high", forgeFinal(world, "low", init(), response))).toEqual(["unknown-handshake"]);
    expect(pair.handle("high", forgeFinal(world, "low", sentInit, response, { label: "x" }))).toEqual([
      "bad-signature",
    ]);
    expect(pair.handle("high", forgeFinal(world, "low", sentInit, response))).toEqual(["rate-limited"]);
  });

  it("nothing from a peer makes a method throw, and random bytes are refused", () => {
    const pair = new Pair({ world });
    for (let length = 0; length < 60; length++) {
      expect(pair.handle("high", nativeSuite.randomBytes(length))).toHaveLength(1);
      expect(pair.open("high", 2, nativeSuite.randomBytes(length))).toBeUndefined();
    }
    const trailer = encodeRecordTrailer({ keyId: new Uint8Array(4), counter: 1, tag: new Uint8Array(16) });
    expect(pair.handle("high", concatBytes(encodeConfirm(new Uint8Array(8)), trailer))).toEqual(["no-keys"]);
    expect(pair.open("high", 1, concatBytes(header("x"), trailer))).toBeUndefined();
  });
});
