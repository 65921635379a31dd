/**
 * Entry point `@sealane/crypto/testing`: what every {@link CryptoSuite} must do, as vitest tests. Call it at the top level of a
 * test file. Known answers come from the RFCs and NIST papers named at each; the rest compares with a reference suite.
 */

import { describe } from "vitest";
import { nobleSuite } from "./noble-suite.js";
import type { CryptoSuite, Curve } from "./suite.js";
import { aead, secrets } from "./testing-aead.js";
import { hashing, randomness } from "./testing-hashing.js";
import { agreement, keys, signatures } from "./testing-keys.js";

const CURVES: readonly Curve[] = ["P-384", "P-256"];

/**
 * Registers the tests.
 * @param suite - The suite under test.
 * @param reference - Another suite to interoperate with; the portable one unless given.
 * @example
 * cryptoSuiteConformance(mySuite);
 */
export function cryptoSuiteConformance(suite: CryptoSuite, reference: CryptoSuite = nobleSuite): void {
  describe(`${suite.name} suite, compared with ${reference.name}`, () => {
    describe("random bytes", () => randomness(suite));
    describe("hashes and key derivation", () => hashing(suite, reference));
    describe.each(CURVES)("%s keys", (curve) => keys(suite, reference, curve));
    describe.each(CURVES)("%s signatures", (curve) => signatures(suite, reference, curve));
    describe.each(CURVES)("%s agreement", (curve) => agreement(suite, reference, curve));
    describe("AES-256-GCM", () => aead(suite, reference));
    describe("secrets", () => secrets(suite));
  });
}
