/**
 * Records of version 2 (channel-v2 §5):
 *
 *     header (in clear) ‖ keyId (4) ‖ counter (u64 LE) ‖ tag (16) ‖ ciphertext (type 2) or ledger entries (type 1)
 *
 * The trailer is the one `@sealane/wire` draws (`encodeRecordTrailer`). It is written here by hand, since this runs once for every
 * header on every link; a test holds the two together.
 */
import { RECORD_TRAILER_BYTES } from "@sealane/wire";
import { copyFew, type RecordFormat } from "./record-format.js";

const COUNTER_OFFSET = 4;
const TAG_OFFSET = COUNTER_OFFSET + 8;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const TWO_POW_32 = 2 ** 32;

export const recordFormatV2: RecordFormat = {
  trailerBytes: RECORD_TRAILER_BYTES,
  nonceBytes: NONCE_BYTES,
  // §5: AAD = frame type as one byte ‖ header. So a record of one type never opens as one of another.
  aadPrefixBytes: 1,
  namesItsKey: true,
  sealsNothing: true,
  recordsUsed: (sent) => sent,
  writeAadPrefix(aad, frameType) {
    aad[0] = frameType;
  },
  /** §5, RFC 8446 §5.3: nonce = iv XOR (0⁴ ‖ counter as big-endian u64). Counters stay below 2^25, so only four bytes can differ. */
  writeNonce(nonce, iv, counter) {
    copyFew(nonce, 0, iv, 0, NONCE_BYTES);
    nonce[8] = (nonce[8] ?? 0) ^ (counter >>> 24);
    nonce[9] = (nonce[9] ?? 0) ^ ((counter >>> 16) & 0xff);
    nonce[10] = (nonce[10] ?? 0) ^ ((counter >>> 8) & 0xff);
    nonce[11] = (nonce[11] ?? 0) ^ (counter & 0xff);
  },
  writeTrailer(target, keyId, counter, tag) {
    copyFew(target, 0, keyId, 0, COUNTER_OFFSET);
    target[COUNTER_OFFSET] = counter & 0xff;
    target[COUNTER_OFFSET + 1] = (counter >>> 8) & 0xff;
    target[COUNTER_OFFSET + 2] = (counter >>> 16) & 0xff;
    target[COUNTER_OFFSET + 3] = counter >>> 24;
    for (let at = COUNTER_OFFSET + 4; at < TAG_OFFSET; at++) target[at] = 0;
    copyFew(target, TAG_OFFSET, tag, 0, TAG_BYTES);
  },
  readKeyId(payload, offset) {
    return readU32(payload, offset);
  },
  readCounter(payload, offset) {
    return readU32(payload, offset + COUNTER_OFFSET) + TWO_POW_32 * readU32(payload, offset + COUNTER_OFFSET + 4);
  },
  readTag(target, payload, offset) {
    copyFew(target, 0, payload, offset + TAG_OFFSET, TAG_BYTES);
  },
};

/** Little-endian, without the DataView that would cost an allocation per record. The caller has checked that the bytes are there. */
function readU32(bytes: Uint8Array, offset: number): number {
  const low = (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8) | ((bytes[offset + 2] ?? 0) << 16);
  return (low | ((bytes[offset + 3] ?? 0) << 24)) >>> 0;
}
