/** What this package knows about its two curves (SEC 2 v2 §2.4, §2.5; object identifiers RFC 5480 §2.1.1.1). */

import { p256, p384 } from "@noble/curves/nist.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { concat, samePublicBytes } from "./bytes.js";
import type { Curve, HashName } from "./suite.js";

export interface CurveFacts {
  readonly curve: Curve;
  /** Length of a coordinate, of a scalar, and of r and s each. */
  readonly fieldBytes: number;
  /** 0x04 ‖ X ‖ Y. */
  readonly pointBytes: number;
  readonly oid: string;
  /** A SubjectPublicKeyInfo (RFC 5480 §2) is this constant followed by the point. */
  readonly spkiPrefix: Uint8Array;
  readonly defaultHash: HashName;
  readonly noble: typeof p384;
}

const FACTS: Readonly<Record<Curve, CurveFacts>> = {
  "P-384": {
    curve: "P-384",
    fieldBytes: 48,
    pointBytes: 97,
    oid: "1.3.132.0.34",
    spkiPrefix: hexToBytes("3076301006072a8648ce3d020106052b81040022036200"),
    defaultHash: "SHA-384",
    noble: p384,
  },
  "P-256": {
    curve: "P-256",
    fieldBytes: 32,
    pointBytes: 65,
    oid: "1.2.840.10045.3.1.7",
    spkiPrefix: hexToBytes("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
    defaultHash: "SHA-256",
    noble: p256,
  },
};

export const CURVES: readonly CurveFacts[] = [FACTS["P-384"], FACTS["P-256"]];

/** @throws {RangeError} when a caller without types asks for another curve. */
export function curveFacts(curve: Curve): CurveFacts {
  const facts = Object.hasOwn(FACTS, curve) ? FACTS[curve] : undefined;
  if (facts === undefined) throw new RangeError("the curve is P-384 or P-256");
  return facts;
}

/** SEC1 prefix of an uncompressed point. */
export const UNCOMPRESSED = 0x04;

/** Whether the bytes have the shape of an uncompressed point. Says nothing about the curve equation. */
export function hasPointShape(facts: CurveFacts, point: Uint8Array): boolean {
  return point.length === facts.pointBytes && point[0] === UNCOMPRESSED;
}

/** @param point - Uncompressed, of the curve's length. */
export function encodeSpki(curve: Curve, point: Uint8Array): Uint8Array {
  return concat([curveFacts(curve).spkiPrefix, point]);
}

/** The point of a SubjectPublicKeyInfo in its one encoding; `undefined` for any other bytes. Freshly allocated, not checked against the curve. */
export function spkiPoint(spki: Uint8Array): { readonly curve: Curve; readonly point: Uint8Array } | undefined {
  const facts = CURVES.find(
    ({ spkiPrefix, pointBytes }) =>
      spki.length === spkiPrefix.length + pointBytes &&
      samePublicBytes(spki.subarray(0, spkiPrefix.length), spkiPrefix),
  );
  return facts && { curve: facts.curve, point: spki.slice(facts.spkiPrefix.length) };
}
