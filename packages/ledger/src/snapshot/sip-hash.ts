/**
 * SipHash-2-4 (Aumasson and Bernstein 2012), 64 bits: what orders the keys in a snapshot (ledger spec §10.2). No secret is involved here; the
 * key is a constant of the format.
 *
 * Words of 64 bits are kept as two halves: `bigint` would make this tens of times slower, and a snapshot hashes every live key.
 */

/** The key as 32-bit halves: k0 low, k0 high, k1 low, k1 high. */
export type SipKey = readonly [number, number, number, number];

/** @returns The hash's low and high half, unsigned. */
export function sipHash24([k0l, k0h, k1l, k1h]: SipKey, bytes: Uint8Array): readonly [low: number, high: number] {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wholeWords = bytes.length >>> 3;
  const compressionRounds = 2 * (wholeWords + 1); // the last word holds what is left over, and the length
  // Paper §2.1: "somepseudorandomlygeneratedbytes" ⊕ the key.
  let [v0l, v0h] = [k0l ^ 0x70736575, k0h ^ 0x736f6d65];
  let [v1l, v1h] = [k1l ^ 0x6e646f6d, k1h ^ 0x646f7261];
  let [v2l, v2h] = [k0l ^ 0x6e657261, k0h ^ 0x6c796765];
  let [v3l, v3h] = [k1l ^ 0x79746573, k1h ^ 0x74656462];
  let [ml, mh] = [0, 0];
  for (let step = 0; step < compressionRounds + 4; step++) {
    const compressing = step < compressionRounds;
    if (compressing && step % 2 === 0) {
      const word = step / 2;
      if (word < wholeWords) {
        ml = data.getUint32(8 * word, true);
        mh = data.getUint32(8 * word + 4, true);
      } else {
        [ml, mh] = lastWord(bytes);
      }
      v3l ^= ml;
      v3h ^= mh;
    }
    if (step === compressionRounds) v2l ^= 0xff;

    // SipRound, paper figure 2.1. Sums carry where the low half came out below an addend.
    let sum = (v0l >>> 0) + (v1l >>> 0);
    v0l = sum | 0;
    v0h = (v0h + v1h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    [v1l, v1h] = [((v1l << 13) | (v1h >>> 19)) ^ v0l, ((v1h << 13) | (v1l >>> 19)) ^ v0h];
    [v0l, v0h] = [v0h, v0l];
    sum = (v2l >>> 0) + (v3l >>> 0);
    v2l = sum | 0;
    v2h = (v2h + v3h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    [v3l, v3h] = [((v3l << 16) | (v3h >>> 16)) ^ v2l, ((v3h << 16) | (v3l >>> 16)) ^ v2h];
    sum = (v0l >>> 0) + (v3l >>> 0);
    v0l = sum | 0;
    v0h = (v0h + v3h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    [v3l, v3h] = [((v3l << 21) | (v3h >>> 11)) ^ v0l, ((v3h << 21) | (v3l >>> 11)) ^ v0h];
    sum = (v2l >>> 0) + (v1l >>> 0);
    v2l = sum | 0;
    v2h = (v2h + v1h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    [v1l, v1h] = [((v1l << 17) | (v1h >>> 15)) ^ v2l, ((v1h << 17) | (v1l >>> 15)) ^ v2h];
    [v2l, v2h] = [v2h, v2l];

    if (compressing && step % 2 === 1) {
      v0l ^= ml;
      v0h ^= mh;
    }
  }
  return [(v0l ^ v1l ^ v2l ^ v3l) >>> 0, (v0h ^ v1h ^ v2h ^ v3h) >>> 0];
}

/** Paper §2.2: the up to 7 bytes that are left over, zeros, and the length modulo 256. */
function lastWord(bytes: Uint8Array): readonly [number, number] {
  let [low, high] = [0, (bytes.length & 0xff) << 24];
  const start = bytes.length - (bytes.length % 8);
  for (let index = start; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0; // within bounds
    if (index - start < 4) low |= byte << (8 * (index - start));
    else high |= byte << (8 * (index - start - 4));
  }
  return [low, high];
}
