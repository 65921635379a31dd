/**
 * The key schedule of version 2 (channel-v2 §4):
 *
 *     Z    = ECDH X coordinate, 48 bytes          TH  = SHA-384(init ‖ response)
 *     PRK  = HKDF-Extract-SHA-384(salt = TH, ikm = Z)
 *     for each direction d = id(from) ‖ id(to):
 *       key   = HKDF-Expand(PRK, "sealane/channel/2/key" ‖ d, 32)
 *       iv    = HKDF-Expand(PRK, "sealane/channel/2/iv"  ‖ d, 12)
 *       keyId = HKDF-Expand(PRK, "sealane/channel/2/id"  ‖ d, 4)
 *
 * TH covers both ids, nonces, shares, certificates and signatures, so two ends with equal keys agree on all of them.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { concatBytes, type NodeId, nodeIdBytes, utf8 } from "@sealane/wire";
import type { DirectionSecrets } from "./send-key.js";

const KEY_LABEL = utf8("sealane/channel/2/key");
const IV_LABEL = utf8("sealane/channel/2/iv");
const KEY_ID_LABEL = utf8("sealane/channel/2/id");

/**
 * Both directions' secrets, as seen from `self`.
 * @param sharedSecret - Z. Taken over and wiped, as is PRK.
 * @param transcript - init ‖ response, all bytes of both. Borrowed.
 */
export function deriveKeys(
  suite: CryptoSuite,
  sharedSecret: Uint8Array,
  transcript: Uint8Array,
  { self, peer }: { readonly self: NodeId; readonly peer: NodeId },
): { readonly send: DirectionSecrets; readonly receive: DirectionSecrets } {
  const pseudorandomKey = suite.hkdfExtract("SHA-384", suite.sha384(transcript), sharedSecret);
  suite.wipe(sharedSecret);
  const direction = (from: NodeId, to: NodeId): DirectionSecrets => {
    const ids = concatBytes(nodeIdBytes(from), nodeIdBytes(to));
    const expand = (label: Uint8Array, length: number): Uint8Array =>
      suite.hkdfExpand("SHA-384", pseudorandomKey, concatBytes(label, ids), length);
    return { key: expand(KEY_LABEL, 32), iv: expand(IV_LABEL, 12), keyId: expand(KEY_ID_LABEL, 4) };
  };
  const keys = { send: direction(self, peer), receive: direction(peer, self) };
  suite.wipe(pseudorandomKey);
  return keys;
}
