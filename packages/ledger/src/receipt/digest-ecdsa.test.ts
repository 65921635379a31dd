import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { nobleSuite, type PublicKey, signatureFromDer } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { fromHex } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifyDigest } from "./digest-ecdsa.js";
import type { VerifyingKey } from "./receipt-crypto.js";

function verifyingKey({ curve, spki }: PublicKey): VerifyingKey {
  return { curve, fieldBytes: curve === "P-384" ? 48 : 32, hash: curve === "P-384" ? "SHA-384" : "SHA-256", spki };
}

describe.each(["P-256", "P-384"] as const)("%s", (curve) => {
  const { privateKey, publicKey } = nativeSuite.generateKeyPair(curve);
  const key = verifyingKey(publicKey);

  test("agrees with a suite that hashes the message itself, on good and on changed signatures", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), fc.boolean(), (message, at, change) => {
        const signature = nativeSuite.sign(privateKey, message, "SHA-256");
        if (change) signature[at % signature.length] = (signature[at % signature.length] ?? 0) ^ 1;
        const expected = nativeSuite.verify(publicKey, message, signature, "SHA-256");
        expect(verifyDigest(key, nativeSuite.sha256(message), signature)).toBe(expected);
        expect(expected).toBe(!change);
      }),
      { numRuns: 40 },
    );
  });

  test("refuses r and s outside 1 to n − 1, other lengths, and points off the curve", () => {
    const digest = nativeSuite.sha256();
    const signature = nativeSuite.sign(privateKey, new Uint8Array(), "SHA-256");
    expect(verifyDigest(key, digest, signature)).toBe(true);
    const half = signature.length / 2;
    for (const part of [0, half]) {
      for (const byte of [0, 0xff]) {
        const other = signature.slice();
        other.fill(byte, part, part + half);
        expect(verifyDigest(key, digest, other)).toBe(false);
      }
    }
    expect(verifyDigest(key, digest, signature.subarray(1))).toBe(false);
    expect(verifyDigest(key, new Uint8Array(half + 1), signature)).toBe(false);
    const spki = publicKey.spki.slice();
    spki.fill(2, -half);
    expect(verifyDigest({ ...key, spki }, digest, signature)).toBe(false);
  });
});

const root = process.env.SEALANE_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));
const vectors = `${root}/wycheproof/ecdsa_secp384r1_sha384_test.json`;
if (!existsSync(vectors)) test.skip("skipped: the Wycheproof vectors are not here (set SEALANE_SHARED)", () => {});

test.runIf(existsSync(vectors))("Wycheproof, ECDSA on P-384 with SHA-384", () => {
  const { testGroups } = JSON.parse(readFileSync(vectors, "utf8"));
  let valid = 0;
  for (const { publicKeyDer, tests } of testGroups) {
    const key = verifyingKey(nobleSuite.importPublicKey(fromHex(publicKeyDer)));
    for (const { msg, sig, result } of tests) {
      let raw: Uint8Array;
      try {
        raw = signatureFromDer(fromHex(sig), "P-384");
      } catch {
        expect(result).not.toBe("valid");
        continue;
      }
      expect(verifyDigest(key, nativeSuite.sha384(fromHex(msg)), raw)).toBe(result === "valid");
      if (result === "valid") valid++;
    }
  }
  expect(valid).toBeGreaterThan(100);
});
