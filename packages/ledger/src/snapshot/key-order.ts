/** The order of keys in a snapshot (ledger spec §10.2): by the low 32 bits of SipHash-2-4 under a fixed key, and where those are the same, by bytes. */
import { compareBytes } from "../order.js";
import { type SipKey, sipHash24 } from "./sip-hash.js";

/** §10.2: 0x7720796f726c694b and 0x2165726568207361. */
const KEY: SipKey = [0x726c694b, 0x7720796f, 0x68207361, 0x21657265];

/** Where a key stands: unsigned, ascending. */
export function keyRank(key: Uint8Array): number {
  return sipHash24(KEY, key)[0];
}

export interface Ranked {
  readonly rank: number;
  readonly key: Uint8Array;
}

/** Negative, zero or positive as `a` comes before, is, or comes after `b`. */
export function compareRanked(a: Ranked, b: Ranked): number {
  return a.rank - b.rank || compareBytes(a.key, b.key);
}
