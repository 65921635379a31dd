import { bytesToHex } from "@noble/hashes/utils.js";
import type { CryptoSuite } from "./suite.js";

/**
 * The name of a key: node ids, member ids and service ids are all SHA-256 over the SubjectPublicKeyInfo.
 * @param spki - DER, as `PublicKey.spki` holds it.
 * @returns 64 lower-case hex characters.
 */
export function spkiHash(suite: CryptoSuite, spki: Uint8Array): string {
  return bytesToHex(suite.sha256(spki));
}
