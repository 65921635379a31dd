import { createHash, hkdfSync } from "node:crypto";
import { nobleSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { NodeId } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { deriveKeys } from "./key-schedule-v2.js";

const SELF = NodeId.parse("11".repeat(32));
const PEER = NodeId.parse("ee".repeat(32));
const TRANSCRIPT = Uint8Array.from({ length: 300 }, (_, index) => index & 0xff);
const sharedSecret = () => new Uint8Array(48).fill(9);

/** HKDF in one call of another implementation: extract with the salt, then expand. */
function expected(label: string, from: NodeId, to: NodeId, length: number): Uint8Array {
  const salt = createHash("sha384").update(TRANSCRIPT).digest();
  const info = Buffer.concat([Buffer.from(label), Buffer.from(from + to, "hex")]);
  return new Uint8Array(hkdfSync("sha384", sharedSecret(), salt, info, length));
}

describe.each([nativeSuite, nobleSuite])("deriveKeys on the $name suite", (suite) => {
  const keys = deriveKeys(suite, sharedSecret(), TRANSCRIPT, { self: SELF, peer: PEER });

  it("derives key, iv and key id of both directions as the specification writes them", () => {
    for (const [direction, from, to] of [
      [keys.send, SELF, PEER],
      [keys.receive, PEER, SELF],
    ] as const) {
      expect(direction.key).toEqual(expected("sealane/channel/2/key", from, to, 32));
      expect(direction.iv).toEqual(expected("sealane/channel/2/iv", from, to, 12));
      expect(direction.keyId).toEqual(expected("sealane/channel/2/id", from, to, 4));
    }
  });

  it("gives the other end the same secrets the other way round", () => {
    const theirs = deriveKeys(suite, sharedSecret(), TRANSCRIPT, { self: PEER, peer: SELF });
    expect(theirs.send).toEqual(keys.receive);
    expect(theirs.receive).toEqual(keys.send);
  });

  it("wipes Z and PRK", () => {
    const secret = sharedSecret();
    const wiped: Uint8Array[] = [];
    const watching = {
      ...suite,
      wipe: (bytes: Parameters<typeof suite.wipe>[0]) => {
        if (bytes instanceof Uint8Array) wiped.push(bytes);
        suite.wipe(bytes);
      },
    };
    deriveKeys(watching, secret, TRANSCRIPT, { self: SELF, peer: PEER });
    expect(wiped.map(({ length }) => length)).toEqual([48, 48]);
    expect(wiped[0]).toBe(secret);
    for (const bytes of wiped) expect(bytes.every((byte) => byte === 0)).toBe(true);
  });
});
