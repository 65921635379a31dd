/**
 * Records of version 1 (channel-v1-wire §8), for talking to existing CCF nodes:
 *
 *     header (in clear) ‖ tag (16) ‖ IV (8) ‖ ciphertext (type 2) or ledger entries (type 1)
 *
 * The IV is 0 ‖ counter as 56-bit little-endian, and AES-GCM runs on those 8 bytes as they are. Neither the frame type nor a key id is in
 * a record: the first cannot be bound without changing the bytes, and for want of the second a channel reads with one key at a time.
 */
import { copyFew, type RecordFormat } from "./record-format.js";

const TAG_BYTES = 16;
const IV_OFFSET = TAG_BYTES;
const IV_BYTES = 8;
const TWO_POW_24 = 2 ** 24;
const TWO_POW_48 = 2 ** 48;

export const recordFormatV1: RecordFormat = {
  trailerBytes: TAG_BYTES + IV_BYTES,
  nonceBytes: IV_BYTES,
  aadPrefixBytes: 0,
  namesItsKey: false,
  sealsNothing: false,
  // §6: n = next send nonce + last received nonce, so both ends reach a limit with the same record.
  recordsUsed: (sent, lastReceived) => sent + 1 + lastReceived,
  writeAadPrefix() {},
  /** §8.1. Counters stay below 2^25; the rest of the IV is 0. */
  writeNonce(nonce, _iv, counter) {
    nonce.fill(0);
    writeCounter(nonce, 0, counter);
  },
  writeTrailer(target, _keyId, counter, tag) {
    target.set(tag);
    target.fill(0, IV_OFFSET, IV_OFFSET + IV_BYTES);
    writeCounter(target, IV_OFFSET, counter);
  },
  readKeyId() {
    return 0;
  },
  /**
   * The first byte, "once a thread number", takes no part in a version 1 node's replay check. Every sender writes 0; with any other the
   * same counter would have more than one nonce, so it is read as a counter beyond every limit.
   */
  readCounter(payload, offset) {
    const at = offset + IV_OFFSET;
    if (payload[at] !== 0) return Number.POSITIVE_INFINITY;
    const high = (payload[at + 7] ?? 0) * TWO_POW_48;
    return high + readU24(payload, at + 4) * TWO_POW_24 + readU24(payload, at + 1);
  },
  readTag(target, payload, offset) {
    copyFew(target, 0, payload, offset, TAG_BYTES);
  },
};

function writeCounter(target: Uint8Array, offset: number, counter: number): void {
  target[offset + 1] = counter & 0xff;
  target[offset + 2] = (counter >>> 8) & 0xff;
  target[offset + 3] = (counter >>> 16) & 0xff;
  target[offset + 4] = counter >>> 24;
}

function readU24(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8) | ((bytes[offset + 2] ?? 0) << 16);
}
