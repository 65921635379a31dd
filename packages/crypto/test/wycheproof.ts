/**
 * Project Wycheproof (C2SP/wycheproof, testvectors_v1) against a suite. Every vector counts: `valid` must give the stated
 * result, `invalid` must be refused; `acceptable` is refused here without exception. What lies outside our interface is
 * named by its property and must be refused too.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type CryptoSuite, type KeyPair, type PublicKey, signatureFromDer } from "../src/index.js";
import { encodePkcs8 } from "../src/key-encoding.js";
import { sharedPath } from "./shared.js";

interface Vector {
  readonly tcId: number;
  readonly flags: readonly string[];
  readonly result: "valid" | "invalid" | "acceptable";
  /** Every other field of a vector or its group, as text: hex but for sizes. */
  readonly field: (name: string) => string;
}

const privateKeys = new Map<string, KeyPair>();
const agreements = new Map<string, Uint8Array>();
const verdicts = new Map<string, boolean>();

/**
 * Registers a test for each file.
 * @param whole - Every vector. Otherwise of the slow files the first two of each kind and then every fifth: a kind is a result and its flags.
 */
export function wycheproof(suite: CryptoSuite, whole: boolean): void {
  describe(`${suite.name} suite`, () => {
    for (const [file, { isSlow, check }] of Object.entries(FILES)) {
      const path = sharedPath(`wycheproof/${file}`);
      if (path === undefined) continue;
      const all = readVectors(path);
      const chosen = whole || !isSlow ? all : sampleOf(all);
      test(`${file}: ${chosen.length} of ${all.length} vectors`, { timeout: 60_000 }, () => {
        for (const vector of chosen) {
          try {
            check(suite, vector);
          } catch (cause) {
            throw new Error(`vector ${vector.tcId} (${vector.result}: ${vector.flags.join(", ")})`, { cause });
          }
        }
        expect(all.length).toBeGreaterThan(50);
      });
    }
  });
}

function sampleOf(vectors: readonly Vector[]): readonly Vector[] {
  const seen = new Map<string, number>();
  return vectors.filter(({ result, flags }) => {
    const kind = `${result} ${flags.join(" ")}`;
    const count = seen.get(kind) ?? 0;
    seen.set(kind, count + 1);
    return count < 2 || count % 5 === 0;
  });
}

type Check = (suite: CryptoSuite, vector: Vector) => void;

/** How each file is checked, and whether noble takes so long for one vector (1 to 5 ms) that a sample has to do in the short tests. */
const FILES: Readonly<Record<string, { readonly isSlow: boolean; readonly check: Check }>> = {
  "aes_gcm_test.json": {
    isSlow: false,
    check: (suite, { result, field }) => {
      const nonce = bytes(field("iv"));
      const open = () =>
        suite.aead(bytes(field("key"))).open(nonce, bytes(field("aad")), bytes(field("ct")), bytes(field("tag")));
      // Ours is AES-256 with nonces of 8 to 128 bytes; the rest is refused before anything is computed.
      if (field("keySize") !== "256" || nonce.length < 8 || nonce.length > 128) {
        expect(open).toThrow(RangeError);
        return;
      }
      const plaintext = open();
      expect(plaintext && hex(plaintext)).toBe(result === "valid" ? field("msg") : undefined);
      if (result !== "valid") return;
      const sealed = suite.aead(bytes(field("key"))).seal(nonce, bytes(field("aad")), bytes(field("msg")));
      expect([hex(sealed.ciphertext), hex(sealed.tag)]).toEqual([field("ct"), field("tag")]);
    },
  },
  "hmac_sha256_test.json": {
    isSlow: false,
    check: (suite, { result, field }) => {
      const tag = bytes(field("tag"));
      const mac = suite.hmacSha256(bytes(field("key")), bytes(field("msg"))).subarray(0, tag.length);
      expect(suite.equal(mac, tag)).toBe(result === "valid");
    },
  },
  "hkdf_sha256_test.json": {
    isSlow: false,
    check: (suite, { result, field }) => {
      const prk = suite.hkdfExtract("SHA-256", bytes(field("salt")), bytes(field("ikm")));
      const expand = () => suite.hkdfExpand("SHA-256", prk, bytes(field("info")), Number(field("size")));
      if (result === "valid") expect(hex(expand())).toBe(field("okm"));
      else expect(expand).toThrow(RangeError);
    },
  },
  "ecdsa_secp384r1_sha384_p1363_test.json": {
    isSlow: true,
    check: (suite, { result, field }) => {
      const key = suite.importPublicKey(bytes(field("publicKeyDer")));
      expect(verifyRaw(suite, key, bytes(field("msg")), bytes(field("sig")))).toBe(result === "valid");
    },
  },
  "ecdsa_secp384r1_sha384_test.json": {
    isSlow: true,
    check: (suite, { result, field }) => {
      const key = suite.importPublicKey(bytes(field("publicKeyDer")));
      expect(verifyDer(suite, key, bytes(field("msg")), bytes(field("sig")))).toBe(result === "valid");
    },
  },
  "ecdh_secp384r1_ecpoint_test.json": {
    isSlow: true,
    check: (suite, { result, field }) => {
      const agree = () => sharedSecret(suite, field("private"), suite.importPoint("P-384", bytes(field("public"))));
      // The one acceptable vector is a compressed point.
      if (result === "valid") expect(hex(agree())).toBe(field("shared"));
      else expect(agree).toThrow(expect.objectContaining({ code: "bad-point" }));
    },
  },
  "ecdh_secp384r1_test.json": {
    isSlow: true,
    check: (suite, { result, field }) => {
      const agree = () => sharedSecret(suite, field("private"), suite.importPublicKey(bytes(field("public"))));
      // Acceptable are compressed points, explicit curve parameters and other ASN.1 than the one DER encoding.
      if (result === "valid") expect(hex(agree())).toBe(field("shared"));
      else expect(refusal(agree)).toMatch(/^(CryptoError|TypeError: the two keys are on different curves)/);
    },
  },
};

