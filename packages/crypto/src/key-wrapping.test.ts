import { createPrivateKey, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type KeyWrapping, WRAPPED_SECRET_BYTES_MAX } from "./key-wrapping.js";
import { nativeKeyWrapping } from "./native-key-wrapping.js";
import { simulatedKeyWrapping } from "./simulated-suite.js";

let drawn = 0;
const draw = (length: number): Uint8Array => new Uint8Array(length).map(() => ++drawn % 251);
const SECRET = new Uint8Array(32).map((_, index) => index * 7);

describe.each<[string, KeyWrapping]>([
  ["native", nativeKeyWrapping],
  ["simulated", simulatedKeyWrapping(draw)],
])("%s key wrapping", (_name, wrapping) => {
  const own = wrapping.generateKeyPair();
  const other = wrapping.generateKeyPair();

  it("opens for the holder of the key, and for nobody else", () => {
    const wrapped = wrapping.wrap(own.publicKey, SECRET);
    expect(wrapping.unwrap(own.privateKey, wrapped)).toEqual(SECRET);
    expect(wrapping.unwrap(other.privateKey, wrapped)).toBeUndefined();
  });

  it("does not open when anything was changed, cut or added", () => {
    const wrapped = wrapping.wrap(own.publicKey, SECRET);
    for (let at = 0; at < wrapped.length; at += 13) {
      const changed = wrapped.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(wrapping.unwrap(own.privateKey, changed)).toBeUndefined();
    }
    for (const bytes of [new Uint8Array(0), wrapped.subarray(1), new Uint8Array([...wrapped, 0])]) {
      expect(wrapping.unwrap(own.privateKey, bytes)).toBeUndefined();
    }
  });

  it("takes secrets up to the length that RSA-OAEP allows", () => {
    const longest = new Uint8Array(WRAPPED_SECRET_BYTES_MAX).fill(3);
    expect(wrapping.unwrap(own.privateKey, wrapping.wrap(own.publicKey, longest))).toEqual(longest);
    expect(() => wrapping.wrap(own.publicKey, new Uint8Array(WRAPPED_SECRET_BYTES_MAX + 1))).toThrow(RangeError);
  });

  it("refuses what is no key", () => {
    for (const pem of ["", "-----BEGIN PUBLIC KEY-----\nAAA\n-----END PUBLIC KEY-----\n"]) {
      expect(() => wrapping.wrap(pem, SECRET)).toThrow(expect.objectContaining({ name: "CryptoError" }));
    }
  });
});

describe("native key wrapping", () => {
  it("is RSA-OAEP with SHA-256 for both hashes and no label, as CCF's", () => {
    const { publicKey, privateKey } = nativeKeyWrapping.generateKeyPair();
    const key = createPrivateKey({ key: Buffer.from(privateKey), format: "der", type: "pkcs8" });
    expect(key.asymmetricKeyDetails).toMatchObject({ modulusLength: 2_048 });
    const options = { key, padding: 4, oaepHash: "sha256" }; // 4: RSA_PKCS1_OAEP_PADDING
    expect(new Uint8Array(privateDecrypt(options, nativeKeyWrapping.wrap(publicKey, SECRET)))).toEqual(SECRET);
  });

  it("refuses keys of another kind, another length, and files that hold more than a public key", () => {
    const pem = (key: { export(options: { format: "pem"; type: "spki" }): string | Buffer }): string =>
      String(key.export({ format: "pem", type: "spki" }));
    const wrong = [
      pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey),
      pem(generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey),
      String(generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({ format: "pem", type: "pkcs8" })),
    ];
    for (const key of wrong) {
      expect(() => nativeKeyWrapping.wrap(key, SECRET)).toThrow(expect.objectContaining({ name: "CryptoError" }));
    }
  });
});
