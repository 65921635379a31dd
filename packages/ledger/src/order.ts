/** Byte order and the order of maps in a write set (ledger spec §3.2). */
import { PUBLIC_PREFIX, utf8, type WriteSet } from "@sealane/wire";

/** Lexicographic, unsigned; a prefix comes first. Negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0); // both within bounds
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The same for two stretches of one piece of memory: from `a` to `aEnd` and from `b` to `bEnd`. */
export function compareRanges(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  const length = Math.min(aEnd - a, bEnd - b);
  for (let index = 0; index < length; index++) {
    const difference = (bytes[a + index] ?? 0) - (bytes[b + index] ?? 0); // both within bounds
    if (difference !== 0) return difference;
  }
  return aEnd - a - (bEnd - b);
}

export function isPublicMap(name: string): boolean {
  return name.startsWith(PUBLIC_PREFIX);
}

/** A key both written and removed, if there is one. Both lists ascend, so one walk suffices. */
export function findCommonKey(
  writes: readonly (readonly [Uint8Array, Uint8Array])[],
  removes: readonly Uint8Array[],
): Uint8Array | undefined {
  let next = 0;
  for (const key of removes) {
    for (let write = writes[next]; write !== undefined; write = writes[++next]) {
      const order = compareBytes(write[0], key);
      if (order === 0) return key;
      if (order > 0) break;
    }
  }
  return undefined;
}

/** One write set out of the two domains of an entry, ascending by name as it came from the transaction. */
export function mergeDomains(publicMaps: WriteSet, privateMaps: WriteSet): WriteSet {
  if (privateMaps.length === 0) return publicMaps;
  if (publicMaps.length === 0) return privateMaps;
  return [...publicMaps, ...privateMaps].sort((a, b) => compareBytes(utf8(a.name), utf8(b.name)));
}
