/** Version 1: each code of a refusal is provoked, and what was refused has changed nothing (channel-v1-wire §3, §12.1). */
import { createSelfSigned, pemEncode } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import type { ChannelErrorCode, ChannelTrust } from "../src/index.js";
import { forgeFinalV1, forgeInitV1, forgeResponseV1, pemOf } from "./forge-v1.js";
import {
  establishedPair,
  FINAL_V1,
  flip,
  HEADER_BYTES,
  INIT_V1,
  makeIdentity,
  makeWorld,
  Pair,
  RESPONSE_V1,
} from "./harness.js";

const world = makeWorld();
const strangers = makeWorld();
const init = () => forgeInitV1(world, "low");
const patched = (bytes: Uint8Array, offset: number, ...values: number[]): Uint8Array => {
  const copy = bytes.slice();
  copy.set(values, offset);
  return copy;
};
const pairOf = (trust: Partial<ChannelTrust> = {}): Pair => new Pair({ world, version: 1, trust, network: () => [] });
/** The higher end, fresh, gets these bytes; afterwards a good init is answered as if nothing had been. */
const high =
  (make: () => Uint8Array, trust: Partial<ChannelTrust> = {}) =>
  (): readonly ChannelErrorCode[] => {
    const pair = pairOf(trust);
    const codes = pair.handle("high", make());
    expect([pair.high.state, pair.high.isOpen, pair.sent.length]).toEqual(["INACTIVE", false, 0]);
    return codes;
  };

/** The higher end has sent an init; the share in it, and a pair to go on with. */
function initiated(): { readonly pair: Pair; readonly share: Uint8Array } {
  const pair = pairOf();
  pair.initiate("high");
  const [sent = new Uint8Array(0)] = pair.handshake(INIT_V1);
  return { pair, share: sent.slice(24, 24 + 98) };
}
const response = (make: (share: Uint8Array) => Uint8Array) => (): readonly ChannelErrorCode[] => {
  const { pair, share } = initiated();
  const codes = pair.handle("high", make(share));
  // Nothing changed: a genuine response to the same attempt still completes it.
  expect(pair.handle("high", forgeResponseV1(world, "low", share))).toEqual([]);
  expect(pair.high.state).toBe("ESTABLISHED");
  return codes;
};
const final = (make: (share: Uint8Array) => Uint8Array) => (): readonly ChannelErrorCode[] => {
  const pair = pairOf();
  pair.handle("high", init());
  const [answer = new Uint8Array(0)] = pair.handshake(RESPONSE_V1);
  const share = answer.slice(24, 24 + 98);
  const codes = pair.handle("high", make(share));
  expect([pair.high.state, pair.high.isOpen]).toEqual(["WAITING_FOR_FINAL", false]);
  expect(pair.handle("high", forgeFinalV1(world.low.keyPair, share))).toEqual([]);
  return codes;
};
/** The higher end, with keys, gets a record made from a genuine one, which it still opens afterwards. */
const record = (change: (genuine: Uint8Array) => Uint8Array) => (): readonly ChannelErrorCode[] => {
  const pair = establishedPair({ world, version: 1 });
  pair.network = () => [];
  pair.send("low", "r");
  const genuine = pair.sent.at(-1)?.payload ?? new Uint8Array(0);
  expect(pair.open("high", 1, change(genuine))).toBeUndefined();
  expect(pair.open("high", 1, genuine)).toBeDefined();
  return pair.logs.high.rejected;
};

const { low } = world;
const lowPem = pemOf(low.certificate);
const withCertificate = (certificate: Uint8Array) => high(() => forgeInitV1(world, "low", { certificate }));
const text = (pem: string): Uint8Array => utf8(pem);
const lowText = pemEncode("CERTIFICATE", low.certificate);
const times = { notBefore: new Date("2020-01-01"), notAfter: new Date("2040-01-01") };
const compressed = (share: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(0x61, 2), share.subarray(2, 50));

