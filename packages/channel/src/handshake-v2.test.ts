import { CryptoError, type CryptoSuite, EndorsementCache } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { WireError } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { makeWorld, other, type Side } from "../test/harness.js";
import { HandshakeError } from "./errors.js";
import { readMessage, startInit } from "./handshake-v2.js";
import type { Party } from "./party.js";

const world = makeWorld();
const party = (side: Side, suite: CryptoSuite = nativeSuite): Party => ({
  suite,
  self: world[side],
  peer: world[other(side)].id,
  trust: { serviceCertificate: world.service.certificate, trusted: () => true },
  cache: new EndorsementCache(),
});

function refusal(act: () => unknown): HandshakeError {
  try {
    act();
  } catch (error) {
    if (error instanceof HandshakeError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("what is no message of version 2", () => {
  const message = (kind: number, at = 0): Uint8Array => {
    const payload = startInit(party("low")).init.slice();
    payload.fill(0, 0, 16);
    payload[at] = kind;
    if (at > 0) payload[0] = 16;
    return payload;
  };

  it.each([
    [16, 0, "wrong-version"],
    [19, 0, "wrong-version"],
    [15, 0, "unknown-kind"],
    [20, 0, "unknown-kind"],
    [1, 1, "unknown-kind"],
    [1, 6, "unknown-kind"],
  ])("a first field with %i at byte %i is refused as %s", (kind, at, code) => {
    const error = refusal(() => readMessage(party("high"), message(kind, at)));
    expect([error.code, error.cause instanceof WireError]).toEqual([code, true]);
  });

  it("a cut one is refused by the layout's own code", () => {
    const error = refusal(() => readMessage(party("high"), startInit(party("low")).init.subarray(0, 200)));
    expect([error.code, error.cause instanceof WireError]).toEqual(["truncated", true]);
  });
});

describe("a share", () => {
  const verifyWith = (importPoint: CryptoSuite["importPoint"]) => {
    const read = readMessage(party("high", { ...nativeSuite, importPoint }), startInit(party("low")).init);
    if (read.kind !== "init") throw new Error("an init was sent");
    return read.verify();
  };

  it("that is refused by the suite is a bad one", () => {
    const cause = refusal(() => verifyWith((curve, point) => nativeSuite.importPoint(curve, point.slice().fill(1, 1))));
    expect([cause.code, cause.cause instanceof CryptoError]).toEqual(["bad-share", true]);
  });

  it("is not blamed for a bug", () => {
    const broken = () => {
      throw new TypeError("a bug");
    };
    expect(() => verifyWith(broken)).toThrow(TypeError);
  });
});
