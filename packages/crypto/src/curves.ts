/** What this package knows about its two curves (SEC 2 v2 §2.4, §2.5; object identifiers RFC 5480 §2.1.1.1). */

import { p256, p384 } from "@noble/curves/nist.js";
import { id_secp256r1, id_secp384r1 } from "@peculiar/asn1-ecc";
import type { Curve, HashName } from "./suite.js";

export interface CurveFacts {
  readonly curve: Curve;
  /** Length of a coordinate, of a scalar, and of r and s each. */
  readonly fieldBytes: number;
  /** 0x04 ‖ X ‖ Y. */
  readonly pointBytes: number;
  readonly oid: string;
  readonly defaultHash: HashName;
  readonly noble: typeof p384;
}

const FACTS: Readonly<Record<Curve, CurveFacts>> = {
  "P-384": { curve: "P-384", fieldBytes: 48, pointBytes: 97, oid: id_secp384r1, defaultHash: "SHA-384", noble: p384 },
  "P-256": { curve: "P-256", fieldBytes: 32, pointBytes: 65, oid: id_secp256r1, defaultHash: "SHA-256", noble: p256 },
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
