/** How recovery material is encrypted (ledger spec §11.2): AES-256-GCM without additional data, as tag ‖ IV ‖ ciphertext. */
import type { CryptoSuite } from "@sealane/crypto";
import { IV_BYTES, TAG_BYTES } from "../limits.js";

const KEY_BYTES = 32;
const NO_BYTES = new Uint8Array(0);
/** tag(16) ‖ IV(12) ‖ ciphertext(32). */
export const WRAPPED_BYTES = TAG_BYTES + IV_BYTES + KEY_BYTES;

/** The key that the ledger secret is wrapped with. @param secret - 40 bytes. As the spec has it, the info repeats the input. */
export function wrappingKey(suite: CryptoSuite, secret: Uint8Array): Uint8Array {
  const prk = suite.hkdfExtract("SHA-256", NO_BYTES, secret);
  return suite.hkdfExpand("SHA-256", prk, secret, KEY_BYTES);
}

/** @param iv - 12 bytes; zeros where `key` is used once. */
export function wrapSecret(suite: CryptoSuite, key: Uint8Array, iv: Uint8Array, secret: Uint8Array): Uint8Array {
  const { ciphertext, tag } = suite.aead(key).seal(iv, NO_BYTES, secret);
  const wrapped = new Uint8Array(WRAPPED_BYTES);
  wrapped.set(tag, 0);
  wrapped.set(iv, TAG_BYTES);
  wrapped.set(ciphertext, TAG_BYTES + IV_BYTES);
  return wrapped;
}

/** @returns the 32 bytes; `undefined` when `key` did not wrap them. */
export function unwrapSecret(suite: CryptoSuite, key: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  if (wrapped.length !== WRAPPED_BYTES) return undefined;
  const tag = wrapped.subarray(0, TAG_BYTES);
  const iv = wrapped.subarray(TAG_BYTES, TAG_BYTES + IV_BYTES);
  return suite.aead(key).open(iv, NO_BYTES, wrapped.subarray(TAG_BYTES + IV_BYTES), tag);
}