const CASES: readonly (readonly [ChannelErrorCode, string, () => readonly ChannelErrorCode[]])[] = [
  ["truncated", "an init cut short", high(() => init().slice(0, -1))],
  ["trailing", "a byte behind an init", high(() => concatBytes(init(), Uint8Array.of(0)))],
  ["trailing", "a byte behind a final", final((s) => concatBytes(forgeFinalV1(low.keyPair, s), Uint8Array.of(0)))],
  ["too-large", "a field over its bound", high(() => patched(init(), 16, 0, 0, 1))],
  ["out-of-range", "a length above 2^53", high(() => patched(init(), 16, 0, 0, 0, 0, 0, 0, 0, 1))],
  ["malformed", "an empty field", high(() => patched(init(), 16, 0))],
  ["malformed", "a salt of 31 bytes", high(() => forgeInitV1(world, "low", { salt: new Uint8Array(31) }))],
  ["malformed", "a salt of 33 bytes", high(() => forgeInitV1(world, "low", { salt: new Uint8Array(33) }))],
  ["unknown-kind", "a kind of version 2", high(() => patched(init(), 0, 16))],
  ["unknown-kind", "kind 3", high(() => patched(init(), 0, 3))],
  ["wrong-version", "version 2", high(() => patched(init(), 8, 2))],
  ["wrong-version", "version 2 in a response", response((s) => patched(forgeResponseV1(world, "low", s), 8, 2))],
  ["own-id", "the receiver's own certificate", high(() => forgeInitV1(world, "high"))],
  ["untrusted", "a node that is not known", high(init, { trusted: () => false })],
  [
    "identity-mismatch",
    "another endorsed node's certificate and key",
    high(() => {
      const other = makeIdentity(nativeSuite, world.service);
      return forgeInitV1(world, "low", { certificate: pemOf(other.certificate), signer: other.keyPair });
    }),
  ],
  [
    "identity-mismatch",
    "the same in a response",
    response((share) => {
      const other = makeIdentity(nativeSuite, world.service);
      return forgeResponseV1(world, "low", share, { certificate: pemOf(other.certificate), signer: other.keyPair });
    }),
  ],
  ["no-attempt", "a response nobody asked for", high(() => forgeResponseV1(world, "low", init().slice(24, 122)))],
  ["unknown-handshake", "a final nobody waits for", high(() => forgeFinalV1(low.keyPair, new Uint8Array(98)))],
  [
    "bad-share",
    "a compressed share",
    high(() => {
      const share = compressed(init().slice(24, 122));
      return forgeInitV1(world, "low", { share });
    }),
  ],
  ["bad-share", "another first byte", high(() => forgeInitV1(world, "low", { share: new Uint8Array(98).fill(4) }))],
  [
    "bad-share",
    "a point off the curve",
    response((initShare) =>
      forgeResponseV1(world, "low", initShare, { share: patched(new Uint8Array(98).fill(7), 0, 0x61, 4) }),
    ),
  ],
  [
    "bad-signature",
    "raw r and s",
    high(() => {
      const share = init().slice(24, 122);
      return forgeInitV1(world, "low", { share, signature: nativeSuite.sign(low.keyPair.privateKey, share) });
    }),
  ],
  ["bad-signature", "over other bytes", high(() => forgeInitV1(world, "low", { signed: new Uint8Array(98) }))],
  [
    "bad-signature",
    "a response over its own share alone",
    response((share) => {
      const own = init().slice(24, 122);
      return forgeResponseV1(world, "low", share, { share: own, signed: own });
    }),
  ],
  [
    "bad-signature",
    "a response over the shares in the other order",
    response((share) => {
      const own = init().slice(24, 122);
      return forgeResponseV1(world, "low", share, { share: own, signed: concatBytes(share, own) });
    }),
  ],
  ["bad-signature", "a final by another node", final((s) => forgeFinalV1(strangers.low.keyPair, s))],
  ["bad-signature", "a final by the responder itself", final((s) => forgeFinalV1(world.high.keyPair, s))],
  [
    "collision",
    "an init to the higher end, which has sent its own",
    () => {
      const { pair } = initiated();
      return pair.handle("high", init());
    },
  ],
  [
    "replayed-init",
    "an init that is being answered",
    () => {
      const pair = pairOf();
      const message = init();
      expect(pair.handle("high", message)).toEqual([]);
      return pair.handle("high", message);
    },
  ],
  [
    "rate-limited",
    "more inits than the allowance",
    () => {
      const pair = new Pair({ world, version: 1, network: () => [], limits: { attemptsBurst: 1 } });
      expect(pair.handle("high", init())).toEqual([]);
      return pair.handle("high", init());
    },
  ],
  ["response-timeout", "no response", () => initiated().pair.run(2_000).logs.high.rejected],
  [
    "final-timeout",
    "no final",
    () => {
      const pair = pairOf();
      pair.handle("high", init());
      return pair.run(2_000).logs.high.rejected;
    },
  ],
  ["truncated-record", "a trailer cut short", record((genuine) => genuine.slice(0, HEADER_BYTES + 23))],
  ["replayed-counter", "counter 0", record((genuine) => patched(genuine, HEADER_BYTES + 17, 0))],
  ["counter-too-high", "a counter beyond every limit", record((genuine) => patched(genuine, HEADER_BYTES + 20, 9))],
  ["counter-too-high", "an IV that does not start with 0", record((genuine) => patched(genuine, HEADER_BYTES + 16, 1))],
  ["bad-tag", "a changed header", record((genuine) => flip(genuine, 0))],
  [
    "no-keys",
    "a record before any keys",
    () => {
      const pair = pairOf();
      expect(pair.open("high", 1, new Uint8Array(64))).toBeUndefined();
      return pair.logs.high.rejected;
    },
  ],
  ["certificate-malformed", "plain DER", withCertificate(low.certificate)],
  ["certificate-malformed", "text before the BEGIN line", withCertificate(text(`x\n${lowText}`))],
  ["certificate-malformed", "CRLF line ends", withCertificate(text(lowText.replaceAll("\n", "\r\n")))],
  ["certificate-malformed", "two NULs at the end", withCertificate(concatBytes(lowPem, new Uint8Array(2)).slice())],
  ["certificate-malformed", "no END line", withCertificate(text(lowText.slice(0, 200)))],
  ["certificate-malformed", "bytes that are no text", withCertificate(patched(lowPem, 40, 0xff))],
  [
    "certificate-issuer-mismatch",
    "self-signed",
    withCertificate(pemOf(createSelfSigned(nativeSuite, low.keyPair, { name: "n", hosts: [], ...times }))),
  ],
  ["certificate-not-end-entity", "the service's own certificate", withCertificate(pemOf(world.service.certificate))],
  [
    "certificate-authority-key-mismatch",
    "endorsed by another service",
    withCertificate(pemOf(strangers.low.certificate)),
  ],
  [
    "certificate-bad-signature",
    "a changed signature",
    withCertificate(pemOf(flip(low.certificate, 8 * (low.certificate.length - 1)))),
  ],
  ["certificate-expired", "at a time given", high(init, { nowMs: () => Date.parse("2041-01-01") })],
  ["certificate-not-yet-valid", "at a time given", high(init, { nowMs: () => Date.parse("2019-01-01") })],
  ["certificate-unsupported-curve", "a curve that the owner does not allow", high(init, { curves: ["P-256"] })],
];