function verifyDer(suite: CryptoSuite, key: PublicKey, message: Uint8Array, der: Uint8Array): boolean {
  let raw: Uint8Array;
  try {
    raw = signatureFromDer(der, key.curve);
  } catch (error) {
    expect(error).toMatchObject({ name: "CryptoError", code: "bad-signature" });
    return false;
  }
  return verifyRaw(suite, key, message, raw);
}

/** The two ECDSA files hold many signatures in both encodings, so each is verified once per suite. */
function verifyRaw(suite: CryptoSuite, key: PublicKey, message: Uint8Array, raw: Uint8Array): boolean {
  const what = [suite.name, ...[key.spki, message, raw].map(hex)].join(" ");
  return once(what, verdicts, () => suite.verify(key, message, raw));
}

/**
 * The two ECDH files hold the same key pairs in two encodings, so each agreement is computed once per suite.
 * @param privateHex - A number in hex, with or without leading zeros.
 */
function sharedSecret(suite: CryptoSuite, privateHex: string, peer: PublicKey): Uint8Array {
  const scalar = privateHex.replace(/^0+/, "").padStart(96, "0");
  const own = once(`${suite.name} ${scalar}`, privateKeys, () =>
    suite.importPrivateKey(encodePkcs8("P-384", bytes(scalar))),
  );
  return once(`${suite.name} ${scalar} ${hex(peer.spki)}`, agreements, () => suite.agree(own.privateKey, peer));
}

function once<T>(key: string, known: Map<string, T>, compute: () => T): T {
  const value = known.get(key) ?? compute();
  known.set(key, value);
  return value;
}

function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return String(error);
  }
  return "accepted";
}

function readVectors(path: string): readonly Vector[] {
  // The published JSON schema of the files; a field that is not there fails its test below.
  const parsed = JSON.parse(readFileSync(path, "utf8")) as {
    readonly testGroups: readonly (Record<string, unknown> & {
      readonly tests: readonly (Record<string, unknown> & Omit<Vector, "field">)[];
    })[];
  };
  return parsed.testGroups.flatMap((group) =>
    group.tests.map((vector) => ({
      tcId: vector.tcId,
      flags: vector.flags,
      result: vector.result,
      field: (name) => {
        const value = vector[name] ?? group[name];
        if (typeof value !== "string" && typeof value !== "number") throw new Error(`the vector has no ${name}`);
        return String(value);
      },
    })),
  );
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
