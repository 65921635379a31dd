/**
 * The model is of the real thing: one exchange of two real channels, and the same exchange as terms. Each term is turned into bytes and has to
 * be what the real code put on the wire, signed, hashed, and derived as keys. Whoever changes a message, a label or the key schedule
 * has to change the model with it.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, hex, nodeIdBytes, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { CONFIRM, establishedPair, FINAL, INIT, makeWorld, RESPONSE } from "../harness.js";
import { Knowledge } from "./knowledge.js";
import {
  FIRST_COUNTER,
  FRAME_TYPE_CHANNEL,
  fieldOf,
  handshakeIdOf,
  KEY_LABEL,
  KINDS,
  LABELS,
  type Message,
  makeConfirm,
  makeMessage,
  makeNode,
  signedContent,
  VERSION,
} from "./messages.js";
import { VERSION_2 } from "./protocol.js";
import { begin, makeSession, type Progress, steps } from "./session.js";
import { EMPTY, raise, type Term, xOf } from "./term.js";

const u64 = (value: number): Uint8Array => Uint8Array.of(value, 0, 0, 0, 0, 0, 0, 0);

/** What the real code gave to the primitives, in order. */
interface Recorded {
  readonly signed: Uint8Array[];
  readonly agreed: Uint8Array[];
  readonly keys: Uint8Array[];
  readonly additionalData: Uint8Array[];
}

function recording(): Recorded & { readonly suite: CryptoSuite } {
  const recorded: Recorded = { signed: [], agreed: [], keys: [], additionalData: [] };
  const suite: CryptoSuite = {
    ...nativeSuite,
    sign: (key, message, hash) => {
      recorded.signed.push(message.slice());
      return nativeSuite.sign(key, message, hash);
    },
    agree: (own, peer) => {
      const secret = nativeSuite.agree(own, peer);
      recorded.agreed.push(secret.slice());
      return secret;
    },
    aead: (key) => {
      recorded.keys.push(key.slice());
      const aead = nativeSuite.aead(key);
      return {
        seal: (nonce, aad, plaintext) => {
          recorded.additionalData.push(aad.slice());
          return aead.seal(nonce, aad, plaintext);
        },
        open: (nonce, aad, ciphertext, tag) => aead.open(nonce, aad, ciphertext, tag),
      };
    },
    // The record keys are wrapped, and their handles die with the test.
    wipe: (secret) => {
      if (secret instanceof Uint8Array || "type" in secret) nativeSuite.wipe(secret);
    },
  };
  return { ...recorded, suite };
}

/** An exchange of the model in which the attacker passes everything on. */
function exchangeOfTerms(): { readonly init: Message; readonly response: Message; readonly progress: Progress } {
  const [a, b] = [makeNode("A"), makeNode("B")];
  const initiator = makeSession(VERSION_2, { self: a, peer: b, role: "initiator", nth: "1" });
  const responder = makeSession(VERSION_2, { self: b, peer: a, role: "responder", nth: "1" });
  const offers = [initiator.own, responder.own];
  const choices = { offers, certificates: [a, b], signatures: "seen", twins: false } as const;
  const first = begin(VERSION_2, initiator);
  const known = Knowledge.of(first.sent);
  const [second] = steps(VERSION_2, responder, { at: "start" }, known, choices);
  const [third] = steps(VERSION_2, initiator, first.progress, known.with(second?.sent ?? []), choices);
  const { init, response } = third?.progress ?? {};
  if (third === undefined || init === undefined || response === undefined)
    throw new Error("the model's exchange is stuck");
  return { init, response, progress: third.progress };
}

