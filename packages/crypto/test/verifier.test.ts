/** The verifier alone against the whole suite it is a part of, and its constants against a library's encoder. */
import { ECParameters, id_ecPublicKey } from "@peculiar/asn1-ecc";
import { AsnConvert } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, SubjectPublicKeyInfo } from "@peculiar/asn1-x509";
import { describe, expect, it } from "vitest";
import { CURVES } from "../src/curves.js";
import { CryptoError, nobleSuite } from "../src/index.js";
import { nobleVerifier } from "../src/verifier.js";

describe.each(CURVES)("$curve", ({ curve, oid, spkiPrefix, pointBytes }) => {
  it("has the SPKI that the library writes", () => {
    const parameters = AsnConvert.serialize(new ECParameters({ namedCurve: oid }));
    const algorithm = new AlgorithmIdentifier({ algorithm: id_ecPublicKey, parameters });
    const spki = new SubjectPublicKeyInfo({ algorithm, subjectPublicKey: new ArrayBuffer(pointBytes) });
    expect(new Uint8Array(AsnConvert.serialize(spki)).subarray(0, -pointBytes)).toEqual(spkiPrefix);
  });

  it("verifies what the suite signs, and nothing that was changed", () => {
    const { privateKey, publicKey } = nobleSuite.generateKeyPair(curve);
    const message = nobleSuite.randomBytes(40);
    const signature = nobleSuite.sign(privateKey, message);
    const key = nobleVerifier.importPublicKey(publicKey.spki);
    expect(key).toEqual(publicKey);
    expect(nobleVerifier.verify(key, message, signature)).toBe(true);
    expect(nobleVerifier.verify(key, nobleSuite.sha256(message), signature)).toBe(false);
    expect(nobleVerifier.verify(key, message, signature.subarray(1))).toBe(false);
  });

  it("refuses a point that is not on the curve, and any other encoding", () => {
    const { spki } = nobleSuite.generateKeyPair(curve).publicKey;
    const codes = Array.from({ length: spki.length }, (_, index) => {
      const changed = spki.slice();
      changed[index] = (changed[index] ?? 0) ^ 1;
      return codeOf(() => nobleVerifier.importPublicKey(changed));
    });
    expect(new Set(codes.slice(0, spkiPrefix.length))).toEqual(new Set(["malformed"]));
    expect(new Set(codes.slice(spkiPrefix.length))).toEqual(new Set(["bad-point"]));
    expect(codeOf(() => nobleVerifier.importPublicKey(spki.subarray(1)))).toBe("malformed");
  });
});

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
}
