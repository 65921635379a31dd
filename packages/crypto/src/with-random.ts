/** Runs a suite on given randomness: for simulations that must repeat, and for tests. Never for production. */

import { mapHashToField } from "@noble/curves/abstract/modular.js";
import { curveFacts } from "./curves.js";
import { encodePkcs8 } from "./key-encoding.js";
import { type CryptoSuite, checkRandomLength } from "./suite.js";

/** FIPS 186-5 §A.2.1: half a field more bits than needed, so that reducing modulo n leaves no bias to speak of. */
const SEED_FACTOR = 1.5;

/**
 * The same suite with another source of randomness. `randomBytes` is passed through; `generateKeyPair` derives the
 * private scalar from 72 (P-384) or 48 (P-256) drawn bytes, so key pairs repeat with the source. Signatures repeat
 * too under the noble suite (RFC 6979), not under the native one.
 * @param suite - A plain object of functions, as both suites here are.
 * @param randomBytes - Must return exactly `length` fresh bytes.
 */
export function withRandom(suite: CryptoSuite, randomBytes: (length: number) => Uint8Array): CryptoSuite {
  const draw = (length: number): Uint8Array => {
    checkRandomLength(length);
    const bytes = randomBytes(length);
    if (bytes.length !== length) throw new RangeError(`the random source gave ${bytes.length} bytes, not ${length}`);
    return bytes;
  };
  return {
    ...suite,
    name: `${suite.name} with given randomness`,
    randomBytes: draw,
    generateKeyPair: (curve) => {
      const { noble, fieldBytes } = curveFacts(curve);
      const scalar = mapHashToField(draw(fieldBytes * SEED_FACTOR), noble.Point.Fn.ORDER);
      const pkcs8 = encodePkcs8(curve, scalar);
      const keyPair = suite.importPrivateKey(pkcs8);
      pkcs8.fill(0);
      scalar.fill(0);
      return keyPair;
    },
  };
}
