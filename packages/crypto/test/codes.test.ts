/** Each code of the two closed lists is provoked: the types below name them all, so a new code without a test does not compile. */

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type CertificateErrorCode,
  type CryptoErrorCode,
  type CryptoSuite,
  nobleSuite,
  signatureFromDer,
} from "../src/index.js";
import { encodePkcs8 } from "../src/key-encoding.js";
import { nativeSuite } from "../src/native.js";
import { CHAIN_CASES } from "./certificates/chain-cases.js";
import { CONTENT_CASES } from "./certificates/content-cases.js";
import { ENCODING_CASES } from "./certificates/encoding-cases.js";
import { EXTENSION_CASES } from "./certificates/extension-cases.js";

const SCALAR = new Uint8Array(48).fill(1);

const PROVOKE: Readonly<Record<CryptoErrorCode, (suite: CryptoSuite) => unknown>> = {
  malformed: (suite) => suite.importPublicKey(new Uint8Array()),
  "not-canonical": (suite) => suite.importPublicKey(Uint8Array.of(...suite.generateKeyPair("P-384").publicKey.spki, 0)),
  "unsupported-algorithm": (suite) => suite.importPublicKey(spkiOf(generateKeyPairSync("ed25519").publicKey)),
  "unsupported-curve": (suite) =>
    suite.importPublicKey(spkiOf(generateKeyPairSync("ec", { namedCurve: "P-521" }).publicKey)),
  "bad-point": (suite) => suite.importPoint("P-384", new Uint8Array(97)),
  "bad-scalar": (suite) => suite.importPrivateKey(encodePkcs8("P-384", new Uint8Array(48))),
  "key-mismatch": (suite) =>
    suite.importPrivateKey(encodePkcs8("P-384", SCALAR, suite.generateKeyPair("P-384").publicKey.point)),
  "bad-signature": () => signatureFromDer(new Uint8Array(), "P-384"),
};

describe.each([nativeSuite, nobleSuite])("a CryptoError of the $name suite", (suite) => {
  test.each(Object.entries(PROVOKE))("%s", (code, provoke) => {
    expect(() => provoke(suite)).toThrow(expect.objectContaining({ name: "CryptoError", code }));
  });
});

/** Each has to be the verdict on a certificate of the tables, where `hostile-certificates.test.ts` tries them. */
const CERTIFICATE_CODES: Readonly<Record<CertificateErrorCode, true>> = {
  "too-large": true,
  malformed: true,
  "not-canonical": true,
  "unsupported-version": true,
  "unsupported-algorithm": true,
  "unsupported-curve": true,
  "bad-public-key": true,
  "bad-validity": true,
  "duplicate-extension": true,
  "bad-extension": true,
  "unknown-critical-extension": true,
  "anchor-not-ca": true,
  "not-end-entity": true,
  "wrong-usage": true,
  "issuer-mismatch": true,
  "authority-key-mismatch": true,
  "bad-signature": true,
  "not-yet-valid": true,
  expired: true,
};

test("each code of a CertificateError is the verdict on some certificate", () => {
  const tables = [ENCODING_CASES, CONTENT_CASES, EXTENSION_CASES, CHAIN_CASES];
  const verdicts = new Set<string>(tables.flat().map(([verdict]) => verdict));
  verdicts.delete("accepted");
  expect([...verdicts].toSorted()).toEqual(Object.keys(CERTIFICATE_CODES).toSorted());
});

function spkiOf(key: ReturnType<typeof generateKeyPairSync>["publicKey"]): Uint8Array {
  return Uint8Array.from(key.export({ type: "spki", format: "der" }));
}
