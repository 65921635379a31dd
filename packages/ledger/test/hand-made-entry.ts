/** Entries put together field by field (ledger spec §2, §3), also such as `encodeEntry` never writes. */
import { concatBytes, seqno, utf8 } from "@sealane/wire";
import { secrets, suite } from "./fixture.js";

const SEQNO = seqno(7);

/** An entry whose public domain was made by hand, sealed with the right key. */
export function seal(
  publicDomain: Uint8Array,
  plaintext: Uint8Array = new Uint8Array(),
  { ivSeqno = 7, ivView = 3 } = {},
): Uint8Array {
  const iv = new Uint8Array(12);
  const data = new DataView(iv.buffer);
  data.setBigUint64(0, BigInt(ivSeqno), true);
  data.setUint32(8, ivView, true);
  const { ciphertext, tag } = secrets.keysFor(suite, SEQNO).aead.seal(iv, publicDomain, plaintext);
  const rest = concatBytes(tag, iv, u64(publicDomain.length), publicDomain, ciphertext);
  return concatBytes(Uint8Array.of(1, 0), u64(rest.length).subarray(0, 6), rest);
}

export function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

export const blob = (text: string) => concatBytes(u64(utf8(text).length), utf8(text));
export const type0 = (...maps: Uint8Array[]) => concatBytes(Uint8Array.of(0), u64(7), u64(0), ...maps);
export const map = (name: string, ...keys: string[]) =>
  concatBytes(blob(name), u64(0), u64(0), u64(keys.length), ...keys.flatMap((key) => [blob(key), blob("v")]), u64(0));
