/** The leaf of an entry in the Merkle tree (ledger spec §6.1). */
import type { CryptoSuite } from "@sealane/crypto";
import { DIGEST_BYTES } from "./limits.js";

/** Holds the digests of one leaf side by side for the length of one call: a hash over one piece of memory costs half of one over three. */
const joined = new Uint8Array(3 * DIGEST_BYTES);

/**
 * A type 0 entry's digest is not hashed again; the others hash what they carry, in this order.
 * @param evidence - Commit evidence digest, 32 bytes; types 3 and 4.
 * @param claims - Claims digest, 32 bytes; types 2 and 4.
 * @returns 32 bytes.
 */
export function leafHash(
  suite: Pick<CryptoSuite, "sha256">,
  writeSetDigest: Uint8Array,
  evidence: Uint8Array | undefined,
  claims: Uint8Array | undefined,
): Uint8Array {
  if (evidence === undefined && claims === undefined) return writeSetDigest;
  joined.set(writeSetDigest);
  let end = DIGEST_BYTES;
  if (evidence !== undefined) {
    joined.set(evidence, end);
    end += DIGEST_BYTES;
  }
  if (claims !== undefined) {
    joined.set(claims, end);
    end += DIGEST_BYTES;
  }
  return suite.sha256(end === joined.length ? joined : joined.subarray(0, end));
}