describe("the terms of version 2 are the bytes of a real exchange", () => {
  const { suite, ...recorded } = recording();
  const world = makeWorld(suite);
  recorded.signed.length = 0; // the service's signatures on certificates
  const pair = establishedPair({ world, suite });
  const wire = (kind: number): Uint8Array => pair.handshake(kind)[0] ?? new Uint8Array(0);
  const { init, response, progress } = exchangeOfTerms();
  const values = new Map<Term, Uint8Array>([
    ...[KINDS.init, KINDS.response, KINDS.final, KINDS.confirm].map(
      (kind, index) => [kind, u64(INIT + index)] as const,
    ),
    ...Object.values(LABELS).map((label) => [label, utf8(label.text)] as const),
    [VERSION, u64(2)],
    [KEY_LABEL, utf8(KEY_LABEL.text)],
    [FRAME_TYPE_CHANNEL, Uint8Array.of(0)],
    [FIRST_COUNTER, u64(1)],
    [fieldOf(init, "initiator"), nodeIdBytes(world.low.id)],
    [fieldOf(init, "responder"), nodeIdBytes(world.high.id)],
    ...atomsOf(init, wire(INIT), 16 + 64, world.low.certificate),
    ...atomsOf(response, wire(RESPONSE), 16 + 8, world.high.certificate),
    [
      xOf(raise(fieldOf(response, "share"), fieldOf(init, "share").parts[0] ?? EMPTY)),
      recorded.agreed[0] ?? new Uint8Array(0),
    ],
  ]);
  const bytesOf = (term: Term): Uint8Array => evaluate(term, values);

  it("init and response have these fields in this order and no others", () => {
    expect(hex(bytesOf(init.term))).toBe(hex(wire(INIT)));
    expect(hex(bytesOf(response.term))).toBe(hex(wire(RESPONSE)));
  });

  it("all three signatures are over these bytes", () => {
    const unsigned = (message: Message): Message =>
      makeMessage(VERSION_2, message.kind, {
        ...Object.fromEntries([...message.values].filter(([f]) => f !== "signature")),
      });
    const final = makeMessage(VERSION_2, "final", { handshakeId: handshakeIdOf(init) });
    const contents = [
      signedContent(VERSION_2, "init", [unsigned(init)]),
      signedContent(VERSION_2, "response", [init, unsigned(response)]),
      signedContent(VERSION_2, "final", [init, response, final]),
    ];
    expect(contents.map((content) => hex(bytesOf(content)))).toEqual(recorded.signed.map(hex));
    expect(hex(wire(FINAL)).startsWith(hex(bytesOf(final.term)))).toBe(true);
    expect(wire(FINAL).length).toBe(bytesOf(final.term).length + 96);
  });

  it("both directions' keys are derived like this", () => {
    const keys = new Set(recorded.keys.map(hex));
    expect(keys).toEqual(
      new Set([progress.keys?.initiator, progress.keys?.responder].map((key) => hex(bytesOf(key ?? EMPTY)))),
    );
  });

  it("confirm is the first record, over these additional data, and its own fields come before the tag", () => {
    const { term } = makeConfirm(VERSION_2, handshakeIdOf(init), progress.keys?.responder ?? EMPTY);
    const header = makeMessage(VERSION_2, "confirm", { handshakeId: handshakeIdOf(init) });
    const tag = term.parts.at(-1);
    const [key, counter, additionalData, plaintext] = tag?.parts ?? [];
    expect([key, counter, plaintext]).toEqual([progress.keys?.responder, FIRST_COUNTER, EMPTY]);
    expect(hex(bytesOf(additionalData ?? EMPTY))).toBe(hex(recorded.additionalData[0] ?? new Uint8Array(0)));
    const bytes = bytesOf(header.term);
    expect(hex(wire(CONFIRM).subarray(0, bytes.length))).toBe(hex(bytes));
    expect(hex(wire(CONFIRM).subarray(bytes.length + 4, bytes.length + 12))).toBe(hex(bytesOf(FIRST_COUNTER)));
  });
});

/** The values of nonce (32), share (97), certificate (blob) and signature (96): `at` is where the nonce starts. */
function atomsOf(
  message: Message,
  bytes: Uint8Array,
  at: number,
  certificate: Uint8Array,
): readonly (readonly [Term, Uint8Array])[] {
  const blobEnd = at + 32 + 97 + 4 + certificate.length;
  expect(hex(bytes.subarray(blobEnd - certificate.length, blobEnd))).toBe(hex(certificate));
  return [
    [fieldOf(message, "nonce"), bytes.subarray(at, at + 32)],
    [fieldOf(message, "share"), bytes.subarray(at + 32, at + 32 + 97)],
    [fieldOf(message, "certificate"), bytes.subarray(at + 32 + 97, blobEnd)],
    [fieldOf(message, "signature"), bytes.subarray(blobEnd)],
  ];
}

/** The bytes of a term, by the real primitives, from the bytes of some of its parts. */
function evaluate(term: Term, values: ReadonlyMap<Term, Uint8Array>): Uint8Array {
  const value = values.get(term);
  if (value !== undefined) return value;
  const parts = term.parts.map((part) => evaluate(part, values));
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = parts;
  switch (term.made) {
    case "tuple":
      return concatBytes(...parts);
    case "hash":
      return nativeSuite.sha384(first);
    case "first8":
      return first.subarray(0, 8);
    case "extract":
      return nativeSuite.hkdfExtract("SHA-384", first, second);
    case "expand":
      return nativeSuite.hkdfExpand("SHA-384", first, second, 32);
    default:
      throw new Error(`no bytes for a ${term.made}: ${term.text}`);
  }
}
