/**
 * The key schedule of version 1 (channel-v1-wire §4):
 *
 *     Z              = ECDH on P-384, X coordinate, 48 bytes
 *     key(from → to) = HKDF-SHA256(ikm = Z, salt = salt of the init, info = id(from) ‖ id(to) as ASCII, 32 bytes)
 *
 * The salt is signed by nobody, so a changed one gives the two ends different keys; `exchange.ts` notices that by the records that fail.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { type NodeId, utf8 } from "@sealane/wire";
import type { DirectionSecrets } from "./send-key.js";

const KEY_BYTES = 32;
/** §8.1: the nonce is the counter alone, 8 bytes, and nothing is mixed into it. */
const IV_BYTES = 8;
/** A record of version 1 names no key. */
const KEY_ID_BYTES = 4;

/**
 * Both directions' secrets, as seen from `self`.
 * @param sharedSecret - Z. Taken over and wiped, as is the pseudorandom key.
 * @param salt - 32 bytes, of the init. Borrowed.
 */
export function deriveKeysV1(
  suite: CryptoSuite,
  sharedSecret: Uint8Array,
  salt: Uint8Array,
  { self, peer }: { readonly self: NodeId; readonly peer: NodeId },
): { readonly send: DirectionSecrets; readonly receive: DirectionSecrets } {
  const pseudorandomKey = suite.hkdfExtract("SHA-256", salt, sharedSecret);
  suite.wipe(sharedSecret);
  const direction = (from: NodeId, to: NodeId): DirectionSecrets => ({
    key: suite.hkdfExpand("SHA-256", pseudorandomKey, utf8(from + to), KEY_BYTES),
    iv: new Uint8Array(IV_BYTES),
    keyId: new Uint8Array(KEY_ID_BYTES),
  });
  const keys = { send: direction(self, peer), receive: direction(peer, self) };
  suite.wipe(pseudorandomKey);
  return keys;
}