describe("version 1 refuses", () => {
  it.each(CASES)("%s: %s", (code, _what, run) => {
    expect(run()).toEqual([code]);
  });

  it("record-timeout, when only records that fail come under new keys", () => {
    const pair = establishedPair({ world, version: 1 });
    pair.network = () => [];
    pair.send("low", "x");
    expect(pair.open("high", 1, flip(pair.sent.at(-1)?.payload ?? new Uint8Array(0), 0))).toBeUndefined();
    pair.run(2_000);
    expect(pair.logs.high.rejected).toEqual(["bad-tag", "record-timeout"]);
  });

  it("nothing more: one NUL, no last line end, and anything behind the first certificate are taken (§3.3)", () => {
    const stranger = pemOf(strangers.low.certificate);
    const forms = [
      concatBytes(lowPem, Uint8Array.of(0)),
      lowPem.slice(0, -1),
      concatBytes(lowPem, utf8("text\n")),
      concatBytes(lowPem, stranger),
    ];
    for (const certificate of forms) {
      expect(pairOf().handle("high", forgeInitV1(world, "low", { certificate }))).toEqual([]);
    }
    expect(withCertificate(concatBytes(stranger, lowPem))()).toEqual(["certificate-authority-key-mismatch"]);
  });

  it("finals in any number: each is tried with the handshakes that wait, and no more", () => {
    const pair = pairOf();
    for (let count = 0; count < 6; count++) pair.handle("high", init());
    const shares = pair.handshake(RESPONSE_V1).map((message) => message.slice(24, 122));
    const [first = new Uint8Array(0), , third = new Uint8Array(0)] = shares;
    expect(pair.handle("high", forgeFinalV1(low.keyPair, first))).toEqual(["bad-signature"]); // four are kept
    expect(pair.handle("high", forgeFinalV1(low.keyPair, third))).toEqual([]);
    expect(pair.handle("high", forgeFinalV1(low.keyPair, third))).toEqual(["unknown-handshake"]);
    expect(pair.handshake(FINAL_V1)).toEqual([]);
  });
});
